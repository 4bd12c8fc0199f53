"""Between rooms and the database: what rooms may know of a lesson, and what the database learns from its room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import cast

from server.database import now
from server.lessons.store import Lessons, LessonUnknownError
from signaling.events import Event, Started
from signaling.observers import LessonInfo, LessonStatus, LivePublication, MediaWorker

_log = logging.getLogger("tongke.lessons")


class Directory:
    """Signaling's LessonDirectory over the database."""

    def __init__(self, lessons: Lessons) -> None:
        self._lessons = lessons

    async def find(self, lesson_id: str) -> LessonInfo | None:
        try:
            lesson = await self._lessons.get(lesson_id)
        except LessonUnknownError:
            return None
        return LessonInfo(lesson.id, lesson.title, cast(LessonStatus, lesson.status), lesson.epoch_us)


class Lifecycle:
    """A RoomObserver that keeps a lesson's status: scheduled until `started`, live until the room ends, then ended.

    Changes are written one after another by one task, so that a room never waits for the database.
    """

    def __init__(self, lessons: Lessons) -> None:
        self._lessons = lessons
        self._changes: asyncio.Queue[Awaitable[None]] = asyncio.Queue()
        self._epochs: dict[str, int] = {}

    async def run(self) -> None:
        """Write the changes, until cancelled."""
        while True:
            change = await self._changes.get()
            try:
                await change
            except Exception:
                _log.exception("a lesson's status could not be written")
            finally:
                self._changes.task_done()

    def room_opened(self, lesson_id: str, epoch_us: int, title: str) -> None:
        self._epochs[lesson_id] = epoch_us
        self._changes.put_nowait(self._lessons.opened(lesson_id, epoch_us))

    def event_stored(self, lesson_id: str, event: Event) -> None:
        if isinstance(event.payload, Started):
            micros = self._epochs[lesson_id] + event.at_ms * 1000
            self._changes.put_nowait(self._lessons.started(lesson_id, datetime.fromtimestamp(micros / 1e6, UTC)))

    def publication_added(self, lesson_id: str, publication: LivePublication, worker: MediaWorker) -> None:
        pass

    def publication_removed(self, lesson_id: str, publication_id: str, worker: MediaWorker) -> None:
        pass

    async def room_ended(self, lesson_id: str) -> None:
        await self._changes.join()
        await self._lessons.ended(lesson_id, now())
        self._epochs.pop(lesson_id, None)
