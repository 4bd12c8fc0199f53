"""What a viewer on a lossy line asked for in vain: it has fallen silent, and we send again without being asked.

Few packets go from a viewer to us, so where losses come in bursts, one of a few packets lasts there for several tenths
of a second, and every NACK of that time is lost. A browser reports about ten times a second (libwebrtc, and Firefox,
which has it inside), so we notice before its jitter buffer of 400 ms has run out. Then what it would have asked for
by now goes out again, each packet once, until it is heard or has been silent for so long that its line is gone.
"""

from __future__ import annotations

from collections import deque

SILENT = 0.2  # seconds without a report: two in a row are lost, or late
GONE = 1.2  # seconds; longer than that we keep no packet
ANSWERED = 0.04  # seconds beside a round trip until what was lost has been asked for and sent, as a rule
LOSSY = 30.0  # seconds that a line counts as lossy after the last loss
_KEPT = 2.0  # seconds


class Silence:
    """Of one viewer's slot. Numbers are the 16-bit ones that the viewer knows; times are monotonic seconds."""

    __slots__ = ("_marks", "_next")

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()  # when the highest number sent was this one
        self._next: int | None = None  # what goes out again next, while the viewer is silent

    def due(self, highest: int, heard: float, rtt: float, now: float) -> tuple[int, ...]:
        """What is to be sent again now. Call it every 20 ms with the `highest` number sent and when it was `heard`."""
        marks = self._marks
        marks.append((now, highest))
        while now - marks[0][0] > _KEPT:
            marks.popleft()
        if not SILENT < now - heard < GONE:
            self._next = None
            return ()
        # What was sent a round trip before the last report may have been asked for after it.
        first = self._next if self._next is not None else self._at(heard - rtt)
        last = self._at(now - rtt - ANSWERED)
        if first is None or last is None or (last - first) & 0xFFFF >= 0x8000:
            return ()
        self._next = last
        return tuple((first + 1 + n) & 0xFFFF for n in range((last - first) & 0xFFFF))

    def _at(self, time: float) -> int | None:
        """The highest number that had been sent by then."""
        found = None
        for at, number in self._marks:
            if at > time:
                break
            found = number
        return found
