"""Redundant sound (RFC 2198): each packet also carries the one or two before it, so that a loss costs nothing.

What publishers send is undone on arrival: from there on all is plain Opus, and what was lost and is carried by a later
packet is as good as received. For viewers it is made anew, so that each gets it who wants it, whoever publishes.

    0                   1                   2                   3
    |1| payload type|  timestamp offset (14 bits)  | length (10) |   for each of the older ones, the oldest first
    |0| payload type|                                                for the packet's own
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from media import rtp

MAX_OFFSET = (1 << 14) - 1  # ticks: 341 ms; sound from before a longer pause (DTX) is no help any more
MAX_LENGTH = (1 << 10) - 1  # bytes of an older block
MAX_BLOCKS = 8  # more is somebody playing


class Block(NamedTuple):
    """An older packet's payload within a later packet."""

    back: int  # how many packets before the one that carries it
    offset: int  # ticks before its timestamp
    payload: bytes


class Sound:
    """The last few packets of a stream as they go out: notes in each what was before it."""

    DEPTH = 1  # older packets in each; see docs/performance.md for what a second one would bring
    _SIZE = 8

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: list[tuple[int, int, bytes]] = [(-1, 0, b"")] * self._SIZE  # index, timestamp, payload

    def pass_by(self, packet: rtp.Packet) -> None:
        """Before a packet goes out, also one that comes late. Sets its `older`."""
        older: list[Block] = []
        for back in range(1, self.DEPTH + 1):
            index, timestamp, payload = self._last[(packet.index - back) % self._SIZE]
            offset = (packet.timestamp - timestamp) & 0xFFFFFFFF
            if index != packet.index - back or not 0 < offset <= MAX_OFFSET or not 0 < len(payload) <= MAX_LENGTH:
                break  # they stand next to each other, or receivers would count wrong
            older.insert(0, Block(back, offset, payload))
        packet.older = tuple(older)
        self._last[packet.index % self._SIZE] = packet.index, packet.timestamp, packet.payload


class Need:
    """Whether a viewer's line loses so much that redundancy pays: it doubles what sound takes.

    A viewer whose sound is repaired by NACK reports no loss of it, so what it asks for again is what is counted. On a
    clean line nothing is asked for; and where the jitter buffer is shorter than a round trip, which it is wherever
    people talk with each other, an answered NACK comes too late, however little is lost.
    """

    LOSS = 0.005  # share of packets
    LEAST = 2.5  # packets lost of those that count, so that two in a while are none
    MEMORY = 0.9  # of what was counted a second ago: the last ten seconds count
    CALM = 30.0  # seconds with less loss than that, before it ends

    __slots__ = ("_counted", "_ends", "_lost", "_remains", "_sent")

    def __init__(self, remains: float = 1.0) -> None:
        """`remains`: the share of losses that is still counted once redundancy is there."""
        self._remains = remains
        self._counted: tuple[int, int] | None = None  # sent and lost by the last look
        self._sent = 0.0
        self._lost = 0.0
        self._ends = float("-inf")

    def look(self, sent: int, lost: int, now: float) -> bool:
        """Once a second: whether it is needed, given how many packets were sent and asked for again so far."""
        before = self._counted or (sent, lost)
        # A packet that is only late counts as lost for a while: the same loss must not be counted twice.
        self._counted = sent, max(lost, before[1])
        self._sent = self._sent * self.MEMORY + max(0, sent - before[0])
        self._lost = self._lost * self.MEMORY + max(0, lost - before[1])
        share = self._remains if now < self._ends else 1.0
        if self._lost >= self.LEAST * share and self._lost > self.LOSS * self._sent * share:
            self._ends = now + self.CALM
        return now < self._ends


def undo(packet: rtp.Packet, payload_type: int) -> list[Block] | None:
    """Make the packet plain, of `payload_type`, in place; what it carried besides, the oldest first.

    None if it is no such packet; then it is as it was. One without payload is: Chromium pads a path with these to find
    out what it carries, and counts them as it counts sound.
    """
    data, at, end = packet.data, packet.start, packet.end
    if at == end:
        packet.payload_type = payload_type
        return []
    heads: list[tuple[int, int, int]] = []  # payload type, offset, length
    while at < end and data[at] & 0x80:
        if at + 4 > end or len(heads) == MAX_BLOCKS:
            return None
        word = int.from_bytes(data[at : at + 4], "big")
        heads.append((word >> 24 & 0x7F, word >> 10 & 0x3FFF, word & 0x3FF))
        at += 4
    if at >= end or data[at] != payload_type:
        return None
    at += 1
    if at + sum(length for _, _, length in heads) > end:
        return None
    blocks = []
    for before, (kind, offset, length) in enumerate(heads):
        if kind == payload_type and length and offset:
            blocks.append(Block(len(heads) - before, offset, data[at : at + length]))
        at += length
    packet.start = at
    packet.payload_type = payload_type
    return blocks


def carried(packet: rtp.Packet, block: Block) -> rtp.Packet:
    """The packet that `block` was, as if it had come by itself.

    Its header extensions are lost: it gets those of the packet that carries it, whose loudness is 20 ms newer.
    """
    head = rtp.HEADER.pack(
        0x80,
        packet.payload_type,
        (packet.sequence - block.back) & 0xFFFF,
        (packet.timestamp - block.offset) & 0xFFFFFFFF,
        packet.ssrc,
    )
    return rtp.Packet(head + block.payload, rtp.HEADER.size, rtp.HEADER.size + len(block.payload), packet.extensions)


def make(payload: bytes, payload_type: int, older: Sequence[Block]) -> bytes:
    """The payload of a packet that carries `older` ones too, the oldest first, all of `payload_type`."""
    heads = [(0x80 | payload_type) << 24 | block.offset << 10 | len(block.payload) for block in older]
    return b"".join(
        (
            *(head.to_bytes(4, "big") for head in heads),
            bytes((payload_type,)),
            *(block.payload for block in older),
            payload,
        )
    )
