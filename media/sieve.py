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

    __slots__ = ("fanout", "highest", "last", "octets", "packets", "ring", "stream")

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.fanout = Fanout()
        self.ring: Ring[rtp.Packet] = Ring(RING_PACKETS)
        self.last: rtp.Packet | None = None  # the newest that went out
        self.highest = -1  # its index
        self.packets = 0  # that went out
        self.octets = 0  # of their payload, as sender reports count

    def forward(self, packets: list[rtp.Packet], now: float) -> None:
        """To every slot that carries this; they are newer than all before, in order."""
        self.fanout.forward(packets, now)
        self.last = packets[-1]
        self.highest = self.last.index
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
