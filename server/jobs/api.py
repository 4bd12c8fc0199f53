"""Exports of a lesson: GET, POST and DELETE below /api/lessons/{id}/exports."""

from __future__ import annotations

from typing import Literal, cast

from aiohttp import web
from pydantic import Field

from server import caller
from server.audit.api import TRAIL
from server.audit.trail import actor_of
from server.caller import Caller
from server.endpoint import Endpoint, Model, read, reply
from server.jobs.kinds import EXPORTS, KINDS, ExportKind
from server.jobs.ledger import JobsUnavailableError
from server.jobs.service import Export, Jobs, NotFinishedError, NothingRecordedError, TooManyJobsError
from server.lessons import api as lessons_api
from signaling.problems import ProblemError

JOBS = web.AppKey("jobs", Jobs)

# An export takes minutes of a core: classes may watch and save what others have had made.
ASKING_ROLES = frozenset({"lead_teacher", "co_teacher", "researcher"})


class ExportView(Model):
    kind: ExportKind
    state: Literal["none", "waiting", "running", "done", "failed", "cancelled"]
    progress: float = Field(description="0 … 1")
    bytes: int | None = Field(description="Of the file, when there is one")
    url: str | None = Field(description="Where the file is, relative to this server, when there is one")
    reason: str | None = Field(
        description="Why it failed: nothing_to_render, disk_full, store_unreachable, damaged, crashed, internal"
    )


class ExportList(Model):
    exports: tuple[ExportView, ...]


class WantedExport(Model):
    kind: ExportKind


async def list_exports(request: web.Request) -> web.Response:
    who = await caller.require(request)
    lesson = await lessons_api.watchable(request, who)
    try:
        found = await request.app[JOBS].exports(lesson.id)
    except (JobsUnavailableError, NothingRecordedError) as error:
        raise _problem(error) from error
    return reply(ExportList(exports=views(lesson.id, found)))


async def make(request: web.Request) -> web.Response:
    """Asking again for one that is there or on its way changes nothing."""
    who = await caller.require(request)
    lesson = await lessons_api.watchable(request, who)
    _may_ask(who)
    wanted = await read(request, WantedExport)
    try:
        made = await request.app[JOBS].request(lesson.id, wanted.kind)
    except (JobsUnavailableError, NothingRecordedError, NotFinishedError, TooManyJobsError) as error:
        raise _problem(error) from error
    request.app[TRAIL].saw(actor_of(who), "export_asked", lesson.id, lesson.title, wanted.kind)
    return reply(views(lesson.id, [made])[0], 202)


async def remove(request: web.Request) -> web.Response:
    """One on its way is called off, one that is there is removed; neither is no error."""
    who = await caller.require(request)
    lesson = await lessons_api.watchable(request, who)
    _may_ask(who)
    kind = request.match_info["kind"]
    if kind not in EXPORTS:
        raise ProblemError(404, "export_unknown", "There is no such kind of export")
    try:
        await request.app[JOBS].cancel(lesson.id, kind)
    except (JobsUnavailableError, NothingRecordedError, NotFinishedError) as error:
        raise _problem(error) from error
    request.app[TRAIL].saw(actor_of(who), "export_removed", lesson.id, lesson.title, kind)
    return web.Response(status=204)


def views(lesson_id: str, exports: list[Export]) -> tuple[ExportView, ...]:
    """Exports in the words of the API."""
    return tuple(
        ExportView(
            kind=one.kind,
            state=cast(Literal["none"], one.state),
            progress=1.0 if one.state == "done" else one.known.progress if one.known is not None else 0.0,
            bytes=one.size,
            url=f"/archive/{lesson_id}/{KINDS[one.kind].shown}" if one.size is not None else None,
            reason=one.reason,
        )
        for one in exports
    )


def _may_ask(who: Caller) -> None:
    if who.account is None and (who.grant is None or who.grant.role not in ASKING_ROLES):
        raise caller.forbidden("exports are made for teachers and researchers")


def _problem(error: Exception) -> ProblemError:
    match error:
        case NothingRecordedError():
            return ProblemError(404, "recording_unknown", "Nothing of this lesson was recorded")
        case NotFinishedError():
            return ProblemError(409, "recording_open", "The lesson is being recorded still; end it first")
        case TooManyJobsError():
            return ProblemError(503, "too_many_jobs", "Too many exports are waiting; try again later")
        case _:
            return ProblemError(503, "jobs_unavailable", "Background work is not possible now; try again later")


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/lessons/{lesson_id}/exports",
        list_exports,
        "Files made of a lesson's recording: movie (电影模式), the lead teacher's camera, all microphones",
        reply=ExportList,
        codes=("lesson_unknown", "recording_unknown", "token_foreign", "jobs_unavailable"),
    ),
    Endpoint(
        "POST",
        "/api/lessons/{lesson_id}/exports",
        make,
        "Have such a file made in the background; GET tells how far it is",
        body=WantedExport,
        reply=ExportView,
        status=202,
        codes=("lesson_unknown", "recording_unknown", "recording_open", "too_many_jobs", "jobs_unavailable"),
    ),
    Endpoint(
        "DELETE",
        "/api/lessons/{lesson_id}/exports/{kind}",
        remove,
        "Call such work off, or remove the file",
        status=204,
        codes=("lesson_unknown", "recording_unknown", "recording_open", "export_unknown", "jobs_unavailable"),
    ),
)
