"""How many classes a lesson lets in at once whose code may have been guessed.

What is guessed wrong is nobody's code, and is counted by address (tries.py). What is guessed right is some lesson's: a
code that comes from an address that was wrong within the hour, or while codes are being tried from everywhere, is
doubtful. A lesson lets in a few such classes an hour, for people do mistype, and has any more wait at its door until a
teacher lets them in. So no number of guessers gets far in a lesson, and no class is kept out of one.
"""

from __future__ import annotations

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

PER_HOUR = 20  # of one lesson


class Doubts:
    def __init__(self, per_hour: int = PER_HOUR) -> None:
        self._limit = RateLimitItemPerHour(per_hour)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def overlooked(self, lesson_id: str) -> bool:
        """Whether the lesson overlooks this one too; it is counted."""
        return self._limiter.hit(self._limit, lesson_id)
