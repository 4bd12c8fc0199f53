"""Which classes a lesson invites, and which lesson a class's own code leads to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker

from server.lessons.model import Lesson
from server.schools.model import InvitedClass
from server.schools.store import ClassUnknownError, KnownClass, Schools

MOST = 200  # classes invited to one lesson
LATE = timedelta(hours=4)  # a lesson that should have begun so long ago is not waited for any more


class Invitations:
    def __init__(self, sessions: async_sessionmaker[Any], schools: Schools) -> None:
        self._sessions = sessions
        self._schools = schools

    async def check(self, class_group_ids: Sequence[str]) -> None:
        """Raises ClassUnknownError if one of them is no class."""
        known = {one.class_group_id for one in await self._schools.classes(class_group_ids)}
        for class_group_id in class_group_ids:
            if class_group_id not in known:
                raise ClassUnknownError(class_group_id)

    async def invite(self, lesson_id: str, class_group_ids: Sequence[str]) -> None:
        """These classes and no others. Raises ClassUnknownError."""
        await self.check(class_group_ids)
        try:
            async with self._sessions.begin() as session:
                await session.execute(delete(InvitedClass).where(InvitedClass.lesson_id == lesson_id))
                session.add_all(
                    InvitedClass(lesson_id=lesson_id, class_group_id=one) for one in dict.fromkeys(class_group_ids)
                )
        except IntegrityError as error:  # one was taken off the list meanwhile
            raise ClassUnknownError(", ".join(class_group_ids)) from error

    async def of(self, lesson_ids: Sequence[str]) -> dict[str, list[KnownClass]]:
        """The invited classes of each of these lessons, by school and name."""
        wanted = select(InvitedClass.lesson_id, InvitedClass.class_group_id).where(
            InvitedClass.lesson_id.in_(lesson_ids)
        )
        async with self._sessions() as session:
            pairs = [(row[0], row[1]) for row in await session.execute(wanted)]
        if not pairs:
            return {}
        invited = set(pairs)
        classes = await self._schools.classes({class_group_id for _, class_group_id in pairs})
        return {
            lesson_id: [one for one in classes if (lesson_id, one.class_group_id) in invited]
            for lesson_id in {lesson_id for lesson_id, _ in pairs}
        }

    async def is_invited(self, lesson_id: str, class_group_id: str) -> bool:
        async with self._sessions() as session:
            return await session.get(InvitedClass, (lesson_id, class_group_id)) is not None

    async def lesson_for(self, class_group_id: str, moment: datetime) -> Lesson | None:
        """The lesson this class is invited to that is on, else the one it belongs in next."""
        wanted = (
            select(Lesson)
            .join(InvitedClass, InvitedClass.lesson_id == Lesson.id)
            .where(InvitedClass.class_group_id == class_group_id, Lesson.deleted_at.is_(None), Lesson.status != "ended")
        )
        async with self._sessions() as session:
            found: Sequence[Lesson] = (await session.scalars(wanted)).all()
        return on_or_next(found, moment)


def on_or_next(lessons: Sequence[Lesson], moment: datetime) -> Lesson | None:
    """Of lessons that are not over: the one that began last, else the planned one nearest in time.

    Nearest, not earliest: a lesson of the first period that never took place does not keep a class from the second.
    """
    live = [one for one in lessons if one.status == "live"]
    if live:
        return max(live, key=lambda one: one.started_at or one.created_at)
    planned = [one for one in lessons if one.status == "scheduled" and _planned(one) > moment - LATE]
    return min(planned, key=lambda one: abs(_planned(one) - moment), default=None)


def _planned(lesson: Lesson) -> datetime:
    return lesson.starts_at or lesson.created_at
