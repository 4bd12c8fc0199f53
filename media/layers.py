"""A publication's layers: its simulcast encodings (RFC 8853), each a stream of its own, and what of them may be chosen.

A publication without simulcast has one layer, whose rid is "". Layers count from the smallest: the offer's order is
taken as from the best to the least, until the pictures themselves say otherwise.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from media import rtp
from media.keyframes import KeyFrameRequests
from media.rtcp import SenderReport
from media.statistics import LayerTally

if TYPE_CHECKING:
    from media.stream import Stream
    from media.subscription import Slot

MEASURED_OVER = 1.0  # seconds
MEASURED_EVERY = 0.1  # seconds
SILENT = 0.2  # seconds that another layer goes on while this one does not: it has stopped …
SILENT_PICTURES = 5  # … unless its pictures are so seldom that as many would not have come by then
SETTLED = 5.0  # seconds of flow after which a layer's measured rate is believed: one just woken begins low
SUBSIDES = 0.1  # per second: what a layer is expected to take falls no faster, for a still picture moves again
LONGEST_SILENCE = 3.0  # seconds; a layer with fewer pictures than that does not help anybody

# What a picture of this height usually takes, bit/s: what we ask of the pages (design section 4), and above.
_NOMINAL = ((180, 120_000.0), (360, 500_000.0), (720, 1_500_000.0), (1080, 3_000_000.0))
_NOMINAL_UNKNOWN = (120_000.0, 500_000.0, 1_500_000.0)  # from the smallest layer


class Choice(NamedTuple):
    """What a slot is to carry: a layer, and within it no more than these spatial and temporal sub-layers."""

    layer: int  # counts from the smallest
    spatial: int = 9
    temporal: int = 9


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that may be chosen, and what it takes."""

    choice: Choice
    bitrate: float  # bit/s to be expected: as lately measured; the nominal one of its height until that is known
    height: int  # pixels, 0 unknown
    flowing: bool  # packets came lately


class Tap(Protocol):
    """Who wants a layer as it comes in, beside the viewers: a relay to another worker."""

    def began(self, layer: Layer, stream: Stream) -> None: ...

    def packet(self, layer: Layer, packet: rtp.Packet, now: float) -> None: ...

    def report(self, layer: Layer, report: SenderReport, now: float) -> None: ...

    def ended(self, layer: Layer) -> None: ...


class Layer:
    """One layer. Times are seconds, monotonic."""

    __slots__ = (
        "_began",
        "_counted",
        "_interval",
        "_last_timestamp",
        "_picture_at",
        "_rates",
        "awaited_at",
        "bitrate",
        "expected",
        "flowing",
        "fresh",
        "heard",
        "height",
        "highest_sub",
        "index",
        "late",
        "octets",
        "report",
        "requests",
        "rid",
        "shifting",
        "stream",
        "tally",
        "taps",
        "unneeded_since",
        "waiting",
    )

    def __init__(self, rid: str, index: int) -> None:
        self.rid = rid
        self.index = index  # from the smallest
        self.stream: Stream | None = None
        self.height = 0  # of its pictures, pixels; 0 until a key frame has said
        self.highest_sub = 0, 0  # as the slots know it, see Stream.highest_sub
        self.flowing = False
        self.heard = float("-inf")  # when the last packet came
        self.octets = 0  # received, headers included
        self.bitrate = 0.0  # bit/s over the last second with packets; 0 before the first
        self.expected = 0.0  # bit/s it must be expected to take; 0 before the first packets
        self.requests = KeyFrameRequests()
        self.report: tuple[SenderReport, float, float | None] | None = None  # the last, when it came, the round trip
        self.waiting: dict[Slot, None] = {}  # slots that wait for a packet of it to start with
        self.shifting: dict[Slot, None] = {}  # slots that carry it, and wait to carry more or less of it
        self.awaited_at = 0.0  # when somebody last asked on their behalf
        self.fresh: list[rtp.Packet] = []  # received since the last flush, in order
        self.late: list[rtp.Packet] = []
        self.taps: list[Tap] = []
        self.tally = LayerTally()
        self.unneeded_since: float | None = None
        self._rates: deque[tuple[float, int]] = deque()
        self._began = float("-inf")  # when it last began to flow
        self._counted = 0.0
        self._interval = 0.0  # seconds between pictures, smoothed
        self._picture_at = 0.0
        self._last_timestamp = -1

    def receive(self, packet: rtp.Packet, now: float) -> None:
        """Count a packet that is new."""
        if now - self.heard > MEASURED_OVER:
            self._began = now
        self.heard = now
        self.octets += len(packet.data)
        if packet.timestamp != self._last_timestamp:
            if self._last_timestamp >= 0:
                self._interval += (min(now - self._picture_at, 1.0) - self._interval) / 8
            self._last_timestamp = packet.timestamp
            self._picture_at = now

    def silent_beside(self, heard: float) -> bool:
        """Whether it has stopped, given when the last packet of another layer came."""
        return heard - self.heard > max(SILENT, min(SILENT_PICTURES * self._interval, LONGEST_SILENCE))

    def measure(self, now: float) -> None:
        """Every 20 ms or so: how much it takes."""
        passed = now - self._counted
        if passed < MEASURED_EVERY:
            return
        self._counted = now
        rates = self._rates
        if rates and now - self.heard > MEASURED_OVER:
            rates.clear()  # the last value stays: it is what the layer will take again
            return
        rates.append((now, self.octets))
        while now - rates[0][0] > MEASURED_OVER:
            rates.popleft()
        (since, before), (until, after) = rates[0], rates[-1]
        if until - since >= MEASURED_OVER / 2 and after > before:
            self.bitrate = (after - before) * 8 / (until - since)
            self._expect(now, min(passed, 1.0))
        if self.stream is not None:
            self.stream.forget_octets()

    def start_waiting(self, stream: Stream, fresh: list[rtp.Packet], at: int | None, now: float) -> list[rtp.Packet]:
        """Start slots with the first packet that they may start with; gives the packets not forwarded yet.

        Those that wait for the stream start with its key frame, which begins at `at`; those that carry it and are to
        carry more or less of it, with a picture from which on that can be decoded.
        """
        done = 0
        for n, packet in enumerate(fresh):
            starting = [slot for slot in self.waiting if slot.outlet.open] if n == at else []
            if self.shifting and packet.sub is not None and packet.sub.begins_picture:
                key = stream.starts_key_frame(packet)
                starting += [slot for slot in self.shifting if slot.may_shift(packet.sub, key=key)]
            if starting and n > done:
                stream.forward(fresh[done:n], now)
                done = n
            for slot in starting:
                if slot.start(self, stream, packet, now):
                    self.waiting.pop(slot, None)
                    self.shifting.pop(slot, None)
        return fresh[done:]

    def catch_up(self, now: float, behind: float) -> int:
        """Leave out what came longer than `behind` seconds ago, and let slots go on with the next key frame or sound.

        Says how many packets are left out.
        """
        stream = self.stream
        assert stream is not None
        before = len(self.fresh) + len(self.late)
        self.fresh = [packet for packet in self.fresh if now - packet.arrival <= behind]
        self.late = [packet for packet in self.late if now - packet.arrival <= behind]
        for sieve in stream.sieves:
            for slot in list(sieve.fanout):
                slot.stop()
                self.shifting.pop(slot, None)
                self.waiting[slot] = None
        return before - len(self.fresh) - len(self.late)

    def options(self) -> list[Option]:
        """What of it may be chosen, lowest first: of a scalable stream the pictures of the smallest size at fewer and
        more a second, then the larger ones at all of them."""
        whole = Option(Choice(self.index), self.expected or nominal(self.height, self.index), self.height, self.flowing)
        stream = self.stream
        if stream is None or not stream.scalable:
            return [whole]
        spatial, temporal = stream.highest_sub
        height = self.height >> spatial  # each size is twice the one below, in all modes that browsers have
        found = [self._part(whole, 0, each, height) for each in range(temporal)]
        found += [self._part(whole, each, 9, self.height >> spatial - each) for each in range(spatial)]
        return [*found, whole]

    def _expect(self, now: float, passed: float) -> None:
        """After `passed` seconds: up at once, down slowly, and not below the usual until it has flowed for a while."""
        known = self.expected or nominal(self.height, self.index)
        if now - self._began < SETTLED:
            self.expected = max(known, self.bitrate)
        else:
            self.expected = max(self.bitrate, known * (1 - SUBSIDES * passed))

    def _part(self, whole: Option, spatial: int, temporal: int, height: int) -> Option:
        assert self.stream is not None
        octets = self.stream.sub_octets
        part = sum(many for (s, t), many in octets.items() if s <= spatial and t <= temporal)
        share = part / max(1, sum(octets.values()))
        return Option(Choice(self.index, spatial, temporal), whole.bitrate * share, height, self.flowing)


def nominal(height: int, index: int) -> float:
    """What a layer of this height (pixels, 0 unknown) usually takes, bit/s."""
    if not height:
        return _NOMINAL_UNKNOWN[min(index, len(_NOMINAL_UNKNOWN) - 1)]
    return next((bitrate for upto, bitrate in _NOMINAL if height <= upto), _NOMINAL[-1][1])


def in_order(layers: Sequence[Layer]) -> list[Layer]:
    """The layers from the smallest to the tallest, numbered so. Where heights are equal or unknown, as before."""
    known = iter(sorted((layer for layer in layers if layer.height), key=lambda layer: layer.height))
    ordered = [next(known) if layer.height else layer for layer in layers]
    for index, each in enumerate(ordered):
        each.index = index
    return ordered


def reachable(layers: Sequence[Layer], wished: Layer) -> Layer | None:
    """The best layer up to the wished one that flows, else the least above it that does; None if none does."""
    best = None
    for layer in layers:
        if layer.flowing and (layer.index <= wished.index or best is None):
            best = layer
    return best


def cease(layers: Sequence[Layer], now: float) -> bool:
    """Find out which do not flow any more. Whether somebody may be better served by what still does.

    A browser short of bandwidth or of CPU drops the best ones first.
    """
    newest = max(layer.heard for layer in layers)
    all_silent = now - newest > LONGEST_SILENCE
    ceased = [layer for layer in layers if layer.flowing and (all_silent or layer.silent_beside(newest))]
    for layer in ceased:
        layer.flowing = False
        layer.requests.arrived(now)  # nobody is there to answer; when it flows again, it is asked again
    return bool(ceased) and not all_silent
