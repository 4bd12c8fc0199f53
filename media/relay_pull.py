"""Tracks of other workers that this one pulls: one `Source` for each worker they come from (relay_link.py: the format).

A pulled publication is one like any other, whose layers are fed by the connection instead of by a publisher: slots are
placed in it, wait for key frames, switch layers. What it would ask of its publisher it asks of the origin. While the
connection is lost it is silent; on the next one it is pulled again.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from media import relay_link, rtp
from media.answer import NegotiatedSection
from media.layers import Layer
from media.messages import Kind
from media.publication import Publication
from media.relay_link import Frame, FrameType, LayerState, Reader, RelayError, Report, Track
from media.rtcp import SenderReport
from media.sender_clock import SenderClock

LATE = 0.4  # seconds: what has waited longer is of no use to viewers, and newer pictures wait behind it


class Pulled(Publication):
    """A publication of another worker. It is known by its kind at first; what else must be known comes with `track`."""

    def __init__(
        self,
        publication_id: str,
        kind: Kind,
        ask_key_frame: Callable[[Layer], None],
        layers_wanted: Callable[[Publication, tuple[str, ...]], None],
    ) -> None:
        unknown = NegotiatedSection("", kind, "recvonly", (), {}, (), (), None, False)
        super().__init__("", unknown, SenderClock(), ask_key_frame, lambda *_: None, layers_wanted)
        self.publication_id = publication_id
        self.numbered: tuple[Layer, ...] = ()  # the layers by the numbers that frames give them
        self.described = False  # all is known that somebody needs who chooses among its layers

    def become(self, track: Track, clock: SenderClock, now: float) -> None:
        """Now it is known what it is: for the first time, or after a re-offer. Of several layers `state` says more."""
        # The origin asks for what is lost; here nothing more can be lost.
        codecs = tuple(replace(codec, feedback=()) for codec in track.section.codecs)
        rids = tuple(reversed(track.rids)) if track.rids != ("",) else ()
        self.section = replace(track.section, codecs=codecs, rids=rids)
        if tuple(layer.rid for layer in self.numbered) == track.rids:
            return
        self.transport_id = track.transport_id
        self._clock = clock
        self._needs.told = ()
        known = {layer.rid: layer for layer in self.layers}
        self.numbered = tuple(known.get(rid) or Layer(rid, index) for index, rid in enumerate(track.rids))
        self.layers = list(self.numbered)
        for index, layer in enumerate(self.layers):
            layer.index = index
            if layer.rid not in known:
                layer.unneeded_since = float("-inf")  # what nobody needs is not pulled just because it is new
        self.described = False

    def begin(self, now: float) -> None:
        """It is described: slots that were placed before wait for what is really there."""
        self.described = True
        for slot in list(self._slots):
            self.aim(slot, now)
        self._look_at_needs(now)

    def state(self, states: list[LayerState], now: float) -> None:
        """How its layers are at the origin; those that are not wanted are not seen here."""
        changed = False
        for number, flowing, height, bitrate in states:
            if number < len(self.numbered):
                layer = self.numbered[number]
                changed |= flowing != layer.flowing
                layer.flowing, layer.height = flowing, height or layer.height
                layer.bitrate = layer.expected = bitrate or layer.bitrate
                if flowing:
                    layer.heard = now
        if (self._put_in_order() or changed) and self.described:
            self._flow_changed(now)

    def _look_at_needs(self, now: float) -> None:
        if self.described:  # else slots still wish what was there before
            super()._look_at_needs(now)


class Source:
    """A worker that tracks come from; `path` is its relay socket. `wall_offset` added to `now`: seconds since 1970."""

    def __init__(
        self,
        path: str,
        wall_offset: float,
        counters: Counter[str],
        told: Callable[[Pulled], None],
        ended: Callable[[Pulled], None],
    ) -> None:
        self.path = path
        self._told = told  # what a publication consists of is known now
        self._ended = ended  # the origin has it no more
        self._wall_offset = wall_offset
        self._counters = counters
        self._handles = itertools.count(1)
        self._pulled: dict[int, Pulled] = {}  # by handle
        self._wanted: dict[Pulled, frozenset[int]] = {}  # the layers last asked for
        self._broken: set[Layer] = set()  # of which something was left out: to go on with a key frame
        self._clocks: dict[str, SenderClock] = {}  # by transport
        self._dirty: dict[Pulled, None] = {}
        self._reader = Reader()
        self._write: Callable[[bytes], None] | None = None  # while connected
        self._sent_at = 0.0  # when the origin let go of what comes now
        self._now = 0.0

    @property
    def empty(self) -> bool:
        """Nothing is pulled from there."""
        return not self._pulled

    def pull(self, publication_id: str, kind: Kind) -> Pulled:
        """Have a publication from now on."""
        handle = next(self._handles)
        pulled = self._pulled[handle] = Pulled(
            publication_id,
            kind,
            ask_key_frame=lambda layer: self._ask_key_frame(handle, layer),
            layers_wanted=lambda _, rids: self._want(handle, rids),
        )
        self._send(relay_link.pack_pull(handle, publication_id))
        return pulled

    def release(self, pulled: Pulled) -> None:
        """Have it no longer; who watched it is left without. Releasing twice is harmless."""
        for handle in [handle for handle, it in self._pulled.items() if it is pulled]:
            del self._pulled[handle]
            self._forget(pulled)
            self._send(relay_link.pack(FrameType.RELEASE, handle))

    # ── the connection ────────────────────────────────────────────────────────────────────────────────────────────

    def connected(self, write: Callable[[bytes], None]) -> None:
        """A new connection: everything is pulled again."""
        self._write = write
        self._reader = Reader()
        self._wanted.clear()
        for handle, pulled in self._pulled.items():
            self._send(relay_link.pack_pull(handle, pulled.publication_id))

    def lost(self) -> None:
        """There is no connection any more."""
        self._write = None

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the origin; `flush` forwards them. Raises RelayError for what is not its protocol."""
        self._now = now
        for frame in self._reader.feed(data):
            self._take(frame, now)

    def flush(self, now: float) -> None:
        """Forward what was received, sound first."""
        if self._dirty:
            dirty, self._dirty = self._dirty, {}
            for pulled in sorted(dirty, key=lambda it: it.section.kind):
                pulled.flush(now)

    def tick(self, now: float) -> None:
        """Every 20 ms."""
        self._now = now
        for pulled in self._pulled.values():
            pulled.tick(now)

    def close(self) -> None:
        """Have nothing any longer."""
        for pulled in list(self._pulled.values()):
            self.release(pulled)

    # ── frames ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, frame: Frame, now: float) -> None:
        if frame.type == FrameType.TIME:
            self._sent_at = frame.time()
            return
        pulled = self._pulled.get(frame.handle)
        if pulled is None:
            return  # released, which the origin did not know yet
        match frame.type:
            case FrameType.RTP:
                self._packet(pulled, frame, now)
            case FrameType.REPORT:
                self._report(pulled, frame.report(), now)
            case FrameType.STATE:
                pulled.state(frame.state(), now)
                if not pulled.described:
                    self._begin(frame.handle, pulled, now)
            case FrameType.TRACK:
                track = frame.track()
                clock = self._clocks.setdefault(track.transport_id, SenderClock())
                pulled.become(track, clock, now)
                if not pulled.described and len(track.rids) == 1:  # else the state of its layers comes next
                    self._begin(frame.handle, pulled, now)
                elif pulled.described and pulled not in self._wanted:
                    self._want(frame.handle, pulled.wanted)  # a new connection
            case FrameType.END:
                del self._pulled[frame.handle]
                self._forget(pulled)
                self._ended(pulled)
            case _:
                raise RelayError(f"a frame of type {frame.type}")

    def _packet(self, pulled: Pulled, frame: Frame, now: float) -> None:
        number = frame.layer()
        if number not in self._wanted.get(pulled, ()):
            return  # on its way while we said so
        layer = pulled.numbered[number]
        packet = rtp.parse(frame.payload[1:])
        if packet is None:
            raise RelayError("a packet that is none")
        self._counters["relayed_in"] += 1
        if now - self._sent_at > LATE:
            self._counters["dropped_relay_late"] += 1
            if pulled.section.kind == "video":
                self._broken.add(layer)
            return
        if layer in self._broken:
            if layer.stream is not None and not layer.stream.starts_key_frame(packet):
                pulled.request_key_frame(now, loss=True, layer=layer)
                self._counters["dropped_relay_late"] += 1
                return
            self._broken.discard(layer)
        if pulled.receive(packet, now, layer=layer):
            self._dirty[pulled] = None

    def _report(self, pulled: Pulled, report: Report, now: float) -> None:
        described = SenderReport(report.ssrc, report.ntp, report.rtp, 0, 0)
        pulled.sender_report(described, now, now + self._wall_offset, None)

    def _begin(self, handle: int, pulled: Pulled, now: float) -> None:
        """All is known of a publication: have it chosen from, and say what is needed of it."""
        self._told(pulled)
        pulled.begin(now)
        if pulled not in self._wanted:
            self._want(handle, pulled.wanted)

    # ── what is asked of the origin ───────────────────────────────────────────────────────────────────────────────

    def _want(self, handle: int, rids: tuple[str, ...]) -> None:
        """These layers are needed now."""
        pulled = self._pulled.get(handle)
        if pulled is None or not pulled.numbered:
            return
        wanted = frozenset(n for n, layer in enumerate(pulled.numbered) if layer.rid in rids)
        if len(pulled.numbered) == 1:
            wanted = frozenset((0,))  # it is only pulled while somebody needs it
        if self._wanted.get(pulled) == wanted:
            return
        for number, layer in enumerate(pulled.numbered):
            if number not in wanted:
                # When it comes again it may be so much later that its numbers cannot be compared.
                layer.stream = None
                layer.fresh, layer.late = [], []
                self._broken.discard(layer)
        self._wanted[pulled] = wanted
        self._send(relay_link.pack_want(handle, wanted))

    def _ask_key_frame(self, handle: int, layer: Layer) -> None:
        pulled = self._pulled.get(handle)
        if pulled is not None and layer in pulled.numbered:
            self._send(relay_link.pack_key_frame(handle, pulled.numbered.index(layer)))

    def _send(self, frame: bytes) -> None:
        if self._write is not None:
            self._write(frame)

    def _forget(self, pulled: Pulled) -> None:
        pulled.close()
        self._wanted.pop(pulled, None)
        self._dirty.pop(pulled, None)
        self._broken -= set(pulled.numbered)
        transports = {it.transport_id for it in self._pulled.values()}
        for transport_id in self._clocks.keys() - transports:
            del self._clocks[transport_id]
