"""How long lessons are kept: deleted once they are older than their kind is kept for, by a task that looks once a day.

A lesson with `keep` set stays, whatever its age. Without rules nothing is ever deleted for its age.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError

from server.audit.trail import SERVER
from server.database import now
from server.lessons.deletion import Deletions, LessonLiveError
from server.lessons.retention_rule import RetentionRule, kinds_by_days
from server.lessons.store import Lessons, LessonUnknownError

FIRST = 300.0  # seconds after a start until the first look: a node that starts has other things to do
EVERY = 24 * 3600.0  # seconds between looks
AT_ONCE = 100  # lessons of one question to the database

_log = logging.getLogger("tongke.retention")


class Retention:
    def __init__(self, rules: Sequence[RetentionRule], lessons: Lessons, deletions: Deletions) -> None:
        self._kinds = kinds_by_days(rules)
        self._lessons = lessons
        self._deletions = deletions

    async def run(self) -> None:
        """Look once a day, until cancelled."""
        if not self._kinds:
            return
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
        deleted = 0
        for days, kinds in self._kinds.items():
            found = None
            while found is None or found == AT_ONCE:
                old = await self._lessons.older_than(moment - timedelta(days=days), kinds, AT_ONCE)
                found = 0
                for lesson in old:
                    try:
                        await self._deletions.delete(lesson, SERVER, f"older than {days} days")
                        found += 1
                    except (LessonLiveError, LessonUnknownError):
                        continue  # its recording is not closed, or somebody deleted it: not today
                deleted += found
        if deleted:
            _log.info("%d old lessons are deleted", deleted)
        return deleted
