"""What happens in one room on its way: into the log first, then to everyone, in order.

Whatever is to be said between two events stands between them here, so that nobody hears of what is not stored yet.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from signaling.bus import Bus, Entry, events_of
from signaling.events import Event

log = logging.getLogger(__name__)


class RoomLog:
    """`entries` is what the bus has already; `deliver` is called with each event once it is stored."""

    def __init__(self, lesson_id: str, bus: Bus, entries: Sequence[Entry], deliver: Callable[[Event], None]) -> None:
        self.events = events_of(entries)  # all, by seq - 1, those included that are not stored yet
        self._lesson_id = lesson_id
        self._bus = bus
        self._deliver = deliver
        self._stored = len(self.events)
        self._pending: list[Entry | Callable[[], None]] = []
        self._news = asyncio.Event()
        self._finished = False

    def add(self, entries: Sequence[Entry]) -> None:
        """Store these, then deliver the events among them."""
        self.events += events_of(entries)
        self._pending += entries
        self._news.set()

    def then(self, call: Callable[[], None]) -> None:
        """Call it once everything that was added before is stored and delivered."""
        self._pending.append(call)
        self._news.set()

    def stored(self, after: int) -> list[Event]:
        """The stored events with a greater `seq`."""
        return self.events[after : self._stored]

    def finish(self) -> None:
        """Let `write` return when nothing is pending any more."""
        self._finished = True
        self._news.set()

    async def write(self) -> None:
        """Store and deliver until finished."""
        while True:
            if not self._pending:
                if self._finished:
                    return
                self._news.clear()
                await self._news.wait()
            pending, self._pending = self._pending, []
            entries = [item for item in pending if not callable(item)]
            if entries:
                await self._bus.append(self._lesson_id, entries)
            for item in pending:
                try:
                    if callable(item):
                        item()
                    elif isinstance(item, Event):
                        self._stored = item.seq
                        self._deliver(item)
                except Exception:  # a bug in what is told to one must not end the lesson of all
                    log.exception("lesson %s: something was not told", self._lesson_id)
