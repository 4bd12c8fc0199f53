"""Schools and classes in the database: an administrator's list, and the class a code stands for."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.accounts.model import AccountLink, User
from server.audit.model import AuditEntry
from server.database import now
from server.lessons.model import Lesson
from server.schools.model import ClassGroup, School

# A lesson's code lasts a day and has six digits; a class's lasts a term, and guessing it takes a hundred times as long.
CODE_DIGITS = 8

_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")


class SchoolUnknownError(Exception):
    """There is no school of this id."""


class ClassUnknownError(Exception):
    """There is no class of this id."""


class TakenError(Exception):
    """There is one of this name already."""


@dataclass(frozen=True, slots=True)
class KnownClass:
    """A class with the words people call it by."""

    class_group_id: str
    school_id: str
    school: str
    region: str
    name: str
    headcount: int | None
    code: str

    @property
    def full_name(self) -> str:
        """How it is called in a room."""
        return f"{self.school} {self.name}"


class Schools:
    def __init__(self, sessions: async_sessionmaker[Any]) -> None:
        self._sessions = sessions

    # ── schools ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def all(self) -> Sequence[School]:
        """Every school, by region and name."""
        async with self._sessions() as session:
            found: Sequence[School] = (await session.scalars(select(School).order_by(School.region, School.name))).all()
        return found

    async def get(self, school_id: str) -> School:
        """The school of this id. Raises SchoolUnknownError."""
        async with self._sessions() as session:
            school: School | None = await session.get(School, _school(school_id))
        if school is None:
            raise SchoolUnknownError(school_id)
        return school

    async def add(self, name: str, region: str = "", audit: AuditEntry | None = None) -> School:
        """A new school. Raises TakenError."""
        school = School(id=secrets.token_hex(6), name=name, region=region, created_at=now())
        try:
            async with self._sessions.begin() as session:
                session.add_all([school] if audit is None else [school, audit])
        except IntegrityError as error:
            raise TakenError(name) from error
        return school

    async def change(self, school_id: str, name: str, region: str, audit: AuditEntry | None = None) -> None:
        """Call it otherwise. Raises SchoolUnknownError and TakenError."""
        await self._update(School, _school(school_id), SchoolUnknownError, audit, name=name, region=region)

    async def remove(self, school_id: str, audit: AuditEntry | None = None) -> None:
        """Forget a school with its classes; its people and lessons are of none. Raises SchoolUnknownError."""
        async with self._sessions.begin() as session:
            gone = await session.execute(delete(School).where(School.id == _school(school_id)))
            if not gone.rowcount:
                raise SchoolUnknownError(school_id)
            await session.execute(update(User).where(User.school_id == school_id).values(school_id=None))
            await session.execute(update(Lesson).where(Lesson.school_id == school_id).values(school_id=None))
            await session.execute(delete(AccountLink).where(AccountLink.school_id == school_id))
            if audit is not None:
                session.add(audit)

    # ── classes ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def classes(self, ids: Iterable[str] | None = None) -> list[KnownClass]:
        """These classes, or all of them, by region, school and name."""
        wanted = _known().order_by(School.region, School.name, ClassGroup.name)
        if ids is not None:
            wanted = wanted.where(ClassGroup.id.in_([one for one in ids if _ID.fullmatch(one)]))
        async with self._sessions() as session:
            return [KnownClass(*row) for row in await session.execute(wanted)]

    async def class_of(self, class_group_id: str) -> KnownClass:
        """The class of this id. Raises ClassUnknownError."""
        found = await self.classes([class_group_id])
        if not found:
            raise ClassUnknownError(class_group_id)
        return found[0]

    async def by_code(self, code: str) -> KnownClass | None:
        """The class whose own code this is."""
        if len(code) != CODE_DIGITS:
            return None
        async with self._sessions() as session:
            row = (await session.execute(_known().where(ClassGroup.code == code))).first()
        return KnownClass(*row) if row else None

    async def add_class(
        self, school_id: str, name: str, headcount: int | None = None, audit: Callable[[], AuditEntry] | None = None
    ) -> KnownClass:
        """A new class with a code of its own. Raises SchoolUnknownError and TakenError."""
        made = secrets.token_hex(6)
        async with self._sessions() as session:
            if await session.get(School, _school(school_id)) is None:
                raise SchoolUnknownError(school_id)
        for _ in range(20):
            row = ClassGroup(
                id=made, school_id=school_id, name=name, headcount=headcount, code=_code(), created_at=now()
            )
            try:
                async with self._sessions.begin() as session:
                    session.add_all([row] if audit is None else [row, audit()])  # anew: a failed one is of no use
                return await self.class_of(made)
            except IntegrityError as error:
                if await self._has_class(school_id, name):
                    raise TakenError(name) from error
        raise TakenError(name)

    async def change_class(
        self, class_group_id: str, name: str, headcount: int | None, audit: AuditEntry | None = None
    ) -> None:
        """Call it otherwise. Raises ClassUnknownError and TakenError."""
        await self._update(ClassGroup, _class(class_group_id), ClassUnknownError, audit, name=name, headcount=headcount)

    async def renew_code(self, class_group_id: str, audit: Callable[[], AuditEntry] | None = None) -> str:
        """A new code; the old one opens nothing any more. Raises ClassUnknownError."""
        while True:
            code = _code()
            try:
                made = audit and audit()
                await self._update(ClassGroup, _class(class_group_id), ClassUnknownError, made, code=code)
                return code
            except TakenError:
                continue

    async def remove_class(self, class_group_id: str, audit: AuditEntry | None = None) -> None:
        """Forget a class. Raises ClassUnknownError."""
        async with self._sessions.begin() as session:
            gone = await session.execute(delete(ClassGroup).where(ClassGroup.id == _class(class_group_id)))
            if not gone.rowcount:
                raise ClassUnknownError(class_group_id)
            if audit is not None:
                session.add(audit)

    # ── helpers ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _has_class(self, school_id: str, name: str) -> bool:
        wanted = select(func.count()).where(ClassGroup.school_id == school_id, ClassGroup.name == name)
        async with self._sessions() as session:
            return bool(await session.scalar(wanted))

    async def _update(
        self,
        table: type[School] | type[ClassGroup],
        row_id: str,
        unknown: type[Exception],
        audit: AuditEntry | None,
        **values: object,
    ) -> None:
        try:
            async with self._sessions.begin() as session:
                done = await session.execute(update(table).where(table.id == row_id).values(**values))
                if not done.rowcount:
                    raise unknown(row_id)
                if audit is not None:
                    session.add(audit)
        except IntegrityError as error:
            raise TakenError(str(values.get("name", ""))) from error


def _known() -> Any:
    return select(
        ClassGroup.id,
        ClassGroup.school_id,
        School.name,
        School.region,
        ClassGroup.name,
        ClassGroup.headcount,
        ClassGroup.code,
    ).join(School, School.id == ClassGroup.school_id)


def _code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def _school(school_id: str) -> str:
    if not _ID.fullmatch(school_id):  # PostgreSQL refuses some texts
        raise SchoolUnknownError(school_id)
    return school_id


def _class(class_group_id: str) -> str:
    if not _ID.fullmatch(class_group_id):
        raise ClassUnknownError(class_group_id)
    return class_group_id
