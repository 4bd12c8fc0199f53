"""Lessons and class codes in the database: making them, finding them, moving them from scheduled to live to ended."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from server.audit.model import AuditEntry
from server.database import now
from server.lessons.kinds import LessonKind
from server.lessons.model import ClassCode, Lesson
from signaling.events import RecordingPolicy

# A class that comes late with yesterday's code is told that the lesson is over, not let into another one.
CODE_REST = timedelta(days=1)

_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")


class LessonUnknownError(Exception):
    """There is no lesson of this id."""


class NoFreeCodeError(Exception):
    """Nearly all six-digit codes are in use."""


class Lessons:
    def __init__(self, sessions: async_sessionmaker[Any]) -> None:
        self._sessions = sessions

    async def create(
        self,
        title: str,
        kind: LessonKind,
        owner_id: str | None = None,
        recording_policy: RecordingPolicy = "consented",
        *,
        starts_at: datetime | None = None,
        subject: str = "",
        grade: str = "",
        rehearsal: bool = False,
        school_id: str | None = None,
    ) -> tuple[Lesson, str]:
        """A scheduled lesson and its class code. A rehearsal is not recorded. Raises NoFreeCodeError."""
        lesson = Lesson(
            id=secrets.token_hex(6),
            title=title,
            kind=kind,
            owner_id=owner_id,
            status="scheduled",
            created_at=now(),
            recording_policy="nothing" if rehearsal else recording_policy,
            keep=False,
            starts_at=starts_at and starts_at.astimezone(UTC),
            subject=subject,
            grade=grade,
            rehearsal=rehearsal,
            school_id=school_id,
        )
        for _ in range(20):
            code = f"{secrets.randbelow(1_000_000):06}"
            try:
                async with self._sessions.begin() as session:
                    await _free(session, code)
                    session.add(lesson)
                    await session.flush()
                    session.add(ClassCode(code=code, lesson_id=lesson.id, created_at=now()))
            except IntegrityError:
                lesson = Lesson(**_columns(lesson))  # the code is taken; the failed object cannot be added again
                continue
            return lesson, code
        raise NoFreeCodeError

    async def get(self, lesson_id: str) -> Lesson:
        """The lesson. Raises LessonUnknownError."""
        if not _ID.fullmatch(lesson_id):  # a database need not be asked, and PostgreSQL refuses some texts
            raise LessonUnknownError(lesson_id)
        async with self._sessions() as session:
            lesson: Lesson | None = await session.get(Lesson, lesson_id)
        if lesson is None or lesson.deleted_at is not None:
            raise LessonUnknownError(lesson_id)
        return lesson

    async def page(self, limit: int, before: Lesson | None = None) -> Sequence[Lesson]:
        """Lessons, newest first, those older than `before`. A rehearsal that is over is no lesson any more."""
        wanted = select(Lesson).where(
            Lesson.deleted_at.is_(None), or_(Lesson.rehearsal.is_(False), Lesson.status != "ended")
        )
        wanted = wanted.order_by(Lesson.created_at.desc(), Lesson.id.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(tuple_(Lesson.created_at, Lesson.id) < tuple_(before.created_at, before.id))
        async with self._sessions() as session:
            found: Sequence[Lesson] = (await session.scalars(wanted)).all()
        return found

    async def codes(self, lesson_ids: Sequence[str]) -> dict[str, str]:
        """The class code of each of these lessons that has one."""
        async with self._sessions() as session:
            rows = await session.scalars(select(ClassCode).where(ClassCode.lesson_id.in_(lesson_ids)))
            return {row.lesson_id: row.code for row in rows}

    async def by_code(self, code: str) -> Lesson | None:
        """The lesson a class code stands for, ended ones included while their code rests."""
        wanted = select(Lesson).join(ClassCode, ClassCode.lesson_id == Lesson.id).where(ClassCode.code == code)
        async with self._sessions() as session:
            lesson: Lesson | None = await session.scalar(wanted.where(Lesson.deleted_at.is_(None)))
        return lesson

    async def move_code(self, code: str, lesson_id: str) -> bool:
        """Let a code in use stand for another lesson instead of that one's own; False if no lesson has it any more."""
        async with self._sessions.begin() as session:
            held = await session.get(ClassCode, code)
            if held is None:
                return False
            await session.execute(delete(ClassCode).where(ClassCode.lesson_id == lesson_id, ClassCode.code != code))
            held.lesson_id = lesson_id
        return True

    async def renew_code(self, lesson_id: str, audit: Callable[[], AuditEntry] | None = None) -> str:
        """A new code; the old one opens nothing any more. Raises NoFreeCodeError."""
        for _ in range(20):
            code = f"{secrets.randbelow(1_000_000):06}"
            try:
                async with self._sessions.begin() as session:
                    await _free(session, code)
                    await session.execute(delete(ClassCode).where(ClassCode.lesson_id == lesson_id))
                    session.add(ClassCode(code=code, lesson_id=lesson_id, created_at=now()))
                    if audit is not None:
                        session.add(audit())
            except IntegrityError:
                continue
            return code
        raise NoFreeCodeError

    async def opened(self, lesson_id: str, epoch_us: int) -> None:
        """The room is open: its clock's zero is known."""
        await self._update(lesson_id, Lesson.status != "ended", epoch_us=epoch_us)

    async def started(self, lesson_id: str, at: datetime) -> None:
        """The lesson has begun; telling it again changes nothing."""
        await self._update(lesson_id, Lesson.status == "scheduled", status="live", started_at=at)

    async def ended(self, lesson_id: str, at: datetime) -> None:
        """The lesson is over; telling it again changes nothing."""
        await self._update(lesson_id, Lesson.status != "ended", status="ended", ended_at=at)

    async def plan(self, lesson_id: str, **values: object) -> bool:
        """Change what was said of it when it was made; False once it is over."""
        return await self._update(lesson_id, Lesson.status != "ended", **values)

    async def set_keep(self, lesson_id: str, keep: bool, audit: AuditEntry) -> None:
        """Whether its recording stays however old it grows."""
        async with self._sessions.begin() as session:
            await session.execute(update(Lesson).where(Lesson.id == lesson_id).values(keep=keep))
            session.add(audit)

    async def mark_deleted(self, lesson_id: str, audit: AuditEntry) -> bool:
        """From now on there is no such lesson, for anybody; False if there was none."""
        async with self._sessions.begin() as session:
            marked = await session.execute(
                update(Lesson)
                .where(Lesson.id == lesson_id, Lesson.deleted_at.is_(None), Lesson.status == "ended")
                .values(deleted_at=now())
            )
            if marked.rowcount:
                session.add(audit)
        return bool(marked.rowcount)

    async def deleted(self) -> list[str]:
        """The lessons of which something is still to be taken away."""
        async with self._sessions() as session:
            return list(await session.scalars(select(Lesson.id).where(Lesson.deleted_at.is_not(None))))

    async def older_than(self, moment: datetime, kinds: Sequence[str], limit: int) -> Sequence[Lesson]:
        """Lessons of these kinds that were over by then and are not to be kept, the oldest first."""
        wanted = (
            select(Lesson)
            .where(
                Lesson.status == "ended",
                Lesson.keep.is_(False),
                Lesson.deleted_at.is_(None),
                Lesson.kind.in_(kinds),
                func.coalesce(Lesson.ended_at, Lesson.created_at) < moment,
            )
            .order_by(Lesson.created_at)
            .limit(limit)
        )
        async with self._sessions() as session:
            found: Sequence[Lesson] = (await session.scalars(wanted)).all()
        return found

    async def rehearsed(self, moment: datetime, limit: int) -> Sequence[Lesson]:
        """Rehearsals that were over by then, the oldest first."""
        wanted = (
            select(Lesson)
            .where(
                Lesson.rehearsal.is_(True),
                Lesson.status == "ended",
                Lesson.deleted_at.is_(None),
                func.coalesce(Lesson.ended_at, Lesson.created_at) < moment,
            )
            .order_by(Lesson.created_at)
            .limit(limit)
        )
        async with self._sessions() as session:
            found: Sequence[Lesson] = (await session.scalars(wanted)).all()
        return found

    async def remove(self, lesson_id: str) -> None:
        """Forget a lesson; its archive is another matter."""
        async with self._sessions.begin() as session:
            await session.execute(delete(ClassCode).where(ClassCode.lesson_id == lesson_id))
            await session.execute(delete(Lesson).where(Lesson.id == lesson_id))

    async def _update(self, lesson_id: str, condition: Any, **values: object) -> bool:
        async with self._sessions.begin() as session:
            done = await session.execute(update(Lesson).where(Lesson.id == lesson_id, condition).values(**values))
        return bool(done.rowcount)


async def _free(session: AsyncSession, code: str) -> None:
    """Take a code back from a lesson that has been over for long enough."""
    rested = select(Lesson.id).where(
        Lesson.status == "ended", or_(Lesson.ended_at.is_(None), Lesson.ended_at < now() - CODE_REST)
    )
    await session.execute(delete(ClassCode).where(ClassCode.code == code, ClassCode.lesson_id.in_(rested)))


def _columns(lesson: Lesson) -> dict[str, Any]:
    return {column.key: getattr(lesson, column.key) for column in Lesson.__table__.columns}
