"""Deleting lessons: everything everywhere, with a line in the audit trail.

First the lesson is marked as deleted, together with its audit entry: from then on it is unknown to everybody. Then its
jobs, room log, files and records are taken away, in that order, each step harmless when done twice. What cannot be done
now (a store that does not answer) or was cut short by a kill is tried again, the record with the mark going last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from sqlalchemy.exc import DBAPIError

from recorder.places.place import PlaceError
from server.audit.trail import Actor, entry
from server.database import now
from server.jobs.ledger import JobsUnavailableError
from server.lessons.kinds import RecordingWord
from server.lessons.model import Lesson
from server.lessons.store import Lessons, LessonUnknownError
from signaling.live import LiveRoom

AGAIN = 60.0  # seconds between attempts to take away what is left

_log = logging.getLogger("tongke.deletion")


class LessonLiveError(Exception):
    """The lesson is live, or its recording is not closed yet."""


class OpenRooms(Protocol):
    """What is needed of signaling's Rooms."""

    def find(self, lesson_id: str) -> LiveRoom | None: ...

    async def end(self, lesson_id: str) -> bool: ...


class RoomLogs(Protocol):
    """What is needed of signaling's Bus."""

    async def remove(self, lesson_id: str) -> None: ...


class Archive(Protocol):
    """What is needed of the archive's Recordings."""

    def word(self, lesson_id: str) -> RecordingWord: ...

    def forget(self, lesson_id: str) -> None: ...


class Files(Protocol):
    """What is needed of a Place."""

    def delete(self, lesson_id: str) -> None: ...


class JobList(Protocol):
    """What is needed of Jobs."""

    async def forget(self, lesson_id: str) -> None: ...


class Deletions:
    """`being_recorded` says whether the recorder still has to do with a lesson; `beside` is kept beside its archive."""

    def __init__(
        self,
        lessons: Lessons,
        *,
        rooms: OpenRooms,
        logs: RoomLogs,
        archive: Archive,
        files: Files,
        beside: Sequence[Files] = (),
        jobs: JobList,
        being_recorded: Callable[[str], bool],
    ) -> None:
        self._lessons = lessons
        self._rooms = rooms
        self._logs = logs
        self._archive = archive
        self._files = files
        self._beside = beside
        self._jobs = jobs
        self._being_recorded = being_recorded
        self._gone: set[str] = set()  # marked, and not taken away yet
        self._turn = asyncio.Lock()

    def is_gone(self, lesson_id: str) -> bool:
        """Whether the lesson is deleted although some of its files may still be there."""
        return lesson_id in self._gone

    async def start(self) -> None:
        """Know what a former process left half done. To be called before rooms come back from their logs."""
        self._gone.update(await self._lessons.deleted())
        for lesson_id in self._gone:
            await self._logs.remove(lesson_id)

    async def run(self) -> None:
        """Take away what is left, until cancelled."""
        while True:
            for lesson_id in sorted(self._gone):
                await self._take_away(lesson_id)
            await asyncio.sleep(AGAIN)

    async def delete(self, lesson: Lesson, actor: Actor, detail: str = "") -> None:
        """Delete a lesson that is not live. Raises LessonLiveError, and LessonUnknownError if it is deleted already."""
        if await asyncio.to_thread(self._archive.word, lesson.id) == "recording" or self._being_recorded(lesson.id):
            raise LessonLiveError(lesson.id)
        room = self._rooms.find(lesson.id)  # not before we waited: it may have begun meanwhile
        if lesson.status == "live" or (room is not None and room.room.state.started_ms is not None):
            raise LessonLiveError(lesson.id)
        if lesson.status != "ended":  # whoever waits in it for its beginning is sent home
            await self._rooms.end(lesson.id)
            await self._lessons.ended(lesson.id, now())
        if not await self._lessons.mark_deleted(lesson.id, entry(actor, "deleted", lesson.id, lesson.title, detail)):
            raise LessonUnknownError(lesson.id)
        _log.info("a lesson is deleted", extra={"lesson_id": lesson.id, "by": actor.role})
        self._gone.add(lesson.id)
        await self._take_away(lesson.id)

    async def _take_away(self, lesson_id: str) -> None:
        """All of a marked lesson; what fails is left for later."""
        async with self._turn:
            if lesson_id not in self._gone:
                return
            steps: list[Callable[[], Awaitable[None]]] = [
                lambda: self._jobs.forget(lesson_id),
                lambda: self._logs.remove(lesson_id),
                lambda: asyncio.to_thread(self._files.delete, lesson_id),
            ]
            steps += [partial(asyncio.to_thread, one.delete, lesson_id) for one in self._beside]
            done = [await self._try(lesson_id, step) for step in steps]
            self._archive.forget(lesson_id)
            # Its record goes last, because the mark is in it.
            if all(done) and await self._try(lesson_id, lambda: self._lessons.remove(lesson_id)):
                self._gone.discard(lesson_id)

    async def _try(self, lesson_id: str, step: Callable[[], Awaitable[None]]) -> bool:
        try:
            await step()
        except (JobsUnavailableError, PlaceError, DBAPIError, OSError) as error:
            reason = getattr(error, "orig", error)
            _log.warning("a deleted lesson is not taken away yet: %s", reason, extra={"lesson_id": lesson_id})
            return False
        except Exception:
            _log.exception("a deleted lesson is not taken away", extra={"lesson_id": lesson_id})
            return False
        return True
