"""The consent of classes in the database: given in a lesson, it holds for every lesson until the end of the term."""

from __future__ import annotations

import asyncio
import logging
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.database import now
from server.schools.model import ClassConsent
from server.schools.terms import end_of_term

RETRY = 2.0  # seconds between attempts to write to a database that refuses

_log = logging.getLogger("tongke.schools")


class Consents:
    """Signaling's ConsentBook. What rooms say is written by one task, so that no room waits for the database."""

    def __init__(self, sessions: async_sessionmaker[Any]) -> None:
        self._sessions = sessions
        self._said: dict[str, tuple[str, bool, datetime]] = {}  # by class: what it said last and is not written yet
        self._news = asyncio.Event()

    async def holds(self, class_group_id: str) -> bool:
        """Whether this class lets itself be recorded now."""
        wanted = select(ClassConsent.id).where(_in_force(class_group_id, now())).limit(1)
        async with self._sessions() as session:
            return await session.scalar(wanted) is not None

    async def until(self) -> dict[str, datetime]:
        """Until when each class that does so lets itself be recorded."""
        wanted = select(ClassConsent.class_group_id, ClassConsent.until).where(
            ClassConsent.withdrawn_at.is_(None), ClassConsent.until > now()
        )
        async with self._sessions() as session:
            return {row[0]: row[1] for row in await session.execute(wanted)}

    def said(self, lesson_id: str, class_group_id: str, given: bool) -> None:
        """A class said so in its lesson just now."""
        self._said[class_group_id] = (lesson_id, given, now())
        self._news.set()

    async def run(self) -> None:
        """Write what was said, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._said:
                class_group_id = next(iter(self._said))
                lesson_id, given, at = self._said.pop(class_group_id)
                await self._write(lesson_id, class_group_id, given, at)

    async def give(self, lesson_id: str | None, class_group_id: str, at: datetime) -> None:
        """From now until the end of the term."""
        async with self._sessions.begin() as session:
            if await session.scalar(select(ClassConsent.id).where(_in_force(class_group_id, at)).limit(1)) is None:
                session.add(
                    ClassConsent(
                        id=secrets.token_hex(8),
                        class_group_id=class_group_id,
                        lesson_id=lesson_id,
                        given_at=at,
                        until=end_of_term(at),
                    )
                )

    async def withdraw(self, class_group_id: str, at: datetime) -> None:
        """No longer, from now on."""
        async with self._sessions.begin() as session:
            await session.execute(update(ClassConsent).where(_in_force(class_group_id, at)).values(withdrawn_at=at))

    async def _write(self, lesson_id: str, class_group_id: str, given: bool, at: datetime) -> None:
        told = False
        while True:
            try:
                if given:
                    await self.give(lesson_id, class_group_id, at)
                else:
                    await self.withdraw(class_group_id, at)
                return
            except IntegrityError:
                return  # an administrator took the class off the list meanwhile
            except (DBAPIError, OSError) as error:
                if not told:
                    _log.error("a class's consent cannot be written yet: %s", getattr(error, "orig", error))
                told = True
                if class_group_id in self._said:
                    return  # it has changed its mind meanwhile
                await asyncio.sleep(RETRY)
            except Exception:
                _log.exception("a class's consent could not be written")
                return


def _in_force(class_group_id: str, at: datetime) -> ColumnElement[bool]:
    return and_(
        ClassConsent.class_group_id == class_group_id, ClassConsent.withdrawn_at.is_(None), ClassConsent.until > at
    )
