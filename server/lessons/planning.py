"""Planning a lesson anew until it begins: its name, its time, who is invited, who is recorded."""

from __future__ import annotations

from typing import Self

from aiohttp import web
from pydantic import AwareDatetime, model_validator

from server import caller
from server.audit.trail import actor_of, entry
from server.endpoint import Endpoint, Model, read, reply
from server.lessons.api import (
    INVITATIONS,
    LESSONS,
    ROOMS,
    ClassIds,
    LessonView,
    Short,
    Title,
    class_unknown,
    find,
    views,
)
from server.lessons.kinds import LessonKind
from server.lessons.model import Lesson
from server.schools.store import ClassUnknownError
from signaling.events import RecordingPolicy
from signaling.problems import ProblemError
from signaling.room_error import RoomError

_PLANNED = frozenset({"title", "kind", "starts_at", "subject", "grade", "recording_policy"})


class ChangedLesson(Model):
    """What is left out stays, and something must be in it. All but `keep` can be changed until the lesson begins."""

    keep: bool | None = None
    title: Title = ""
    kind: LessonKind = "delivered_class"
    recording_policy: RecordingPolicy = "consented"
    starts_at: AwareDatetime | None = None
    subject: Short = ""
    grade: Short = ""
    class_group_ids: ClassIds | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("nothing to be changed")
        return self


async def change(request: web.Request) -> web.Response:
    """Plan it anew, or have its recording kept however old it grows, or no longer."""
    who = await caller.require(request)
    lesson = await find(request, request.match_info["lesson_id"])
    if not who.may_run(lesson):
        raise caller.forbidden()
    wanted = await read(request, ChangedLesson)
    planned = wanted.model_dump(include=set(_PLANNED), exclude_unset=True)
    if planned or wanted.class_group_ids is not None:
        if lesson.status != "scheduled" or _has_begun(request, lesson.id):
            raise _begun()
        if lesson.rehearsal:
            planned.pop("recording_policy", None)  # it never is
        invitations = request.app[INVITATIONS]
        try:
            if wanted.class_group_ids is not None:
                await invitations.check(wanted.class_group_ids)
            if planned:
                await _plan(request, lesson, planned)
            if wanted.class_group_ids is not None:
                await invitations.invite(lesson.id, wanted.class_group_ids)
        except ClassUnknownError as error:
            raise class_unknown(str(error)) from error
    if wanted.keep is not None and wanted.keep != lesson.keep:
        done = entry(actor_of(who), "kept" if wanted.keep else "released", lesson.id, lesson.title)
        await request.app[LESSONS].set_keep(lesson.id, wanted.keep, done)
    return reply((await views(request, who, [await find(request, lesson.id)]))[0])


async def _plan(request: web.Request, lesson: Lesson, planned: dict[str, object]) -> None:
    """Where somebody is here already the room is told first: it alone knows whether it has begun."""
    lessons = request.app[LESSONS]
    name = str(planned.get("title", lesson.title))
    policy: RecordingPolicy = planned.get("recording_policy", lesson.recording_policy)  # type: ignore[assignment]
    if not _tell(request, lesson.id, name, policy) or not await lessons.plan(lesson.id, **planned):
        raise _begun()
    if not _tell(request, lesson.id, name, policy):  # opened while we wrote, it has begun as it was
        await lessons.plan(lesson.id, **{name: getattr(lesson, name) for name in planned})
        raise _begun()


def _tell(request: web.Request, lesson_id: str, name: str, policy: RecordingPolicy) -> bool:
    """Let the lesson's room, if it is open, know its name and who is recorded; False if it is too late for that."""
    room = request.app[ROOMS].find(lesson_id)
    if room is None or (room.title, room.room.policy) == (name, policy):
        return True
    try:
        room.plan(name, policy)
    except RoomError:
        return False
    return True


def _has_begun(request: web.Request, lesson_id: str) -> bool:
    room = request.app[ROOMS].find(lesson_id)
    return room is not None and room.room.state.started_ms is not None


def _begun() -> ProblemError:
    return ProblemError(409, "lesson_begun", "The lesson has begun already")


ENDPOINTS = (
    Endpoint(
        "PATCH",
        "/api/lessons/{lesson_id}",
        change,
        "Plan a lesson anew; keep its recording whatever its age, or let it go when its time has come",
        body=ChangedLesson,
        reply=LessonView,
        codes=("lesson_unknown", "lesson_begun", "class_unknown"),
    ),
)
