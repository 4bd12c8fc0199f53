"""Tickets for phones: a page shows one as a QR code, and the first phone that brings it is let in.

Kept in memory alone: after a restart the page shows another. Good for minutes, because it hangs on a wall.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass

LIFE = 600.0  # seconds
MAX_TICKETS = 5000  # of all lessons; the oldest makes room


@dataclass(frozen=True, slots=True)
class Ticket:
    lesson_id: str
    owner_id: str  # the participant the phone will belong to: a class, or a teacher
    good_until: float


class Tickets:
    """Time is an argument, seconds of any clock that does not go back."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Ticket] = OrderedDict()

    def issue(self, lesson_id: str, owner_id: str, now: float) -> str:
        """A new ticket of this class or teacher; the one before it is good no more."""
        for old in [key for key, one in self._open.items() if (one.lesson_id, one.owner_id) == (lesson_id, owner_id)]:
            del self._open[old]
        while len(self._open) >= MAX_TICKETS:
            self._open.popitem(last=False)
        key = secrets.token_urlsafe(18)
        self._open[key] = Ticket(lesson_id, owner_id, now + LIFE)
        return key

    def redeem(self, key: str, now: float) -> Ticket | None:
        """What a ticket is for, once; None if it was never issued, was used, or is too old."""
        ticket = self._open.pop(key, None)
        return ticket if ticket is not None and now < ticket.good_until else None
