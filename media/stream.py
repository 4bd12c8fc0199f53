"""One SSRC of a publication, RTX already undone: numbering, what is missing, and its clock.

A layer of a publication has one, and another one after a change of codec. Who gets its packets is known to its sieves.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from media import descriptors, ntp, rtp
from media.answer import DESCRIPTOR
from media.codecs import Codec
from media.descriptors import Sub
from media.keyframes import starts_key_frame
from media.layers import Choice
from media.messages import Kind
from media.nack import MissingPackets
from media.pictures import described, numbers
from media.red import Sound
from media.reports import Inbound
from media.rtcp import SenderReport
from media.sender_clock import SenderClock
from media.sieve import RING_PACKETS as RING_PACKETS
from media.sieve import Sieve, SubLayers

if TYPE_CHECKING:
    from media.subscription import Slot

MAX_AGE = 1.0  # seconds behind the newest; older packets are for the recorder only
MAX_DROPOUT = 3000  # sequence numbers that may be missing (RFC 3550 appendix A.1): 20 s of a camera
MAX_BACK = 1.0  # seconds that timestamps may go back from one packet to the next; live encoders reorder nothing
MAX_AHEAD = 10.0  # seconds that they may go ahead of the time that has passed


class Order(Enum):
    """Where a packet stands among those that came before."""

    NEXT = auto()  # newer than all
    LATE = auto()  # fills a hole, in time for viewers
    STALE = auto()  # fills a hole that only the recorder still has
    REPEATED = auto()  # has come before, or nobody can tell
    ODD = auto()  # numbered like nothing before; the next packet tells whether it was one broken packet …
    ANEW = auto()  # … or the source has begun anew, by the packet kept in `odd` and this one


class Stream:
    """See above. `now` is seconds, monotonic; `wall` seconds since 1970."""

    __slots__ = (
        "_clock",
        "_described",
        "_descriptor_id",
        "_heard",
        "_moment",
        "_newest",
        "_parts",
        "_reported",
        "_second",
        "_seen",
        "_sound",
        "_templates",
        "_unwrapper",
        "asks_again",
        "codec",
        "extensions",
        "highest_sub",
        "kind",
        "missing",
        "odd",
        "reception",
        "ssrc",
        "sub_octets",
        "twice",
        "whole",
    )

    def __init__(self, ssrc: int, kind: Kind, codec: Codec, extensions: dict[str, int], clock: SenderClock) -> None:
        self.ssrc = ssrc
        self.kind = kind
        self.codec = codec
        self.extensions = extensions  # URI -> id, as the publisher sends them
        self.asks_again = "nack" in codec.feedback
        self._second = codec.clock_rate  # of its timestamps
        self._described = codec.name in ("VP8", "VP9", "AV1")
        self.missing = MissingPackets()
        self.reception = Inbound(ssrc, codec.clock_rate)
        self.whole = Sieve(self)
        self.highest_sub = 0, 0  # spatial and temporal, of those seen so far
        self.sub_octets: dict[tuple[int, int], int] = {}  # received, by spatial and temporal sub-layer
        self._descriptor_id = extensions.get(DESCRIPTOR, 0)
        self._templates = descriptors.Templates()
        self._parts: dict[tuple[int, int], Sieve] = {}
        self.odd: rtp.Packet | None = None  # the last one that did not follow from the others
        self._clock = clock
        self._unwrapper = rtp.Unwrapper()
        self._seen = [-1] * RING_PACKETS  # index, at index modulo size
        self.twice: dict[Slot, None] = {}  # those that get each packet of sound a second time
        self._sound = Sound() if kind == "audio" else None
        self._newest = 0  # RTP timestamp of the newest packet
        self._heard = 0.0
        self._reported: tuple[float, int] | None = None  # our time and RTP timestamp of the last sender report
        self._moment: tuple[float, int] | None = None  # the same in the publisher's own time

    @property
    def highest(self) -> int:
        """Index of the newest packet."""
        return self._unwrapper.highest

    def silent_for(self, now: float) -> float:
        """Seconds since the last packet."""
        return now - self._heard

    def receive(self, packet: rtp.Packet, now: float, repaired: bool = False) -> Order:
        """Take a packet; `repaired` if it came by RTX. Its index and numbers are set."""
        newest = self._unwrapper.highest
        if (
            newest >= 0
            and (packet.sequence - newest) & 0xFFFF == 1
            and (packet.timestamp - self._newest) & 0xFFFFFFFF <= self._second
        ):  # nearly always
            index = packet.index = self._unwrapper.highest = newest + 1
        elif newest >= 0 and not repaired and not self._plausible(packet, now):
            before, self.odd = self.odd, packet
            if before is None or (packet.sequence - before.sequence) & 0xFFFF != 1:
                return Order.ODD
            self.odd = before
            return Order.ANEW
        else:
            index = packet.index = self._unwrapper.index(packet.sequence)
        place = index % RING_PACKETS
        if self._seen[place] == index or index <= self._unwrapper.highest - RING_PACKETS:
            return Order.REPEATED
        self._seen[place] = index
        self._heard = packet.arrival = now
        if self._described:
            self._describe(packet)
        if self.asks_again:
            self.missing.receive(packet.sequence, now)
        if not repaired:
            self.reception.receive(packet.sequence, packet.timestamp, now)
        if index > newest:
            self._newest = packet.timestamp
            return Order.NEXT
        age = ((self._newest - packet.timestamp + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        if age > MAX_AGE * self.codec.clock_rate:
            return Order.STALE
        return Order.LATE

    def _describe(self, packet: rtp.Packet) -> None:
        """What the packet says of its picture's number and sub-layer."""
        name = self.codec.name
        if name == "AV1":
            descriptor = packet.extensions.get(self._descriptor_id)
            packet.numbers, packet.sub = described(descriptor), self._templates.read(descriptor)
            self.highest_sub = self._templates.highest
        else:
            packet.numbers = numbers(name, packet.payload)
            if name == "VP9":
                packet.sub = descriptors.vp9(packet.payload)
        if packet.sub is not None:
            self._count_sub(packet.sub, len(packet.data))

    def _count_sub(self, sub: Sub, octets: int) -> None:
        """What a scalable stream consists of, and how much each part takes."""
        place = sub.spatial, sub.temporal
        self.sub_octets[place] = self.sub_octets.get(place, 0) + octets
        highest = self.highest_sub
        if sub.spatial > highest[0] or sub.temporal > highest[1]:
            self.highest_sub = max(sub.spatial, highest[0]), max(sub.temporal, highest[1])

    def _plausible(self, packet: rtp.Packet, now: float) -> bool:
        """Whether its numbers follow from those of the newest packet, as far as anybody may lose or delay some."""
        ahead = int((packet.sequence - self._unwrapper.highest + 0x8000) & 0xFFFF) - 0x8000
        if not -RING_PACKETS < ahead <= MAX_DROPOUT:
            return False
        if ahead <= 0:
            return True
        passed = int((packet.timestamp - self._newest + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        rate = self.codec.clock_rate
        return -MAX_BACK * rate <= passed <= (now - self._heard + MAX_AHEAD) * rate

    def lacks(self, sequence: int, timestamp: int) -> bool:
        """Whether a packet of these numbers, whose payload came within another packet, has not come by itself.

        What is newer than all must also be later: redundancy of another spacing than ours would claim to be it.
        """
        highest = self._unwrapper.highest
        index = highest + ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
        if index > highest:
            return 0 < (timestamp - self._newest) & 0xFFFFFFFF < 0x80000000
        return highest - index < RING_PACKETS and self._seen[index % RING_PACKETS] != index

    def starts_key_frame(self, packet: rtp.Packet) -> bool:
        """Whether a viewer may start with this packet. Sound may start anywhere."""
        return self.kind == "audio" or starts_key_frame(self.codec.name, packet.payload)

    def forget_octets(self) -> None:
        """Ten times a second: what came a second ago counts a third."""
        for place in self.sub_octets:
            self.sub_octets[place] = self.sub_octets[place] * 9 // 10

    @property
    def scalable(self) -> bool:
        """Whether sub-layers may be left out."""
        return self.highest_sub != (0, 0)

    def sieve(self, choice: Choice) -> Sieve:
        """What a slot with this choice carries."""
        spatial, temporal = self.highest_sub
        key = min(max(choice.spatial, 0), spatial), min(max(choice.temporal, 0), temporal)
        if key == self.highest_sub:
            return self.whole
        sieve = self._parts.get(key)
        if sieve is None:
            sieve = self._parts[key] = SubLayers(self, *key)
        return sieve

    @property
    def sieves(self) -> tuple[Sieve, ...]:
        return (self.whole, *self._parts.values())

    def forward(self, packets: list[rtp.Packet], now: float) -> None:
        """To every slot that carries this stream; they are NEXT, in order."""
        if self._sound is not None:
            for packet in packets:
                self._sound.pass_by(packet)
        self.whole.forward(packets, now)
        for slot in self.twice:
            slot.say_again(packets)
        if self._parts:
            for key, part in list(self._parts.items()):
                if len(part.fanout):
                    part.forward(packets, now)
                else:
                    del self._parts[key]

    def forward_late(self, packet: rtp.Packet, now: float) -> None:
        """To every slot that had started by then."""
        if self._sound is not None:
            self._sound.pass_by(packet)
        for sieve in self.sieves:
            sieve.forward_late(packet, now)

    def sender_report(self, report: SenderReport, now: float, wall: float) -> None:
        self.reception.sender_report(report, now)
        self._reported = self._clock.observe(report, wall), report.rtp
        self._moment = ntp.to_wall(report.ntp), report.rtp

    def same_moment(self, other: Stream, timestamp: int) -> int | None:
        """Our RTP timestamp of the moment that `timestamp` is in another stream of the same publisher.

        None if they have different clocks, or one has not had a sender report yet.
        """
        if self._moment is None or other._moment is None or self._clock is not other._clock:
            return None
        passed = ((timestamp - other._moment[1] + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        then = other._moment[0] + passed / other.codec.clock_rate
        return self._moment[1] + round((then - self._moment[0]) * self.codec.clock_rate)

    def instant(self, wall: float) -> tuple[int, int] | None:
        """NTP time (ours) and RTP timestamp (the publisher's) of `wall`; None before the first sender report.

        Extrapolated, not the publisher's last instant: viewers answer with how long ago we said it (RFC 3550 6.4.1).
        """
        if self._reported is None:
            return None
        then, timestamp = self._reported
        return ntp.from_wall(wall), timestamp + int((wall - then) * self.codec.clock_rate)
