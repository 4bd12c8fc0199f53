"""A media worker: requests in, replies and events out; datagrams in, datagrams into the batches of its sockets.

`handle` carries out what the server asks (requests.py), `receive` takes a datagram to the transport it is for, `flush`
lets go what has gathered, `tick` lets time pass. No socket, no clock: endpoint.py has them, tests do without.

Whatever comes to the port that is not ours is counted by reason and dropped; nothing of it raises or is logged.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from media import rtp, stun
from media.certificate import Certificate, Rotation
from media.ice import Path
from media.messages import Event, LayersWanted, PublicationFlowing, Reply, Request, SpeechChanged, TransportChanged
from media.publication import Publication
from media.recorder_feed import RecorderFeed
from media.relay import Relay
from media.requests import Requests
from media.roster import Roster
from media.sendmmsg import Batch
from media.train import Trains
from media.transport import Shared, Transport

TICK = 0.02  # seconds
TICKS_PER_SECOND = 50
TICKS_PER_HEARING = 5  # between looks at who speaks
CALM = 5  # ticks at once while nothing is urgent: to wake up 50 times a second takes 1 % of a core
MAX_PROBING = 24  # viewers at once, for a second or two each: padding is written packet by packet, in the slow way

log = logging.getLogger(__name__)


class Worker:
    """See above. `wall_offset` added to `now` (monotonic seconds) gives seconds since 1970."""

    def __init__(
        self,
        certificate: Certificate,
        candidates: Sequence[str],
        batches: Sequence[Batch],
        tell: Callable[[Event], None],
        wall_offset: float,
        ufrag_mark: str = "",
    ) -> None:
        """Its ufrags begin with `ufrag_mark`, see handover.py."""
        self.counters: Counter[str] = Counter()
        self.recorder_feed = RecorderFeed(wall_offset, self._recorder_wants_key_frame, self.counters)
        self._shared = Shared(
            Rotation(certificate),
            tuple(candidates),
            tuple(batches),
            self.counters,
            self._flowing,
            self._layers_wanted,
            ufrag_mark,
        )
        self._tell = tell
        self._wall_offset = wall_offset
        self._now = 0.0
        self._roster = Roster()
        self._transports = self._roster.transports
        self._publications = self._roster.publications
        self._by_ufrag = self._roster.by_ufrag
        self._by_path = self._roster.by_path
        self.relay = Relay(self._publications, wall_offset, self.counters)
        self.relay.told = self._allocate
        self._ticking: dict[Transport, None] = {}  # those with timers
        self._dirty: dict[Transport, None] = {}  # those with packets to forward
        self._probing: dict[Transport, None] = {}  # those whose path is being tried
        self._lossy: dict[Transport, None] = {}  # those whose path loses
        self._trains = Trains()  # to those whose line is measured
        self._slices: list[dict[Transport, None]] = [{} for _ in range(TICKS_PER_SECOND)]  # when each one reports
        self._tick = 0
        self._requests = Requests(
            self._roster,
            self._shared,
            self.relay,
            self.recorder_feed,
            self._trains,
            self.counters,
            self._welcome,
            self._forget,
        )

    # ── the server ────────────────────────────────────────────────────────────────────────────────────────────────

    def handle(self, request: Request, now: float) -> Reply:
        """Carry out a request."""
        self._now = now
        return self._requests.handle(request, now)

    # ── the network ───────────────────────────────────────────────────────────────────────────────────────────────

    def receive(self, data: bytes, path: Path, now: float, waited: float = 0.0) -> None:
        """Take a datagram (RFC 7983 tells by the first byte what it is). Never raises.

        `waited` is how many seconds ago it came, if we are late in taking it: media are as old as that.
        """
        self._now = now
        counters = self.counters
        counters["packets_in"] += 1
        counters["bytes_in"] += len(data)
        if len(data) < 2:
            counters["dropped_unknown_protocol"] += 1
            return
        first = data[0]
        if first < 4:
            self._receive_stun(data, path, now)
            return
        transport = self._by_path.get(path)
        if transport is None:
            counters["dropped_unknown_source"] += 1
            return
        try:
            if 128 <= first <= 191:
                if rtp.is_rtcp(data):
                    transport.receive_rtcp(data, now, now + self._wall_offset)
                else:
                    transport.receive_rtp(data, now - waited)
                    self._dirty[transport] = None
            elif 20 <= first <= 63:
                connected = transport.connected
                transport.receive_dtls(data, now)
                self._look_after(transport, connected)
            else:
                counters["dropped_unknown_protocol"] += 1
        except Exception:
            self._broken(transport)

    @property
    def transports(self) -> int:
        """How many there are, connected or not."""
        return len(self._transports)

    def knows(self, path: Path) -> bool:
        """Whether a valid check came by it, so that it is some transport's."""
        return path in self._by_path

    def path_lost(self, path: Path) -> None:
        """A TCP connection was closed."""
        transport = self._by_path.pop(path, None)
        if transport is not None:
            transport.path_lost(path)

    def flush(self, now: float) -> None:
        """Forward what was received since the last time, and send all that has gathered."""
        self.relay.flush_out(now)
        self.relay.flush_in(now)
        if self._dirty:
            dirty, self._dirty = self._dirty, {}
            for transport in dirty:
                try:
                    if transport.publisher is not None:
                        transport.publisher.flush(now)
                except Exception:
                    self._broken(transport)
        for batch in self._shared.batches:
            batch.flush()

    @property
    def calm(self) -> bool:
        """Whether a look ten times a second is enough: nobody publishes, comes in, is being probed or loses."""
        return not self._ticking and not self._probing and not self._lossy and not self._trains.going

    def tick(self, now: float, passed: int = 1) -> None:
        """Every 20 ms, or when so many of 20 ms have `passed`: timers; and each transport's reports once a second,
        spread over the second."""
        self._now = now
        for transport in list(self._ticking):
            try:
                transport.tick(now)
            except Exception:
                self._broken(transport)
                continue
            if transport.viewer is not None and transport.connected:
                del self._ticking[transport]  # a viewer has no timers but its reports
        self.relay.tick(now)
        for _ in range(passed):
            self._tick = (self._tick + 1) % TICKS_PER_SECOND
            if self._tick % TICKS_PER_HEARING == 0:
                self._tell_who_speaks(now)
            self._report(self._slices[self._tick], now)
        for transport, train in self._trains.going:
            try:
                train.tick(now)
            except Exception:
                self._broken(transport)
        for tended, tend in ((self._probing, self._probe), (self._lossy, self._attend)):
            for transport in list(tended):
                try:
                    tend(transport, now)
                except Exception:
                    self._broken(transport)
        self.flush(now)

    def close(self) -> None:
        """Say goodbye to everybody."""
        for transport in list(self._transports.values()):
            self._forget(transport)
        self.relay.close()
        self.flush(self._now)

    def _receive_stun(self, data: bytes, path: Path, now: float) -> None:
        ufrag = stun.ufrag_of(data)
        transport = self._by_ufrag.get(ufrag) if ufrag is not None else None
        if transport is None:
            self.counters["dropped_stun_malformed" if ufrag is None else "dropped_stun_unknown"] += 1
            return
        connected = transport.connected
        checked = transport.receive_stun(data, path, now)
        self._roster.checked(transport, path, checked)
        if checked.accepted:
            self._look_after(transport, connected)

    # ── transports come and go ────────────────────────────────────────────────────────────────────────────────────

    def _welcome(self, transport: Transport) -> None:
        smallest = min(self._slices, key=len)
        smallest[transport] = None
        self._ticking[transport] = None

    def _look_after(self, transport: Transport, connected: bool) -> None:
        """Tell the server what a datagram has changed."""
        dtls = transport.dtls
        if transport.connected and not connected:
            self._tell(TransportChanged(transport.transport_id, "connected"))
        if dtls is not None and dtls.failed:
            log.info("transport %s: the DTLS handshake failed", transport.transport_id)
            self._forget(transport)
            self._tell(TransportChanged(transport.transport_id, "lost"))
        elif dtls is not None and dtls.closed:
            self._forget(transport)
            self._tell(TransportChanged(transport.transport_id, "closed"))

    def _broken(self, transport: Transport) -> None:
        """A bug of ours met one transport: it ends and may be offered anew; the lessons beside it go on."""
        log.exception("transport %s ends because of a bug", transport.transport_id)
        self.counters["transports_broken"] += 1
        try:
            self._forget(transport)
        except Exception:  # what is broken may not even end in order
            log.exception("transport %s could not say goodbye", transport.transport_id)
        self._tell(TransportChanged(transport.transport_id, "lost"))

    def _forget(self, transport: Transport) -> None:
        if not self._roster.leave(transport):
            return
        self._dirty.pop(transport, None)
        self._ticking.pop(transport, None)
        self._probing.pop(transport, None)
        self._lossy.pop(transport, None)
        self._trains.forget(transport)
        for some in self._slices:
            some.pop(transport, None)
        try:
            for publication in transport.publications:
                publication.flush(self._now)
        finally:
            transport.close()

    def _report(self, transports: Iterable[Transport], now: float) -> None:
        """What each transport does once a second."""
        for transport in list(transports):
            if transport.ice.lost(now) or (transport.dtls is not None and transport.dtls.failed):
                self._forget(transport)
                self._tell(TransportChanged(transport.transport_id, "lost"))
            else:
                try:
                    transport.report(now, now + self._wall_offset)
                    self._look_at_bandwidth(transport, now)
                except Exception:
                    self._broken(transport)

    def _look_at_bandwidth(self, transport: Transport, now: float) -> None:
        """Once a second: tell what a viewer's slots carry, and perhaps try whether its path carries more."""
        viewer = transport.viewer
        if viewer is None:
            return
        bandwidth = viewer.bandwidth
        for change in bandwidth.changes():
            self._tell(change)
        if transport.connected and len(self._probing) < MAX_PROBING:
            bandwidth.begin_probe(now)
            if bandwidth.probing:
                self._probing[transport] = None
        if transport.connected and viewer.loses(now):
            self._lossy[transport] = None

    def _probe(self, transport: Transport, now: float) -> None:
        viewer = transport.viewer
        assert viewer is not None
        viewer.bandwidth.tick(now)
        if not viewer.bandwidth.probing:
            del self._probing[transport]

    def _attend(self, transport: Transport, now: float) -> None:
        viewer = transport.viewer
        assert viewer is not None
        viewer.tick(now)
        if not viewer.loses(now):
            del self._lossy[transport]

    # ── callbacks ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _flowing(self, publication: Publication, codec: str) -> None:
        self._tell(PublicationFlowing(publication.publication_id, codec))

    def _allocate(self, publication: Publication) -> None:
        """Its layers are known only now: whoever it was placed for chooses again."""
        for transport_id in publication.viewers:
            transport = self._transports.get(transport_id)
            if transport is not None and transport.viewer is not None:
                transport.viewer.bandwidth.allocate(self._now)

    def _layers_wanted(self, publication: Publication, rids: tuple[str, ...]) -> None:
        self._tell(LayersWanted(publication.publication_id, rids))

    def _tell_who_speaks(self, now: float) -> None:
        for publication in self._publications.values():
            loudness = publication.loudness
            if loudness is not None and loudness.changed(now):
                self._tell(SpeechChanged(publication.publication_id, loudness.speaking, loudness.level))

    def _recorder_wants_key_frame(self, publication_id: str, loss: bool) -> None:
        publication = self._publications.get(publication_id)
        if publication is not None:
            publication.request_key_frame(self._now, loss=loss)
