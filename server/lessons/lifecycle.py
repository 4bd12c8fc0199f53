"""Between rooms and the database: what rooms may know of a lesson, and what the database learns from its room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import cast

from sqlalchemy.exc import DBAPIError

from server.database import now
from server.lessons.store import Lessons, LessonUnknownError
from signaling.events import Event, RecordingPolicy, Started
from signaling.observers import LessonInfo, LessonStatus, LivePublication, MediaWorker

RETRY = 2.0  # seconds between attempts to write to a database that refuses
PATIENCE = 5.0  # seconds an ended room waits for the database

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
        return LessonInfo(
            lesson.id,
            lesson.title,
            cast(LessonStatus, lesson.status),
            lesson.epoch_us,
            cast(RecordingPolicy, lesson.recording_policy),
        )


class Lifecycle:
    """A RoomObserver that keeps a lesson's status: scheduled until `started`, live until the room ends, then ended.

    Changes are written one after another by one task, so that a room never waits for the database. While that cannot
    be written (it is away, or its disk is full) they wait.
    """

    def __init__(self, lessons: Lessons) -> None:
        self._lessons = lessons
        self._changes: asyncio.Queue[tuple[Callable[[], Awaitable[None]], asyncio.Event]] = asyncio.Queue()
        self._epochs: dict[str, int] = {}

    async def run(self) -> None:
        """Write the changes, until cancelled."""
        while True:
            change, written = await self._changes.get()
            await self._write(change)
            written.set()

    def room_opened(self, lesson_id: str, epoch_us: int, title: str, policy: RecordingPolicy) -> None:
        self._epochs[lesson_id] = epoch_us
        self._later(partial(self._lessons.opened, lesson_id, epoch_us))

    def event_stored(self, lesson_id: str, event: Event) -> None:
        if isinstance(event.payload, Started):
            micros = self._epochs[lesson_id] + event.at_ms * 1000
            self._later(partial(self._lessons.started, lesson_id, datetime.fromtimestamp(micros / 1e6, UTC)))

    def publication_added(self, lesson_id: str, publication: LivePublication, worker: MediaWorker) -> None:
        pass

    def publication_removed(self, lesson_id: str, publication_id: str, worker: MediaWorker) -> None:
        pass

    async def room_ended(self, lesson_id: str) -> None:
        self._epochs.pop(lesson_id, None)
        written = self._later(partial(self._lessons.ended, lesson_id, now()))
        async with asyncio.timeout(PATIENCE):
            await written.wait()

    def _later(self, change: Callable[[], Awaitable[None]]) -> asyncio.Event:
        written = asyncio.Event()
        self._changes.put_nowait((change, written))
        return written

    async def _write(self, change: Callable[[], Awaitable[None]]) -> None:
        told = False
        while True:
            try:
                await change()
                return
            except (DBAPIError, OSError) as error:
                if not told:
                    _log.error("the status of a lesson cannot be written yet: %s", getattr(error, "orig", error))
                told = True
                await asyncio.sleep(RETRY)
            except Exception:
                _log.exception("the status of a lesson could not be written")
                return
