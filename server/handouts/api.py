"""Handouts over REST: whoever runs a lesson adds and removes them, whoever is let in reads them.

A browser that opens or prints a file sends no header: who asks for the list with a grant gets a cookie for the files of
that lesson, as the archive does it.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from aiohttp import hdrs, web
from pydantic import Field

from server import caller
from server.endpoint import Endpoint, Model, reply
from server.handouts.store import MOST, Handout, Handouts, NoPdfError, TooManyHandoutsError
from server.lessons import api as lessons_api
from server.lessons.grants import Claims, TokenError
from server.lessons.model import Lesson
from server.phones.picture_file import NoPictureError
from server.phones.pictures import PictureTooLargeError
from signaling.problems import ProblemError

HANDOUTS = web.AppKey("handouts", Handouts)
UPLOADS = web.AppKey("handout_uploads", set[str])  # lessons to which one is on its way

MAX_HANDOUT = 20 * 1024 * 1024  # bytes
HANDOUT_TIME = 180.0  # seconds to send one: 20 MB at 1 Mb/s
MAX_UPLOADS = 4  # at once, of all lessons
MAX_NAME = 100

_COOKIE = "tongke_handouts"
_TYPES = {"pdf": "application/pdf", "picture": "image/jpeg"}


class HandoutView(Model):
    handout_id: str
    name: str
    kind: Literal["pdf", "picture"]
    size: int = Field(description="Bytes")
    added_at: datetime
    url: str = Field(description="Relative to this server; opens in a browser that has asked for the list")


class HandoutList(Model):
    handouts: tuple[HandoutView, ...]


async def list_handouts(request: web.Request) -> web.Response:
    who = await caller.require(request)
    lesson = await lessons_api.watchable(request, who)
    found = await asyncio.to_thread(request.app[HANDOUTS].of, lesson.id)
    response = reply(HandoutList(handouts=tuple(_view(lesson.id, one) for one in found)))
    if who.grant is not None and found:
        token, left = request.app[caller.GRANTS].copy(who.grant, "handouts")
        response.set_cookie(
            _COOKIE,
            token,
            max_age=left,
            path=f"/api/lessons/{lesson.id}/handouts",
            secure=request.secure,
            httponly=True,
            samesite="Lax",
        )
    return response


async def add(request: web.Request) -> web.Response:
    """The body is the file itself; what it is, its bytes say."""
    lesson = await _run(request)
    name = " ".join(request.query.get("name", "").split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise ProblemError(422, "field_invalid", "A field is missing or not of the right form", "name")
    if lesson.status == "ended":
        raise ProblemError(410, "lesson_ended", "The lesson is over")
    uploads = request.app[UPLOADS]
    if lesson.id in uploads or len(uploads) >= MAX_UPLOADS:
        raise ProblemError(429, "too_many_uploads", "Another file is on its way", headers={"Retry-After": "3"})
    uploads.add(lesson.id)
    try:
        made = await request.app[HANDOUTS].add(lesson.id, name, await _body(request))
    except TooManyHandoutsError as error:
        raise ProblemError(409, "too_many_handouts", "The lesson has as many as it may", f"at most {MOST}") from error
    except (NoPdfError, NoPictureError) as error:
        raise ProblemError(415, "handout_malformed", "This is neither a PDF nor a picture", str(error)) from error
    except PictureTooLargeError as error:
        raise ProblemError(413, "handout_too_large", "The file is too large", str(error)) from error
    except OSError as error:
        raise ProblemError(503, "handout_not_kept", "The file could not be kept") from error
    finally:
        uploads.discard(lesson.id)
    try:
        await lessons_api.find(request, lesson.id)
    except ProblemError:  # deleted meanwhile
        await asyncio.to_thread(request.app[HANDOUTS].delete, lesson.id)
        raise
    return reply(_view(lesson.id, made), 201)


async def show(request: web.Request) -> web.StreamResponse:
    lesson_id = request.match_info["lesson_id"]
    if (shown := _of_cookie(request, lesson_id)) is not None:
        lessons_api.check_grant(request, shown, lesson_id)
    else:
        await lessons_api.watchable(request, await caller.require(request))
    lesson = await lessons_api.find(request, lesson_id)
    found = await asyncio.to_thread(request.app[HANDOUTS].find, lesson.id, request.match_info["handout_id"])
    if found is None:
        raise ProblemError(404, "handout_unknown", "There is no such handout")
    one, path = found
    headers = {
        hdrs.CONTENT_TYPE: _TYPES[one.kind],
        hdrs.CACHE_CONTROL: "private, no-cache",
        hdrs.CONTENT_DISPOSITION: f"inline; filename*=UTF-8''{quote(_file_name(one), safe='')}",
        "Content-Security-Policy": "frame-ancestors 'self'",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return web.FileResponse(path, headers=headers)


async def remove(request: web.Request) -> web.Response:
    lesson = await _run(request)
    handout_id = request.match_info["handout_id"]
    if not await asyncio.to_thread(request.app[HANDOUTS].remove, lesson.id, handout_id):
        raise ProblemError(404, "handout_unknown", "There is no such handout")
    return web.Response(status=204)


async def _run(request: web.Request) -> Lesson:
    """The lesson, for those who run it. Raises ProblemError."""
    who = await caller.require(request)
    lesson = await lessons_api.find(request, request.match_info["lesson_id"])
    if not who.may_run(lesson):
        raise caller.forbidden()
    return lesson


async def _body(request: web.Request) -> bytes:
    too_large = ProblemError(413, "handout_too_large", "The file is too large", f"at most {MAX_HANDOUT} bytes")
    if (request.content_length or 0) > MAX_HANDOUT:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(HANDOUT_TIME):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > MAX_HANDOUT:
                    raise too_large
    except TimeoutError as error:
        raise ProblemError(408, "body_slow", "The file did not come in time") from error
    return bytes(body)


def _view(lesson_id: str, one: Handout) -> HandoutView:
    return HandoutView(
        handout_id=one.handout_id,
        name=one.name,
        kind=one.kind,
        size=one.size,
        added_at=one.added_at,
        url=f"/api/lessons/{lesson_id}/handouts/{one.handout_id}",
    )


def _file_name(one: Handout) -> str:
    """What it is saved as: its name, ending as what it is."""
    ending = one.file.rpartition(".")[2]
    return one.name if one.name.lower().endswith(f".{ending}") else f"{one.name}.{ending}"


def _of_cookie(request: web.Request, lesson_id: str) -> Claims | None:
    """What the cookie for this lesson's handouts says; None without one."""
    try:
        claims = request.app[caller.GRANTS].read(request.cookies.get(_COOKIE, ""), "handouts")
    except TokenError:
        return None
    return claims if claims.lesson_id == lesson_id else None


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/lessons/{lesson_id}/handouts",
        list_handouts,
        "What is to be read or printed before the lesson",
        reply=HandoutList,
        codes=("lesson_unknown", "not_admitted", "token_foreign"),
    ),
    Endpoint(
        "POST",
        "/api/lessons/{lesson_id}/handouts",
        add,
        "Add a handout (?name=): PDF, JPEG, PNG or WebP, at most 20 MB, twelve of a lesson",
        reply=HandoutView,
        status=201,
        codes=(
            "lesson_unknown",
            "lesson_ended",
            "handout_malformed",
            "handout_too_large",
            "handout_not_kept",
            "too_many_handouts",
            "too_many_uploads",
        ),
    ),
    Endpoint(
        "GET",
        "/api/lessons/{lesson_id}/handouts/{handout_id}",
        show,
        "A handout, PDF or JPEG",
        codes=("lesson_unknown", "handout_unknown"),
    ),
    Endpoint(
        "DELETE",
        "/api/lessons/{lesson_id}/handouts/{handout_id}",
        remove,
        "Take a handout away",
        status=204,
        codes=("lesson_unknown", "handout_unknown"),
    ),
)
