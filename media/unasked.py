"""Losses that a viewer reports and never asks for, because its NACKs were lost as well.

A browser asks ten times for a packet, a round trip apart (libwebrtc), and then no more; only three seconds after its
picture has stopped does it ask for a key frame. Where losses come in bursts all ten may be lost: few packets go that
way, so a burst of ten lasts most of a second there. Its receiver reports, ten a second, say all the same *how many*
packets of which stretch are missing. If it has asked for fewer, the rest of that stretch is sent again unasked.

Only for pictures, which are repaired through RTX: what is sent again as it was counts as received in reports.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

ROUND_TRIPS = 2.5  # that NACKs get to arrive after the report: two tries
MOMENT = 0.05  # seconds beside them, for a browser's own timers
MOST = 100  # packets sent again unasked; for a longer stretch a key frame is cheaper
REMEMBERED = 1024  # packets asked for
LONGEST = 1024  # packets of one stretch: six seconds of a camera; browsers report every second at the latest
MOST_STRETCHES = 32  # that wait; a browser reports ten times a second at most


@dataclass(slots=True)
class _Stretch:
    first: int  # extended sequence numbers, as reported
    last: int
    lost: int
    reported: float


@dataclass(frozen=True, slots=True)
class Unasked:
    """What is missing and was not asked for: these 16-bit numbers contain it; empty when they would be too many."""

    sequences: tuple[int, ...]


class ReportedLosses:
    """Of one slot. Times are seconds, monotonic."""

    __slots__ = ("_asked", "_highest", "_lost", "_stretches")

    def __init__(self) -> None:
        self._asked: dict[int, None] = {}  # 16-bit, in order of the first asking
        self._highest: int | None = None
        self._lost = 0
        self._stretches: deque[_Stretch] = deque(maxlen=MOST_STRETCHES)

    def asked(self, sequences: tuple[int, ...]) -> None:
        """A NACK has come."""
        for sequence in sequences[-REMEMBERED:]:
            self._asked[sequence] = None
        if len(self._asked) > 2 * REMEMBERED:  # at once: a dictionary's first entry is the dearer the more went before
            self._asked = dict.fromkeys(list(self._asked)[-REMEMBERED:])

    def reported(self, highest: int, lost: int, now: float) -> None:
        """A report block: the extended highest number and all losses so far."""
        before, self._highest = self._highest, highest
        missing, self._lost = lost - self._lost, lost
        if before is None or missing <= 0 or not 0 < highest - before <= LONGEST:
            return
        self._stretches.append(_Stretch(before + 1, highest, missing, now))

    def due(self, now: float, rtt: float) -> Unasked | None:
        """What is to be sent again now, if anything; `rtt` in seconds. Call it with every report."""
        while self._stretches and now - self._stretches[0].reported >= ROUND_TRIPS * rtt + MOMENT:
            it = self._stretches.popleft()
            rest = [number & 0xFFFF for number in range(it.first, it.last + 1) if number & 0xFFFF not in self._asked]
            if it.last - it.first + 1 - len(rest) < it.lost:
                return Unasked(tuple(rest) if len(rest) <= MOST else ())
        return None
