"""Packets back into the order they were sent in. It may wait seconds for a missing one: nobody watches this live.

The worker asks the publisher for missing packets for 3 s while recording; so long we wait. In order, a packet passes
without being stored: the track looks at `expected` itself, which saves a call and a tuple for nearly every packet.
"""

from __future__ import annotations

from typing import NamedTuple

PATIENCE_US = 3_000_000
CAPACITY = 4096  # packets waiting; at 1.5 Mb/s this is over 20 s


class Packet(NamedTuple):
    arrival_us: int
    sequence: int
    timestamp: int
    marker: bool
    payload: bytes
    level: int  # of sound, as RFC 6464 has it


class Reorder:
    """`None` in what it gives stands for packets that never came."""

    __slots__ = ("_astray", "_held", "expected", "since_us", "waiting")

    def __init__(self, expected: int) -> None:
        self.expected = expected  # the sequence number that comes next
        self.waiting = False  # for `expected`, while others are held
        self.since_us = 0  # when the wait began
        self._held: dict[int, Packet] = {}
        self._astray = -1  # the number after that of the last packet that was much too late

    def push(self, packet: Packet) -> list[Packet | None]:
        """Take a packet; gives what can pass now, in order."""
        ahead = (packet.sequence - self.expected) & 0xFFFF
        if ahead >= 0x8000 and ahead <= 0x10000 - CAPACITY and not self._held:
            # Nothing is so late. A second one in order says that the numbers have begun anew, or gone round.
            if packet.sequence == self._astray:
                self.expected = packet.sequence + 1 & 0xFFFF
                return [None, packet]
            self._astray = packet.sequence + 1 & 0xFFFF
            return []
        if ahead >= 0x8000 or packet.sequence in self._held:
            return []  # too late, or a repetition
        if not self.waiting and ahead:
            self.waiting = True
            self.since_us = packet.arrival_us
        self._held[packet.sequence] = packet
        passed: list[Packet | None] = []
        self._release(packet.arrival_us, passed)
        if self.waiting and len(self._held) > CAPACITY:
            self._skip(packet.arrival_us, passed)
        return passed + self.give_up(packet.arrival_us)

    def give_up(self, now_us: int, patience_us: int = PATIENCE_US) -> list[Packet | None]:
        """What passes because the wait for a missing packet is over."""
        passed: list[Packet | None] = []
        while self.waiting and now_us - self.since_us >= patience_us:
            self._skip(now_us, passed)
        return passed

    def _skip(self, now_us: int, passed: list[Packet | None]) -> None:
        passed.append(None)
        self.expected = min(self._held, key=lambda sequence: (sequence - self.expected) & 0xFFFF)
        self._release(now_us, passed)

    def _release(self, now_us: int, passed: list[Packet | None]) -> None:
        held = self._held
        while (packet := held.pop(self.expected, None)) is not None:
            passed.append(packet)
            self.expected = (self.expected + 1) & 0xFFFF
        self.waiting = bool(held)
        if held and passed and passed[-1] is not None:
            # Another hole, which opened when the packet behind it came.
            self.since_us = min(packet.arrival_us for packet in held.values())
