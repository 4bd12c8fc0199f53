"""Losses that asking does not mend: a packet of a picture that a viewer asks for again and again.

On a line that has just become narrow the repetitions are lost as well, or come too late. Browsers go on asking ten
times and then wait: Chromium says after three seconds only that it needs a key frame (measured: 3.1 to 3.8 s without a
picture). So whoever still asks for a packet when it should long have come gets a key frame.
"""

from __future__ import annotations

from collections.abc import Iterable

MENDED = 0.3  # seconds in which a repetition has come, on most lines
ROUND_TRIPS = 2.5  # … and on slow ones: the second try has come
FORGOTTEN = 2.0  # seconds
MOST = 500  # numbers remembered; who loses more has other troubles, or makes them


class Overdue:
    """What one viewer has asked for of one stream. Times are monotonic seconds."""

    __slots__ = ("_first",)

    def __init__(self) -> None:
        self._first: dict[int, float] = {}  # sequence number -> when it was first asked for

    def asked(self, sequences: Iterable[int], round_trip: float, now: float) -> bool:
        """True if one of them is beyond hope: then everything is forgotten, as a key frame makes it pointless."""
        first = self._first
        if len(first) > MOST:
            first.clear()
        for sequence in [each for each, at in first.items() if now - at > FORGOTTEN]:
            del first[sequence]
        patience = max(MENDED, ROUND_TRIPS * round_trip)
        if any(now - first.setdefault(sequence, now) > patience for sequence in sequences):
            first.clear()
            return True
        return False
