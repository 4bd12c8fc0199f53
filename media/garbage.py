"""Cyclic garbage, collected when it holds up nobody.

CPython's collector stops everything and looks at every object it knows, and a worker that keeps the last second of many
streams has hundreds of thousands of them: with 40 lessons one full collection took 630 ms, and forwarding stood still
meanwhile. So it runs only when told: often over what is new, which is little, and over everything when no browser is
there, or when so many have come and gone that what they left behind may matter. What is not in a cycle is freed at
once, as always.
"""

from __future__ import annotations

import gc

SETTLED = 1.0  # seconds between putting aside what has survived, so that it is not looked at again
MOST_GONE = 2000  # transports that may leave before everything is looked at while others are there
LONGEST = 12 * 3600.0  # seconds without a full collection


class Garbage:
    """Takes the collector over. Times are seconds, monotonic."""

    def __init__(self, now: float) -> None:
        gc.disable()
        self._transports = 0
        self._gone = 0
        self._looked_at = self._settled_at = now
        self._everything(now)

    def tick(self, now: float, transports: int) -> None:
        """Often, when what came has been forwarded; `transports` is how many there are."""
        self._gone += max(0, self._transports - transports)
        self._transports = transports
        if (self._gone and not transports) or self._gone >= MOST_GONE or now - self._looked_at >= LONGEST:
            self._everything(now)
            return
        gc.collect(0)
        if now - self._settled_at >= SETTLED:
            gc.freeze()  # only moves a list: takes no time
            self._settled_at = now

    def close(self) -> None:
        """Give it back."""
        gc.unfreeze()
        gc.enable()

    def _everything(self, now: float) -> None:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._gone = 0
        self._looked_at = self._settled_at = now
