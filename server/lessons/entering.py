"""How a class gets into a lesson: POST /api/class/enter, with a lesson's code, with the class's own, or come before.

A code of six digits stands for one lesson, one of eight for a class of the list: that one enters whichever of the
lessons it is invited to is on or next. Either is exchanged for a grant and a pass, which the browser keeps as a cookie.

A lesson that invites classes lets these in at once; any other class gets a grant that waits at the door. One that
invites none is open to whoever has its code. How many are let in with a code that may be a guess is said in doubt.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, cast

from aiohttp import web
from pydantic import Field, StringConstraints

from server import caller
from server.audit.trail import actor_of, entry
from server.database import now
from server.endpoint import ONE_LINE, Endpoint, Model, address, read, reply
from server.lessons.api import INVITATIONS, LESSONS, ROOMS, GrantView, find, join_url, moment
from server.lessons.class_pass import PASSES, ClassPass
from server.lessons.doubt import Doubts
from server.lessons.kinds import LessonStatus
from server.lessons.model import Lesson
from server.lessons.store import LessonUnknownError, NoFreeCodeError
from server.schools.api import SCHOOLS
from server.schools.store import CODE_DIGITS, ClassUnknownError, KnownClass
from server.tries import WrongTries
from signaling.problems import ProblemError
from signaling.state import person

CODE_TRIES = web.AppKey("code_tries", WrongTries)
DOUBTS = web.AppKey("doubts", Doubts)


class Entry(Model):
    code: Annotated[str, StringConstraints(max_length=32)] = Field(
        "", description="A lesson's code or the class's own; empty: who came before, and shows its cookie"
    )
    lesson_id: Annotated[str, StringConstraints(max_length=16)] | None = Field(
        None, description="Without a code: this lesson and no other"
    )
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=ONE_LINE)] | None = None
    headcount: Annotated[int, Field(ge=0, le=9999)] | None = None


class EntryView(GrantView):
    lesson_id: str
    title: str
    status: LessonStatus
    starts_at: datetime | None
    class_group_id: str | None = Field(None, description="The class, if it came with its own code")
    name: str | None = Field(None, description="What the class is called in the lesson, if the server knows it")
    headcount: int | None = Field(None, description="How many pupils the class usually has, if the server knows it")
    waits: bool = Field(False, description="At the door, until a teacher lets the class in")


class CodeView(Model):
    class_code: str
    join_url: str


@dataclass(frozen=True, slots=True)
class Led:
    """Where a code or a pass leads; both are None for one that is nobody's."""

    lesson: Lesson | None
    class_group: KnownClass | None
    own: bool = False  # the class came with its own code


async def enter(request: web.Request) -> web.Response:
    """A class enters with a code, or as who it was before; name and headcount go into the room with its `hello`."""
    wanted = await read(request, Entry)
    known_by = request.app[PASSES].read(request)
    # Typed on a board: with blanks, or with the full-width digits of a Chinese input method.
    code = "".join(str(int(letter)) for letter in wanted.code if letter.isdecimal())
    led = await (_typed(request, code, known_by) if wanted.code else _returned(request, known_by, wanted.lesson_id))
    lesson, known = led.lesson, led.class_group
    came_before = known_by
    if led.own and wanted.code and known is not None:
        known_by = replace(
            known_by, class_group_id=known.class_group_id, code_tag=request.app[PASSES].tag("code", known.code)
        )
    if lesson is None:
        raise ProblemError(404, "class_without_lesson", "This class is invited to no lesson now")
    if lesson.status == "ended":
        raise ProblemError(410, "lesson_ended", "The lesson is over")
    if wanted.code and not led.own:
        known_by = replace(known_by, lesson_id=lesson.id)
    if wanted.code and known_by.doubted != lesson.id and _is_doubtful(request, led, lesson, came_before):
        known_by = replace(known_by, doubted=lesson.id)
    waits, identity, device = await _seat(request, lesson, known, known_by)
    token, claims = request.app[caller.GRANTS].mint(
        lesson.id,
        "receiving_class",
        name=known.full_name if known else wanted.name or None,
        class_group_id=known.class_group_id if known else None,
        identity=identity,
        device=device,
        waits=waits,
    )
    response = reply(
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
            waits=waits,
        )
    )
    request.app[PASSES].give(request, response, known_by)
    return response


async def renew_code(request: web.Request) -> web.Response:
    """Another class code for the lesson. Who is in stays in."""
    who = await caller.require(request)
    lesson = await find(request, request.match_info["lesson_id"])
    if not who.may_run(lesson):
        raise caller.forbidden()
    if lesson.status == "ended":
        raise ProblemError(410, "lesson_ended", "The lesson is over")
    try:
        code = await request.app[LESSONS].renew_code(
            lesson.id,
            None if who.may_lead(lesson) else lambda: entry(actor_of(who), "code_renewed", lesson.id, lesson.title),
        )
    except NoFreeCodeError as error:
        raise ProblemError(503, "no_free_code", "All class codes are in use") from error
    return reply(CodeView(class_code=code, join_url=join_url(code)))


async def _typed(request: web.Request, code: str, known_by: ClassPass) -> Led:
    """Where a code leads. Raises ProblemError for one that is nobody's."""
    tries = request.app[CODE_TRIES]
    async with tries.turn(address(request)):
        if len(code) == CODE_DIGITS:
            known = await request.app[SCHOOLS].by_code(code)
            lesson = await request.app[INVITATIONS].lesson_for(known.class_group_id, now()) if known else None
        else:
            known, lesson = None, await request.app[LESSONS].by_code(code)
        if known is None and lesson is None:
            tries.wrong(address(request))
    if known is None and lesson is None:
        raise ProblemError(404, "class_code_unknown", "No lesson has this class code")
    if known is not None:
        return Led(lesson, known, own=True)
    return Led(lesson, await _class_of(request, known_by))


async def _returned(request: web.Request, known_by: ClassPass, lesson_id: str | None) -> Led:
    """Where a pass leads. Raises ProblemError for a browser that never entered, or not this lesson."""
    known = await _class_of(request, known_by)
    lesson: Lesson | None = None
    if lesson_id is None:
        if known is not None:
            return Led(await request.app[INVITATIONS].lesson_for(known.class_group_id, now()), known, own=True)
    elif lesson_id == known_by.lesson_id or (
        known is not None and await request.app[INVITATIONS].is_invited(lesson_id, known.class_group_id)
    ):
        try:
            lesson = await request.app[LESSONS].get(lesson_id)
        except LessonUnknownError as error:
            raise ProblemError(404, "lesson_unknown", "There is no such lesson") from error
        return Led(lesson, known)
    raise ProblemError(401, "class_pass_missing", "This browser has no pass for it; enter with a class code")


async def _class_of(request: web.Request, known_by: ClassPass) -> KnownClass | None:
    """The class of the list that came with this browser; None once its code is another."""
    if known_by.class_group_id is None:
        return None
    try:
        known = await request.app[SCHOOLS].class_of(known_by.class_group_id)
    except ClassUnknownError:
        return None
    return known if request.app[PASSES].tag("code", known.code) == known_by.code_tag else None


def _is_doubtful(request: web.Request, led: Led, lesson: Lesson, came_before: ClassPass) -> bool:
    """Whether the code may have been guessed, and the lesson overlooks no more of those."""
    if not request.app[CODE_TRIES].doubtful(address(request)):
        return False
    if led.own and led.class_group is not None:
        entered = came_before.class_group_id == led.class_group.class_group_id
    else:
        entered = came_before.lesson_id == lesson.id
    return not entered and not request.app[DOUBTS].overlooked(lesson.id)


async def _seat(
    request: web.Request, lesson: Lesson, known: KnownClass | None, known_by: ClassPass
) -> tuple[bool, str | None, str]:
    """Whether it waits at the door, as whom it is known in the room, and with which device.

    Raises ProblemError for one that was sent out, and for one that comes when the door is locked.
    """
    tag = request.app[PASSES].tag
    identity = tag("class", lesson.id, known.class_group_id) if known else None
    device = tag("device", lesson.id, known_by.device)
    invited = (await request.app[INVITATIONS].of([lesson.id])).get(lesson.id, [])
    waits = bool(invited) and (known is None or known.class_group_id not in {one.class_group_id for one in invited})
    waits = waits or known_by.doubted == lesson.id
    room = request.app[ROOMS].find(lesson.id)
    if room is not None:
        participant = person(f"c-{identity or device}")
        if participant in room.room.state.removed:
            raise ProblemError(403, "removed", "A teacher has sent this class out of the lesson")
        was_in = participant in room.room.state.admitted
        if room.room.state.locked and not was_in:
            raise ProblemError(403, "locked", "A teacher has locked the lesson")
        waits = waits or (known is None and bool(room.room.state.removed))  # as the room has it (seating.waits)
        waits = waits and not was_in
    return waits, identity, device


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/class/enter",
        enter,
        "A class enters a lesson with the lesson's code or its own, or returns to it",
        body=Entry,
        reply=EntryView,
        codes=(
            "class_code_unknown",
            "class_without_lesson",
            "class_pass_missing",
            "lesson_ended",
            "removed",
            "locked",
            "too_many_tries",
        ),
        open=True,
    ),
    Endpoint(
        "POST",
        "/api/lessons/{lesson_id}/code",
        renew_code,
        "Another class code for a lesson; the old one opens nothing any more",
        reply=CodeView,
        codes=("lesson_unknown", "lesson_ended", "no_free_code"),
    ),
)
