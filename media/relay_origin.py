"""Tracks of this worker that other workers pull: one `Follower` for each connection (relay_link.py has the format).

A follower gets the packets of a wanted layer as they come in, once, and tells what its viewers need: which layers, and
key frames. It must not hold us up: when it is slow to read, sound is dropped packet by packet and pictures up to the
next key frame, so that what waits is bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from media import relay_link, rtp
from media.layers import Layer
from media.publication import Publication
from media.relay_link import Frame, FrameType, LayerState, Reader, RelayError, Report, Track
from media.rtcp import SenderReport
from media.stream import Stream

MAX_UNSENT = 1024 * 1024  # bytes that a slow follower may leave unread, beside what its socket holds
STATE_EVERY = 0.1  # seconds between two tellings of how the layers are

Write = Callable[[bytes], None]
Unsent = Callable[[], int]


class _Pulled:
    """One publication on one connection; the Tap of its wanted layers (layers.py)."""

    def __init__(self, follower: Follower, handle: int, publication: Publication) -> None:
        self.publication = publication
        self._follower = follower
        self._handle = handle
        self._section = publication.section
        self._layers = tuple(publication.layers)
        self._numbers: dict[Layer, int] = {}  # of the wanted layers
        self._broken: set[Layer] = set()  # pictures that wait for a key frame because the follower was slow
        self._announce()
        self.tell_state()

    def want(self, numbers: frozenset[int], now: float) -> None:
        """Give these layers and no others."""
        publication = self.publication
        wanted = {layer: number for number, layer in enumerate(self._layers) if number in numbers}
        former, self._numbers = self._numbers, wanted
        for layer in former.keys() - wanted.keys():
            self._broken.discard(layer)
            publication.untap(layer, self, now)
        for layer in wanted.keys() - former.keys():
            publication.tap(layer, self, now)

    def tell_state(self) -> None:
        """How the layers are: what who pulls cannot see of those it does not get."""
        if len(self._layers) > 1:
            states = (LayerState(n, it.flowing, it.height, it.expected) for n, it in enumerate(self._layers))
            self._follower.put(relay_link.pack_state(self._handle, states))

    def request_key_frame(self, number: int, now: float) -> None:
        """A viewer there needs one. They are coalesced there already, and again with those of our own."""
        if number < len(self._layers):
            self.publication.request_key_frame(now, layer=self._layers[number])

    def leave(self, now: float) -> None:
        """It is pulled no more."""
        for layer in self._numbers:
            self.publication.untap(layer, self, now)
        self._numbers = {}

    # ── a tap ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def began(self, layer: Layer, stream: Stream) -> None:
        """Its packets will say so."""

    def packet(self, layer: Layer, packet: rtp.Packet, now: float) -> None:
        stream, follower = layer.stream, self._follower
        if self.publication.section is not self._section:
            self._announce()
        if follower.slow:
            if stream is not None and stream.kind == "video":
                self._broken.add(layer)
            follower.counters["dropped_relay_slow"] += 1
            return
        if layer in self._broken:
            if stream is None or not stream.starts_key_frame(packet):
                self.publication.request_key_frame(now, loss=True, layer=layer)
                follower.counters["dropped_relay_slow"] += 1
                return
            self._broken.discard(layer)
        follower.counters["relayed_out"] += 1
        follower.put(relay_link.pack_rtp(self._handle, self._numbers[layer], plain(packet)), now)

    def report(self, layer: Layer, report: SenderReport, now: float) -> None:
        if self._follower.slow:
            return
        described = Report(self._numbers[layer], report.ssrc, report.ntp, report.rtp)
        self._follower.put(relay_link.pack_report(self._handle, described))

    def ended(self, layer: Layer) -> None:
        self._numbers.pop(layer, None)

    def _announce(self) -> None:
        self._section = section = self.publication.section
        known = set(self._layers)  # they keep their numbers, whichever is the taller
        self._layers += tuple(layer for layer in self.publication.layers if layer not in known)
        rids = tuple(layer.rid for layer in self._layers)
        self._follower.put(relay_link.pack_track(self._handle, Track(self.publication.transport_id, rids, section)))


class Follower:
    """A worker that pulls tracks of ours. `write` sends, `unsent` says how many bytes are not read yet."""

    def __init__(
        self, publications: Mapping[str, Publication], write: Write, unsent: Unsent, counters: Counter[str]
    ) -> None:
        self.counters = counters
        self.slow = False  # it does not read as fast as we send
        self._publications = publications
        self._write = write
        self._unsent = unsent
        self._reader = Reader()
        self._pulled: dict[int, _Pulled] = {}  # by handle
        self._gathered: list[bytes] = []
        self._oldest = float("inf")  # when the first packet of what has gathered came to us
        self._state_at = 0.0

    def put(self, frame: bytes, arrival: float = float("inf")) -> None:
        """To be sent with the next `flush`; with media goes when they came."""
        self._gathered.append(frame)
        self._oldest = min(self._oldest, arrival)

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the follower. Raises RelayError for what is not its protocol."""
        for frame in self._reader.feed(data):
            self._obey(frame, now)
        self.flush(now)

    def flush(self, now: float) -> None:
        """Send what has gathered, and see how the follower keeps up."""
        if self._gathered:
            frames, self._gathered = self._gathered, []
            since, self._oldest = min(now, self._oldest), float("inf")
            self._write(b"".join((relay_link.pack_time(since), *frames)))
            self.slow = self._unsent() > (MAX_UNSENT // 2 if self.slow else MAX_UNSENT)
        elif self.slow:
            self.slow = self._unsent() > MAX_UNSENT // 2

    def tick(self, now: float) -> None:
        """Every 20 ms."""
        for handle, pulled in list(self._pulled.items()):
            if self._publications.get(pulled.publication.publication_id) is not pulled.publication:
                del self._pulled[handle]
                self.put(relay_link.pack(FrameType.END, handle))
        if now - self._state_at >= STATE_EVERY and not self.slow:  # it is soon told again; what waits must not grow
            self._state_at = now
            for pulled in self._pulled.values():
                pulled.tell_state()
        self.flush(now)

    def leave(self, now: float) -> None:
        """The connection is lost. Leaving twice is harmless."""
        for pulled in self._pulled.values():
            pulled.leave(now)
        self._pulled.clear()

    def _obey(self, frame: Frame, now: float) -> None:
        pulled = self._pulled.get(frame.handle)
        match frame.type:
            case FrameType.PULL:
                if pulled is not None:
                    raise RelayError("a handle that is taken")
                publication = self._publications.get(frame.publication_id())
                if publication is None:
                    self.put(relay_link.pack(FrameType.END, frame.handle))
                else:
                    self._pulled[frame.handle] = _Pulled(self, frame.handle, publication)
            case FrameType.WANT:
                if pulled is not None:
                    pulled.want(frame.layers(), now)
            case FrameType.KEYFRAME:
                if pulled is not None:
                    pulled.request_key_frame(frame.layer(), now)
            case FrameType.RELEASE:
                if pulled is not None:
                    del self._pulled[frame.handle]
                    pulled.leave(now)
            case _:
                raise RelayError(f"a frame of type {frame.type}")


def plain(packet: rtp.Packet) -> bytes:
    """The packet as it came, or, where something was undone (RTX, RED), as it would have come without."""
    data = packet.data
    if data[1] & 0x7F == packet.payload_type and (data[0] & 0x10 or not packet.extensions):
        return data
    return packet.plain([(id, value) for id, value in packet.extensions.items() if id < 15 and value])
