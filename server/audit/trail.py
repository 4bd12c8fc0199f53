"""Writing the audit trail and reading it.

What must not happen without an entry (a deletion) is written in one transaction with it, by `entry`. What is only seen
is put down by `saw`, which never waits: whoever looks at a lesson asks for it many times, and a database that is away
for a moment must not stop a replay.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.audit.model import AuditEntry
from server.caller import Caller
from server.database import now

AuditAction = Literal[
    "seen",
    "export_asked",
    "export_taken",
    "export_removed",
    "kept",
    "released",
    "deleted",
    "ended",  # a lesson, by another than its owner
    "code_renewed",  # of a class, or of another's lesson
    "invited",
    "slides_removed",
    "account_changed",
    "account_closed",
    "account_opened",
    "password_reset",
    "school_added",
    "school_changed",
    "school_removed",
    "class_added",
    "class_changed",
    "class_removed",
]

AGAIN = 3600.0  # seconds in which seeing the same again is not put down again
REMEMBERED = 10_000  # of those who saw something lately
WAITING = 10_000  # entries, while the database is away; then the oldest are lost, with a word in the log
RETRY = 2.0  # seconds between attempts to write to a database that refuses

_log = logging.getLogger("tongke.audit")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it."""

    name: str
    role: str
    user_id: str | None = None


SERVER = Actor("", "server")


def actor_of(who: Caller) -> Actor:
    """The account, or the role of the token, with the name it carries."""
    if who.account is not None:
        return Actor(who.account.name, who.account.role, who.account.user_id)
    if who.grant is not None:
        return Actor(who.grant.name or who.grant.participant_id or "", who.grant.role)
    return Actor("", "cookie")  # an archive cookie carries no name; its bearer asked for the recording by name before


def entry(actor: Actor, action: AuditAction, lesson_id: str, title: str, detail: str = "") -> AuditEntry:
    """An entry, to be added to a session."""
    return AuditEntry(
        at=now(),
        actor=_fit(actor.name, 100),
        actor_role=actor.role,
        user_id=actor.user_id,
        action=action,
        lesson_id=lesson_id,
        title=_fit(title, 200),
        detail=_fit(detail, 200),
    )


class Trail:
    def __init__(self, sessions: async_sessionmaker[Any]) -> None:
        self._sessions = sessions
        self._queue: asyncio.Queue[AuditEntry] = asyncio.Queue(WAITING)
        self._seen: OrderedDict[tuple[str, str, str, str, str], float] = OrderedDict()

    async def run(self) -> None:
        """Write what was put down by `saw`, until cancelled."""
        try:
            while True:
                await self._write([await self._queue.get()])
        finally:
            await self._last_words()

    def saw(self, actor: Actor, action: AuditAction, lesson_id: str, title: str, detail: str = "") -> None:
        """Put down that this was done, unless the same was put down within the hour."""
        key = (actor.name, actor.role, action, lesson_id, detail)
        moment = time.monotonic()
        if (before := self._seen.get(key)) is not None and moment - before < AGAIN:
            return
        self._seen[key] = moment
        self._seen.move_to_end(key)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        if self._queue.full():
            lost = self._queue.get_nowait()
            _log.error("an audit entry is lost", extra={"action": lost.action, "lesson_id": lost.lesson_id})
        self._queue.put_nowait(entry(actor, action, lesson_id, title, detail))

    async def page(self, limit: int, before: int | None = None, lesson_id: str | None = None) -> Sequence[AuditEntry]:
        """Entries, newest first, those older than the entry `before`."""
        wanted = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(AuditEntry.id < before)
        if lesson_id is not None:
            wanted = wanted.where(AuditEntry.lesson_id == lesson_id)
        async with self._sessions() as session:
            found: Sequence[AuditEntry] = (await session.scalars(wanted)).all()
        return found

    async def add(self, made: AuditEntry) -> None:
        """Write an entry at once."""
        async with self._sessions.begin() as session:
            session.add(made)

    async def _write(self, entries: list[AuditEntry]) -> None:
        told = False
        while True:
            try:
                async with self._sessions.begin() as session:
                    session.add_all(entries)
                return
            except (DBAPIError, OSError) as error:
                if not told:
                    _log.error("the audit trail cannot be written yet: %s", getattr(error, "orig", error))
                told = True
                await asyncio.sleep(RETRY)
                entries = [_copy(one) for one in entries]  # a failed object cannot be added again

    async def _last_words(self) -> None:
        """The process ends: what still waits is written if the database takes it."""
        waiting = []
        while not self._queue.empty():
            waiting.append(self._queue.get_nowait())
        if waiting:
            try:
                async with self._sessions.begin() as session:
                    session.add_all(waiting)
            except (DBAPIError, OSError) as error:
                _log.error("%d audit entries are lost: %s", len(waiting), getattr(error, "orig", error))


def _fit(text: str, length: int) -> str:
    """As the column takes it; PostgreSQL stores no zero."""
    return text.replace("\0", "")[:length]


def _copy(made: AuditEntry) -> AuditEntry:
    return AuditEntry(**{column.key: getattr(made, column.key) for column in AuditEntry.__table__.columns})
