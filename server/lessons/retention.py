"""How long lessons are kept: deleted once they are older than their kind is kept for, by a task that looks once a day.

A lesson with `keep` set stays, whatever its age. Without rules no lesson is ever deleted for its age, but a rehearsal,
which has no recording and is shown to nobody any more, goes after a day.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError

from server.audit.trail import SERVER
from server.database import now
from server.lessons.deletion import Deletions, LessonLiveError
from server.lessons.model import Lesson
from server.lessons.retention_rule import RetentionRule, kinds_by_days
from server.lessons.store import Lessons, LessonUnknownError

FIRST = 300.0  # seconds after a start until the first look: a node that starts has other things to do
EVERY = 24 * 3600.0  # seconds between looks
REHEARSED = timedelta(days=1)  # after which a rehearsal is forgotten
AT_ONCE = 100  # lessons of one question to the database

_log = logging.getLogger("tongke.retention")


class Retention:
    def __init__(self, rules: Sequence[RetentionRule], lessons: Lessons, deletions: Deletions) -> None:
        self._kinds = kinds_by_days(rules)
        self._lessons = lessons
        self._deletions = deletions

    async def run(self) -> None:
        """Look once a day, until cancelled."""
        await asyncio.sleep(FIRST)
        while True:
            try:
                await self.sweep(now())
            except (DBAPIError, OSError) as error:
                _log.warning("old lessons are deleted tomorrow: %s", getattr(error, "orig", error))
            except Exception:
                _log.exception("old lessons could not be deleted")
            await asyncio.sleep(EVERY)

    async def sweep(self, moment: datetime) -> int:
        """Delete what is too old at this moment; gives how many lessons that were."""
        deleted = await self._delete_all(
            lambda: self._lessons.rehearsed(moment - REHEARSED, AT_ONCE), "a rehearsal that is over"
        )
        for days, kinds in self._kinds.items():
            limit = moment - timedelta(days=days)
            deleted += await self._delete_all(
                functools.partial(self._lessons.older_than, limit, kinds, AT_ONCE), f"older than {days} days"
            )
        if deleted:
            _log.info("%d old lessons are deleted", deleted)
        return deleted

    async def _delete_all(self, find: Callable[[], Awaitable[Sequence[Lesson]]], reason: str) -> int:
        """What `find` finds, until it finds nothing that could be deleted."""
        deleted, found = 0, AT_ONCE
        while found == AT_ONCE:
            found = 0
            for lesson in await find():
                try:
                    await self._deletions.delete(lesson, SERVER, reason)
                    found += 1
                except (LessonLiveError, LessonUnknownError):
                    continue  # its recording is not closed, or somebody deleted it: not today
            deleted += found
        return deleted
