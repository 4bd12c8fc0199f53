"""What viewers get of one stream, all of it or without some of its sub-layers, numbered without holes.

All slots with the same choice share one, so that a slot's numbers differ from it by constants (see fanout.Row). It
keeps the last second of what went out, for those who ask again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from media import rtp
from media.fanout import Fanout
from media.ring import Ring

if TYPE_CHECKING:
    from media.stream import Stream

RING_PACKETS = 2048  # one second at 20 Mb/s, more than any camera or screen sends


class Sieve:
    """All of a stream; indices are the stream's."""

    __slots__ = ("fanout", "highest", "last", "numbered", "octets", "packets", "ring", "stream")

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.fanout = Fanout()
        self.ring: Ring[rtp.Packet] = Ring(RING_PACKETS)
        self.last: rtp.Packet | None = None  # the newest that went out
        self.numbered: rtp.Packet | None = None  # the newest of them with picture numbers: mere padding has none
        self.highest = -1  # its index
        self.packets = 0  # that went out
        self.octets = 0  # of their payload, as sender reports count

    def number(self, packet: rtp.Packet) -> int:
        """The index that a packet, the next one, has here."""
        return packet.index

    def forward(self, packets: list[rtp.Packet], now: float) -> None:
        """To every slot that carries this; they are newer than all before, in order."""
        self.fanout.forward(packets, now)
        self.last = packets[-1]
        self.highest = self.last.index
        if self.numbered is not None or self.last.numbers is not None:
            self.numbered = next((it for it in reversed(packets) if it.numbers is not None), self.numbered)
        self._keep(packets, now)

    def forward_late(self, packet: rtp.Packet, now: float) -> None:
        """To every slot that had started by then."""
        self.fanout.forward_late(packet, now)
        self._keep([packet], now)

    def _keep(self, packets: list[rtp.Packet], now: float) -> None:
        """What has gone out is counted, and may be asked for again."""
        octets = 0
        for packet in packets:
            self.ring.put(packet.index & 0xFFFF, packet, now)
            octets += packet.end - packet.start
        self.octets += octets
        self.packets += len(packets)


class SubLayers(Sieve):
    """A stream without the sub-layers above some spatial and temporal one."""

    __slots__ = ("_before", "_left_out", "spatial", "temporal")

    def __init__(self, stream: Stream, spatial: int, temporal: int) -> None:
        super().__init__(stream)
        self.spatial = spatial
        self.temporal = temporal
        self._left_out = 0  # packets so far
        self._before: list[tuple[int, int]] = [(-1, 0)] * RING_PACKETS  # of each packet: index, left out until after it

    def number(self, packet: rtp.Packet) -> int:
        return packet.index - self._left_out

    def forward(self, packets: list[rtp.Packet], now: float) -> None:
        """Leave out what is above, number the rest."""
        kept = []
        for packet in packets:
            if self._keeps(packet):
                kept.append(self._numbered(packet, self._left_out))
            else:
                self._left_out += 1
            self._before[packet.index % RING_PACKETS] = packet.index, self._left_out
        if kept:
            super().forward(kept, now)

    def forward_late(self, packet: rtp.Packet, now: float) -> None:
        """It fills the hole that was left for it; with nothing if it is not wanted here, so that nobody asks for it."""
        left_out = self._left_out_before(packet.index)
        if left_out is None:
            return
        numbered = self._numbered(packet, left_out)
        super().forward_late(
            numbered if self._keeps(packet) else numbered.as_number(numbered.index, 0, packet.start), now
        )

    def _keeps(self, packet: rtp.Packet) -> bool:
        sub = packet.sub
        return sub is None or (sub.spatial <= self.spatial and sub.temporal <= self.temporal)

    def _numbered(self, packet: rtp.Packet, left_out: int) -> rtp.Packet:
        """The last packet of the best frame that is left ends the picture."""
        sub = packet.sub
        marker = packet.marker or (sub is not None and sub.ends and sub.spatial == self.spatial)
        return packet.as_number(packet.index - left_out, int(marker), packet.end)

    def _left_out_before(self, index: int) -> int | None:
        """As counted with the nearest packet before; None for what came before all that we remember."""
        for before in range(index - 1, max(index - RING_PACKETS, -1), -1):
            known, left_out = self._before[before % RING_PACKETS]
            if known == before:
                return left_out
            if known > before:
                return None
        return None
