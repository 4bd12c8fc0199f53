"""On which media worker a lesson begins, and on which its viewers are served: pure decisions.

A lesson stays on one worker, its home, until that one has enough to do: then whoever comes next is served by another,
which pulls each track once from home. That costs as much as one more viewer, so lessons are not spread before they need
it. Publishers stay at home: what they send is little, and the recorder gets it there.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

# A worker forwards some 120 000 packets a second before its core is busy all the time, and long before that the last
# of many viewers waits for the first ones. A viewer of one camera and one microphone takes 200 a second.
VIEWERS = 250
PACKETS = 50_000.0  # a second
LESSON = 10  # viewers a lesson is good for: ten rooms opened before the first bell shall not all be on one worker


@dataclass(frozen=True, slots=True)
class Load:
    """What one worker has to do."""

    lessons: int  # whose home it is
    viewers: int  # receiving transports of all lessons, those about to come included
    packets: float  # forwarded per second, as last measured

    def of(self, viewers: int) -> float:
        """As a share of what a worker should do: `viewers`, or so many packets; 1 is enough."""
        return max(self.viewers / viewers, self.packets / PACKETS)


def home(loads: Mapping[int, Load], viewers: int = VIEWERS, parts: Set[int] = frozenset()) -> int:
    """The worker where a lesson begins, or goes on when its home has died; `loads` has one at least, by worker.

    Workers that serve viewers of it already, `parts`, come first, however full they are: publishers cost little, and
    those who watch there have them without a relay.
    """
    near = [number for number in loads if number in parts]
    return min(
        near or loads, key=lambda number: (loads[number].of(viewers) + loads[number].lessons * LESSON / viewers, number)
    )


def viewer(loads: Mapping[int, Load], home: int, parts: Set[int], viewers: int = VIEWERS) -> int:
    """The worker for one more viewer of a lesson at `home` that others, `parts`, serve already."""

    def load(number: int) -> float:
        return loads[number].of(viewers)

    def rank(number: int) -> tuple[bool, int, float, int]:
        full = load(number) >= 1
        distance = 0 if number == home else 1 if number in parts else 2
        return full, 0 if full else distance, load(number), number

    return min(loads, key=rank)
