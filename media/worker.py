"""A media worker: requests in, replies and events out; datagrams in, datagrams into the batches of its sockets.

`handle` carries out what the server asks, `receive` takes a datagram to the transport it is for, `flush` lets go what
has gathered, `tick` lets time pass. No socket, no clock: endpoint.py has them, tests do without.

Whatever comes to the port that is not ours is counted by reason and dropped; nothing of it raises or is logged.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from media import rtp, stun
from media.certificate import Certificate, Rotation
from media.ice import Path
from media.messages import (
    Answer,
    Answered,
    CloseTransport,
    Count,
    Done,
    Event,
    Held,
    IceRestarted,
    LayersWanted,
    ListHeld,
    Measure,
    Measured,
    Place,
    PublicationFlowing,
    Pull,
    Record,
    Refused,
    Release,
    Reply,
    Request,
    RequestKeyFrame,
    RestartIce,
    SendTrain,
    SpeechChanged,
    StopRecording,
    Survey,
    Surveyed,
    TransportChanged,
    TransportInfo,
    View,
)
from media.placing import place, unknown_publication, view
from media.publication import Publication
from media.recorder_feed import RecordedTrack, RecorderFeed
from media.relay import Relay
from media.sdp import SdpError
from media.sendmmsg import Batch
from media.statistics import measure, survey
from media.train import Trains
from media.transport import Shared, Transport
from media.viewer import Viewer

TICK = 0.02  # seconds
TICKS_PER_SECOND = 50
TICKS_PER_HEARING = 5  # between looks at who speaks
CALM = 5  # ticks at once while nothing is urgent: to wake up 50 times a second takes 1 % of a core
MAX_PROBING = 24  # viewers at once, for a second or two each: padding is written packet by packet, in the slow way
MAX_TRANSPORTS = 4000  # of one worker; at some 150 kB each

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
        self._transports: dict[str, Transport] = {}
        self._publications: dict[str, Publication] = {}
        self.relay = Relay(self._publications, wall_offset, self.counters)
        self.relay.told = self._allocate
        self._by_ufrag: dict[str, Transport] = {}
        self._by_path: dict[Path, Transport] = {}
        self._ticking: dict[Transport, None] = {}  # those with timers
        self._dirty: dict[Transport, None] = {}  # those with packets to forward
        self._probing: dict[Transport, None] = {}  # those whose path is being tried
        self._lossy: dict[Transport, None] = {}  # those whose path loses
        self._trains = Trains()  # to those whose line is measured
        self._slices: list[dict[Transport, None]] = [{} for _ in range(TICKS_PER_SECOND)]  # when each one reports
        self._tick = 0

    # ── the server ────────────────────────────────────────────────────────────────────────────────────────────────

    def handle(self, request: Request, now: float) -> Reply:
        """Carry out a request."""
        self._now = now
        match request:
            case Answer():
                return self._answer(request, now)
            case Place():
                viewer = self._viewer(request.transport_id)
                return place(request, viewer, self._find, now) if viewer else _unknown_transport(request.transport_id)
            case RestartIce():
                return self._restart_ice(request.transport_id)
            case CloseTransport():
                transport = self._transports.get(request.transport_id)
                if transport is None:
                    return _unknown_transport(request.transport_id)
                self._forget(transport)
                return Done()
            case RequestKeyFrame():
                publication = self._publications.get(request.publication_id)
                if publication is None:
                    return unknown_publication(request.publication_id)
                publication.request_key_frame(now, loss=True)
                return Done()
            case Record():
                return self._record(request, now)
            case StopRecording():
                publication = self._publications.get(request.publication_id)
                if publication is None:
                    return unknown_publication(request.publication_id)
                publication.record(None, now)
                return Done()
            case ListHeld():
                for publication in self._publications.values():
                    if publication.section.rids:  # said while no server was there, perhaps
                        self._layers_wanted(publication, publication.wanted)
                return self._held()
            case Measure():
                return Measured(self._measure())
            case View():
                viewer = self._viewer(request.transport_id)
                return view(request, viewer, now) if viewer else _unknown_transport(request.transport_id)
            case Survey():
                known = (self._transports.get(transport_id) for transport_id in request.transport_ids)
                return Surveyed(tuple(survey(transport, now) for transport in known if transport is not None))
            case SendTrain():
                transport = self._transports.get(request.transport_id)
                if transport is None or transport.viewer is None:
                    return _unknown_transport(request.transport_id)
                return self._trains.send(request, transport, now)
            case Count():
                transport = self._transports.get(request.transport_id)
                return self._trains.count(transport, now) if transport else _unknown_transport(request.transport_id)
            case Pull():
                if request.publication_id in self._publications or self.relay.pull(request):
                    return Done()
                return Refused("limit_reached", "this worker has no way to others")
            case Release():
                return (
                    Done()
                    if self.relay.release(request.publication_id)
                    else unknown_publication(request.publication_id)
                )

    def _answer(self, request: Answer, now: float) -> Answered | Refused:
        transport = self._transports.get(request.transport_id)
        if transport is not None and transport.direction != request.direction:
            return Refused("unknown_transport", f"{request.transport_id} goes the other way")
        if transport is None and len(self._transports) >= MAX_TRANSPORTS:
            return Refused("limit_reached", f"this worker has {MAX_TRANSPORTS} transports")
        fresh = transport is None
        if transport is None:
            transport = Transport(request.transport_id, request.direction, self._shared, now)
        try:
            answered = transport.answer(request.offer)
        except SdpError as error:
            return Refused(error.code, str(error))
        if fresh:
            self._transports[request.transport_id] = transport
            smallest = min(self._slices, key=len)
            smallest[transport] = None
            self._ticking[transport] = None
        self._note_ufrags(transport)
        for publication in transport.publications:
            self._publications[publication.publication_id] = publication
        return answered

    def _viewer(self, transport_id: str) -> Viewer | None:
        transport = self._transports.get(transport_id)
        return transport.viewer if transport is not None else None

    def _find(self, publication_id: str) -> Publication | None:
        """One that is sent to this worker, or that it can pull from another."""
        return self._publications.get(publication_id) or self.relay.find(publication_id)

    def _restart_ice(self, transport_id: str) -> IceRestarted | Refused:
        transport = self._transports.get(transport_id)
        if transport is None:
            return _unknown_transport(transport_id)
        restarted = transport.restart_ice()
        self._note_ufrags(transport)
        return restarted

    def _record(self, request: Record, now: float) -> Reply:
        publication = self._publications.get(request.publication_id)
        if publication is None:
            return unknown_publication(request.publication_id)
        recording = publication.recording
        if not isinstance(recording, RecordedTrack) or recording.record != request:  # else an adopting server repeats
            publication.record(self.recorder_feed.track(request, publication.section.kind), now)
        return Done()

    def _held(self) -> Held:
        transports = self._transports.values()
        return Held(
            tuple(TransportInfo(it.transport_id, it.direction, it.connected) for it in transports),
            tuple(publication.info for publication in self._publications.values()),
            tuple(info for transport in transports for info in transport.slot_infos),
            tuple(id for id, publication in self._publications.items() if publication.recording is not None),
            self.relay.pulled,
            self.relay.path,
        )

    def _measure(self) -> dict[str, float]:
        relay = self.relay
        transports, publications = self._transports.values(), self._publications.values()
        counted = measure(self.counters, self._shared.batches, transports, publications, relay.publications)
        return {**counted, "publications_pulled": float(len(relay.pulled))}

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
        if checked.retired is not None:
            self._by_ufrag.pop(checked.retired, None)
        if checked.evicted is not None and self._by_path.get(checked.evicted) is transport:
            self._by_path.pop(checked.evicted, None)
        if checked.accepted:
            self._by_path[path] = transport
            self._look_after(transport, connected)

    # ── transports come and go ────────────────────────────────────────────────────────────────────────────────────

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
        if self._transports.pop(transport.transport_id, None) is None:
            return
        for publication in transport.publications:
            self._publications.pop(publication.publication_id, None)
        self._dirty.pop(transport, None)
        self._ticking.pop(transport, None)
        self._probing.pop(transport, None)
        self._lossy.pop(transport, None)
        self._trains.forget(transport)
        for ufrag in [ufrag for ufrag, owner in self._by_ufrag.items() if owner is transport]:
            del self._by_ufrag[ufrag]
        for path in [path for path, owner in self._by_path.items() if owner is transport]:
            del self._by_path[path]
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

    def _note_ufrags(self, transport: Transport) -> None:
        for ufrag in transport.ice.ufrags:
            self._by_ufrag[ufrag] = transport
        stale = [u for u, owner in self._by_ufrag.items() if owner is transport and u not in transport.ice.ufrags]
        for ufrag in stale:
            del self._by_ufrag[ufrag]

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


def _unknown_transport(transport_id: str) -> Refused:
    return Refused("unknown_transport", f"no transport {transport_id}")
