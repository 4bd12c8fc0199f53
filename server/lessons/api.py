"""Lessons over REST: make, list, end, delete them, take part with an account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Protocol, cast

from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from server import caller
from server.accounts.store import Account
from server.audit.api import TRAIL
from server.audit.trail import actor_of, entry
from server.caller import Caller
from server.database import now
from server.endpoint import ONE_LINE, Endpoint, Model, read, reply
from server.lessons.class_pass import PASSES
from server.lessons.deletion import Deletions, LessonLiveError
from server.lessons.grants import Claims, TokenError
from server.lessons.invitations import MOST, Invitations
from server.lessons.kinds import LessonKind, LessonStatus
from server.lessons.kinds import RecordingWord as RecordingWord
from server.lessons.let_in import LetIn
from server.lessons.model import Lesson
from server.lessons.store import Lessons, LessonUnknownError, NoFreeCodeError
from server.schools.store import ClassUnknownError, KnownClass
from signaling.events import RecordingPolicy
from signaling.grants import GrantRole
from signaling.problems import ProblemError
from signaling.rooms import Rooms


class Recordings(Protocol):
    """What is known of the recordings of lessons."""

    async def words(self, lesson_ids: Iterable[str]) -> dict[str, RecordingWord]: ...


LESSONS = web.AppKey("lessons", Lessons)
ROOMS = web.AppKey("rooms", Rooms)
RECORDINGS = web.AppKey("recordings", Recordings)
DELETIONS = web.AppKey("deletions", Deletions)
INVITATIONS = web.AppKey("invitations", Invitations)
LET_IN = web.AppKey("let_in", LetIn)

INVITATION_TIME = 7 * 86400  # seconds a link for a second teacher is good for
PAGE = 100  # lessons in one answer unless asked for another number


Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=ONE_LINE)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40, pattern=ONE_LINE)]
ClassIds = Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=16)], ...], Field(max_length=MOST)]


class NewLesson(Model):
    title: Title
    kind: LessonKind = "delivered_class"
    recording_policy: RecordingPolicy = Field("consented", description="Who is recorded, of those who publish")
    starts_at: AwareDatetime | None = Field(None, description="When it is to begin; null: when somebody starts it")
    subject: Short = ""
    grade: Short = ""
    class_group_ids: ClassIds = Field((), description="Classes that enter at once, and by their own code")
    rehearsal: bool = Field(False, description="The studio alone: not recorded, not counted, forgotten after a day")


class InvitedView(Model):
    class_group_id: str
    school: str
    name: str
    headcount: int | None
    code: str | None = Field(None, description="The class's own code; only for those who may run the lesson")


class LessonView(Model):
    lesson_id: str
    title: str
    kind: str
    class_code: str | None = Field(None, description="Six digits; only for those who may run the lesson")
    join_url: str | None = Field(None, description="The class page with the code, relative to this server")
    status: LessonStatus
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    recording: RecordingWord
    recording_policy: RecordingPolicy
    keep: bool = Field(description="Its recording is not deleted for its age")
    may_run: bool = Field(description="Whether you may plan, end, keep and delete it")
    may_lead: bool = Field(description="Whether you may teach it: not so who only keeps its school")
    starts_at: datetime | None
    subject: str
    grade: str
    rehearsal: bool
    classes: tuple[InvitedView, ...] = Field((), description="Who is invited; only for those who may run the lesson")


class LessonList(Model):
    lessons: tuple[LessonView, ...]
    next: str | None = Field(None, description="Give it as `before` to get older ones; null at the end")


class WantedGrant(Model):
    role: Literal["lead_teacher", "co_teacher", "observer"]
    invitation: Annotated[str, StringConstraints(max_length=2048)] = Field(
        "", description="What stood in the fragment of a link for a second teacher"
    )


class TeacherLink(Model):
    url: str = Field(description="Relative to this server; the invitation stands in the fragment")
    expires_at: datetime


class GrantView(Model):
    token: str
    role: GrantRole
    expires_at: datetime


async def create(request: web.Request) -> web.Response:
    who = await caller.require(request)
    if not who.may_make_lessons():
        raise caller.forbidden()
    wanted = await read(request, NewLesson)
    owner_id = who.account.user_id if who.account else None
    invitations = request.app[INVITATIONS]
    try:
        await invitations.check(wanted.class_group_ids)
        lesson, _ = await request.app[LESSONS].create(
            wanted.title,
            wanted.kind,
            owner_id,
            wanted.recording_policy,
            starts_at=wanted.starts_at,
            subject=wanted.subject,
            grade=wanted.grade,
            rehearsal=wanted.rehearsal,
            school_id=who.account.school_id if who.account else None,
        )
        await invitations.invite(lesson.id, wanted.class_group_ids)
    except NoFreeCodeError as error:
        raise ProblemError(503, "no_free_code", "All class codes are in use") from error
    except ClassUnknownError as error:
        raise class_unknown(str(error)) from error
    return reply((await views(request, who, [lesson]))[0], 201)


async def list_lessons(request: web.Request) -> web.Response:
    """An account sees all lessons but other people's rehearsals, a grant its own."""
    who = await caller.require(request)
    lessons = request.app[LESSONS]
    limit, before = _limit(request), request.query.get("before")
    if who.grant is not None:
        found = [await find(request, who.grant.lesson_id)]
        return reply(LessonList(lessons=await views(request, who, found), next=None))
    page = await lessons.page(limit + 1, await find(request, before) if before else None)
    shown = await views(request, who, [one for one in page[:limit] if not one.rehearsal or who.may_lead(one)])
    return reply(LessonList(lessons=shown, next=page[limit - 1].id if len(page) > limit else None))


async def show(request: web.Request) -> web.Response:
    who = await caller.require(request)
    lesson = await watchable(request, who)
    return reply((await views(request, who, [lesson]))[0])


async def end(request: web.Request) -> web.Response:
    """End it for everyone; ending it again changes nothing."""
    who = await caller.require(request)
    lesson = await find(request, request.match_info["lesson_id"])
    if not who.may_run(lesson):
        raise caller.forbidden()
    if lesson.status != "ended":
        if not who.may_lead(lesson):
            await request.app[TRAIL].add(entry(actor_of(who), "ended", lesson.id, lesson.title))
        await request.app[ROOMS].end(lesson.id)  # tells the observers, which close the recording
        await request.app[LESSONS].ended(lesson.id, now())  # a lesson nobody ever entered has no room
    return reply((await views(request, who, [await find(request, lesson.id)]))[0])


async def delete(request: web.Request) -> web.Response:
    """Delete it with all that was recorded and made of it."""
    who = await caller.require(request)
    lesson = await find(request, request.match_info["lesson_id"])
    if not who.may_run(lesson):
        raise caller.forbidden()
    try:
        await request.app[DELETIONS].delete(lesson, actor_of(who))
    except LessonLiveError as error:
        raise ProblemError(
            409, "lesson_live", "The lesson is live", "end it first, and wait until its recording is closed"
        ) from error
    except LessonUnknownError as error:  # somebody else was faster
        raise ProblemError(404, "lesson_unknown", "There is no such lesson") from error
    return web.Response(status=204)


async def grant(request: web.Request) -> web.Response:
    """A token for oneself."""
    who = await caller.require(request)
    lesson = await find(request, request.match_info["lesson_id"])
    wanted = await read(request, WantedGrant)
    invited = wanted.role == "co_teacher" and who.may_make_lessons() and _is_invited(request, lesson, wanted.invitation)
    if who.account is None or not (wanted.role in who.roles_in(lesson) or invited):
        raise caller.forbidden(f"{wanted.role} in this lesson")
    token, claims = request.app[caller.GRANTS].mint(
        lesson.id, wanted.role, name=who.account.name, **_seat(request, lesson.id, who.account, wanted.role)
    )
    return reply(GrantView(token=token, role=claims.role, expires_at=moment(claims.expires_at)), 201)


async def invite_teacher(request: web.Request) -> web.Response:
    """A link by which another teacher, with an account of their own, joins as co_teacher."""
    who = await caller.require(request)
    lesson = await find(request, request.match_info["lesson_id"])
    if not who.may_lead(lesson):
        raise caller.forbidden()
    made, claims = request.app[caller.GRANTS].mint(lesson.id, "co_teacher", kind="invitation", ttl=INVITATION_TIME)
    return reply(TeacherLink(url=f"/teach/{lesson.id}#{made}", expires_at=moment(claims.expires_at)), 201)


def _is_invited(request: web.Request, lesson: Lesson, invitation: str) -> bool:
    try:
        return request.app[caller.GRANTS].read(invitation, "invitation").lesson_id == lesson.id
    except TokenError:
        return False


def _seat(request: web.Request, lesson_id: str, account: Account, role: str) -> dict[str, Any]:
    """Who this is in the room: a teacher is one participant on all devices; an observer may look with several."""
    cookie = request.cookies.get(caller.session_cookie(request))
    if account.user_id is None or not cookie:
        return {}
    tag = request.app[PASSES].tag
    known_by = tag("account", lesson_id, account.user_id)
    return {"device": known_by} if role == "observer" else {"identity": known_by, "device": tag("session", cookie)}


async def find(request: web.Request, lesson_id: str) -> Lesson:
    """The lesson of this id, or a 404."""
    try:
        return await request.app[LESSONS].get(lesson_id)
    except LessonUnknownError as error:
        raise ProblemError(404, "lesson_unknown", "There is no such lesson") from error


async def watchable(request: web.Request, who: Caller) -> Lesson:
    """The lesson the path names, if the caller may know of it."""
    lesson_id = request.match_info["lesson_id"]
    if who.grant is not None:
        check_grant(request, who.grant, lesson_id)
    return await find(request, lesson_id)


def check_grant(request: web.Request, grant: Claims, lesson_id: str) -> None:
    """Raises ProblemError for a grant that is for another lesson, and for one whose bearer its room has not let in."""
    if grant.lesson_id != lesson_id:
        raise ProblemError(403, "token_foreign", "The token is for another lesson")
    request.app[LET_IN].check(grant)


async def views(request: web.Request, who: Caller, lessons: Iterable[Lesson]) -> tuple[LessonView, ...]:
    lessons = list(lessons)
    run = [lesson.id for lesson in lessons if who.may_run(lesson)]
    codes = await request.app[LESSONS].codes(run)
    invited = await request.app[INVITATIONS].of(run)
    words = await request.app[RECORDINGS].words([lesson.id for lesson in lessons])
    return tuple(
        view(
            lesson,
            codes.get(lesson.id),
            words.get(lesson.id, "none"),
            who,
            invited.get(lesson.id, ()),
        )
        for lesson in lessons
    )


def view(
    lesson: Lesson, code: str | None, recording: RecordingWord, who: Caller, invited: Iterable[KnownClass] = ()
) -> LessonView:
    return LessonView(
        lesson_id=lesson.id,
        title=lesson.title,
        kind=lesson.kind,
        class_code=code,
        join_url=code and join_url(code),
        status=cast(LessonStatus, lesson.status),
        created_at=lesson.created_at,
        started_at=lesson.started_at,
        ended_at=lesson.ended_at,
        recording=recording,
        recording_policy=cast(RecordingPolicy, lesson.recording_policy),
        keep=lesson.keep,
        may_run=who.may_run(lesson),
        may_lead=who.may_lead(lesson),
        starts_at=lesson.starts_at,
        subject=lesson.subject,
        grade=lesson.grade,
        rehearsal=lesson.rehearsal,
        classes=tuple(
            InvitedView(
                class_group_id=one.class_group_id,
                school=one.school,
                name=one.name,
                headcount=one.headcount,
                code=one.code,
            )
            for one in invited
        ),
    )


def class_unknown(detail: str = "") -> ProblemError:
    return ProblemError(404, "class_unknown", "There is no such class", detail[:100])


def join_url(code: str) -> str:
    """The class page for a code. In the fragment it reaches no log and no other server."""
    return f"/class#{code}"


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", str(PAGE))
    if not (text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= 500):
        raise ProblemError(422, "field_invalid", "A field is missing or not of the right form", "limit: 1 to 500")
    return int(text)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/lessons",
        create,
        "Make a lesson; its class code comes with it",
        body=NewLesson,
        reply=LessonView,
        status=201,
        codes=("no_free_code", "class_unknown"),
    ),
    Endpoint("GET", "/api/lessons", list_lessons, "Lessons, newest first (?limit=, ?before=)", reply=LessonList),
    Endpoint("GET", "/api/lessons/{lesson_id}", show, "One lesson", reply=LessonView, codes=("lesson_unknown",)),
    Endpoint(
        "DELETE",
        "/api/lessons/{lesson_id}",
        delete,
        "Delete a lesson that is not live, with its recording and all that was made of it",
        status=204,
        codes=("lesson_unknown", "lesson_live"),
    ),
    Endpoint(
        "POST",
        "/api/lessons/{lesson_id}/end",
        end,
        "End a lesson for everyone",
        reply=LessonView,
        codes=("lesson_unknown",),
    ),
    Endpoint(
        "POST",
        "/api/lessons/{lesson_id}/grants",
        grant,
        "A token to take part in a lesson with one's account",
        body=WantedGrant,
        reply=GrantView,
        status=201,
        codes=("lesson_unknown",),
    ),
    Endpoint(
        "POST",
        "/api/lessons/{lesson_id}/co_teacher_link",
        invite_teacher,
        "A link by which a second teacher joins the lesson with an account of their own",
        reply=TeacherLink,
        status=201,
        codes=("lesson_unknown",),
    ),
)
