"""A publisher's wall clock seen from ours: what its sender reports say, and the least delay they ever came with.

Browsers' clocks are wrong by anything, but all tracks of one browser share one. Viewers get sender reports in our time,
so that a slot may change from one publisher to another and sound and picture stay together.
"""

from __future__ import annotations

from media import ntp
from media.rtcp import SenderReport

WINDOW = 60.0  # seconds; a crystal is off by 6 ms in this time at most


class SenderClock:
    """The offset of one publisher's clock, shared by its tracks. Times are seconds since 1970."""

    __slots__ = ("_current", "_former", "_started", "offset")

    def __init__(self) -> None:
        self.offset = 0.0  # add it to the publisher's time to have ours, late by the shortest way between us
        self._current: float | None = None  # the least of this window
        self._former: float | None = None  # and of the one before
        self._started = 0.0

    def observe(self, report: SenderReport, wall: float) -> float:
        """Take a sender report that came at `wall`; returns when it was sent, in our time."""
        theirs = ntp.to_wall(report.ntp)
        seen = wall - theirs
        if self._current is None or wall - self._started >= WINDOW:
            self._former, self._current, self._started = self._current, seen, wall
        else:
            self._current = min(self._current, seen)
        self.offset = self._current if self._former is None else min(self._current, self._former)
        return theirs + self.offset
