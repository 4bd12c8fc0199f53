"""How a class gets into a lesson: POST /api/class/enter, with a lesson's code or with the class's own.

A code of six digits stands for one lesson, one of eight for a class of the list: that one enters whichever of the
lessons it is invited to is on or next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast

from aiohttp import web
from pydantic import Field, StringConstraints

from server import caller
from server.database import now
from server.endpoint import Endpoint, Model, address, read, reply
from server.lessons.api import INVITATIONS, LESSONS, GrantView, moment
from server.lessons.kinds import LessonStatus
from server.lessons.model import Lesson
from server.schools.api import SCHOOLS
from server.schools.store import CODE_DIGITS, KnownClass
from server.tries import WrongTries
from signaling.problems import ProblemError

CODE_TRIES = web.AppKey("code_tries", WrongTries)


class Entry(Model):
    code: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] | None = None
    headcount: Annotated[int, Field(ge=0, le=9999)] | None = None


class EntryView(GrantView):
    lesson_id: str
    title: str
    status: LessonStatus
    starts_at: datetime | None
    class_group_id: str | None = Field(None, description="The class, if it came with its own code")
    name: str | None = Field(None, description="What the class is called in the lesson, if the server knows it")
    headcount: int | None = Field(None, description="How many pupils the class usually has, if the server knows it")


@dataclass(frozen=True, slots=True)
class Led:
    """Where a code leads; both are None for a code that is nobody's."""

    lesson: Lesson | None
    class_group: KnownClass | None


async def enter(request: web.Request) -> web.Response:
    """A class enters with a code; name and headcount go into the room with the page's `hello`."""
    wanted = await read(request, Entry)
    tries = request.app[CODE_TRIES]
    # Typed on a board: with blanks, or with the full-width digits of a Chinese input method.
    code = "".join(str(int(letter)) for letter in wanted.code if letter.isdecimal())
    async with tries.turn(address(request)):
        led = await _lead(request, code)
        if led.lesson is None and led.class_group is None:
            tries.wrong(address(request))
    lesson, known = led.lesson, led.class_group
    if lesson is None:
        if known is None:
            raise ProblemError(404, "class_code_unknown", "No lesson has this class code")
        raise ProblemError(404, "class_without_lesson", "This class is invited to no lesson now")
    if lesson.status == "ended":
        raise ProblemError(410, "lesson_ended", "The lesson is over")
    name = known.full_name if known else wanted.name or None
    token, claims = request.app[caller.GRANTS].mint(
        lesson.id, "receiving_class", name=name, class_group_id=known.class_group_id if known else None
    )
    return reply(
        EntryView(
            lesson_id=lesson.id,
            title=lesson.title,
            status=cast(LessonStatus, lesson.status),
            starts_at=lesson.starts_at,
            token=token,
            role=claims.role,
            expires_at=moment(claims.expires_at),
            class_group_id=known.class_group_id if known else None,
            name=known.full_name if known else None,
            headcount=known.headcount if known else None,
        )
    )


async def _lead(request: web.Request, code: str) -> Led:
    if len(code) != CODE_DIGITS:
        return Led(await request.app[LESSONS].by_code(code), None)
    known = await request.app[SCHOOLS].by_code(code)
    if known is None:
        return Led(None, None)
    return Led(await request.app[INVITATIONS].lesson_for(known.class_group_id, now()), known)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/class/enter",
        enter,
        "A class enters a lesson with the lesson's code or its own",
        body=Entry,
        reply=EntryView,
        codes=("class_code_unknown", "class_without_lesson", "lesson_ended", "too_many_tries"),
        open=True,
    ),
)
