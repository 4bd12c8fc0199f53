"""Slides over REST: whoever teaches a lesson brings them and takes them away, whoever is let in looks at their pages.

An `<img>` sends no header: who asks for the list with a grant gets a cookie for the pages of that lesson, as for
handouts. What is ready, and what is taken away, is told to the lesson's room, if that is open.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import PurePath

from aiohttp import hdrs, web
from pydantic import Field

from server import caller
from server.audit.api import TRAIL
from server.audit.trail import actor_of
from server.caller import Caller
from server.endpoint import Endpoint, Model, reply
from server.lessons import api as lessons_api
from server.lessons.grants import Claims, TokenError
from server.lessons.model import Lesson
from server.slides.renderer import Renderer
from server.slides.shelf import Shelf
from server.slides.slide_set import SlideSet, SlidesFault, SlidesState
from server.slides.store import MOST, Slides, TooManySlidesError
from server.slides.upload import has_room, kind_of, receive
from signaling.problems import ProblemError

SLIDES = web.AppKey("slides", Slides)
RENDERER = web.AppKey("slides_renderer", Renderer)
SHELF = web.AppKey("slides_shelf", Shelf)
UPLOADS = web.AppKey("slides_uploads", set[str])  # lessons to which some are on their way

MAX_UPLOADS = 16  # at once, of all lessons; each costs little but the disk
MAX_TITLE = 100

_COOKIE = "tongke_slides"
_IMMUTABLE = "private, max-age=31536000, immutable"  # another page has another address


class SlidesView(Model):
    slides_id: str
    title: str
    state: SlidesState
    reason: SlidesFault | None = Field(description="Why they cannot be shown, of those that failed")
    done: int = Field(description="Pages that are drawn")
    pages: int | None = Field(description="How many there are; null: not counted yet")
    width: int = Field(description="Pixels of page 1; 0: not known yet")
    height: int
    added_at: datetime


class SlidesList(Model):
    slides: tuple[SlidesView, ...]


async def list_slides(request: web.Request) -> web.Response:
    who = await caller.require(request)
    lesson = await lessons_api.watchable(request, who)
    here = await asyncio.to_thread(request.app[SLIDES].of, lesson.id)
    response = reply(SlidesList(slides=tuple(_view(request, one) for one in here)))
    if who.grant is not None:
        token, left = request.app[caller.GRANTS].copy(who.grant, "slides")
        response.set_cookie(
            _COOKIE,
            token,
            max_age=left,
            path=f"/api/lessons/{lesson.id}/slides",
            secure=request.secure,
            httponly=True,
            samesite="Lax",
        )
    return response


async def add(request: web.Request) -> web.Response:
    """A form with one file; what it is, its bytes say. It is drawn afterwards."""
    _, lesson = await _taught(request)
    if lesson.status == "ended":
        raise ProblemError(410, "lesson_ended", "The lesson is over")
    title = _title(request.query.get("title", ""))
    uploads, slides = request.app[UPLOADS], request.app[SLIDES]
    if lesson.id in uploads or len(uploads) >= MAX_UPLOADS:
        raise ProblemError(429, "too_many_uploads", "Another file is on its way", headers={"Retry-After": "3"})
    uploads.add(lesson.id)
    try:
        await asyncio.to_thread(slides.check, lesson.id)
        draft = await asyncio.to_thread(slides.draft)
        if not await asyncio.to_thread(has_room, draft.parent, request.content_length or 0):
            raise _not_kept()
        try:
            name = await receive(request, draft)
            kind = await asyncio.to_thread(kind_of, draft)
            title = title or _title(PurePath(name).stem) or "…"
            made = await asyncio.to_thread(slides.add, lesson.id, title, kind, draft)
        finally:
            await asyncio.to_thread(draft.unlink, missing_ok=True)
    except TooManySlidesError as error:
        raise ProblemError(409, "too_many_slides", "The lesson has as many as it may", f"at most {MOST}") from error
    except ConnectionError:
        raise  # who sent it has gone
    except OSError as error:
        raise _not_kept() from error
    finally:
        uploads.discard(lesson.id)
    try:
        await lessons_api.find(request, lesson.id)
    except ProblemError:  # deleted meanwhile
        await asyncio.to_thread(slides.delete, lesson.id)
        raise
    request.app[RENDERER].put(lesson.id, made.slides_id)
    return reply(_view(request, made), 202)


async def show(request: web.Request) -> web.StreamResponse:
    return await _page(request, small=False)


async def show_small(request: web.Request) -> web.StreamResponse:
    return await _page(request, small=True)


async def remove(request: web.Request) -> web.Response:
    who, lesson = await _taught(request)
    slides, slides_id = request.app[SLIDES], request.match_info["slides_id"]
    one = await asyncio.to_thread(slides.find, lesson.id, slides_id)
    if one is None or not await asyncio.to_thread(slides.remove, lesson.id, slides_id):
        raise ProblemError(404, "slides_unknown", "There are no such slides")
    request.app[SHELF].removed(lesson.id, slides_id)
    request.app[TRAIL].saw(actor_of(who), "slides_removed", lesson.id, lesson.title, one.title)
    return web.Response(status=204)


async def _page(request: web.Request, small: bool) -> web.StreamResponse:
    lesson_id = request.match_info["lesson_id"]
    who = await caller.identify(request)
    if who.account is None and who.grant is None and (shown := _of_cookie(request, lesson_id)) is not None:
        lessons_api.check_grant(request, shown, lesson_id)
    else:
        await lessons_api.watchable(request, await caller.require(request))
    lesson = await lessons_api.find(request, lesson_id)
    page = int(request.match_info["page"])
    path = await asyncio.to_thread(request.app[SLIDES].page, lesson.id, request.match_info["slides_id"], page, small)
    if path is None:
        raise ProblemError(404, "page_unknown", "There is no such page")
    headers = {
        hdrs.CONTENT_TYPE: "image/webp",
        hdrs.CACHE_CONTROL: _IMMUTABLE,
        hdrs.CONTENT_DISPOSITION: "inline",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return web.FileResponse(path, headers=headers)


async def _taught(request: web.Request) -> tuple[Caller, Lesson]:
    """Who asks, and the lesson: for those who run it and for a second teacher in it. Raises ProblemError."""
    who = await caller.require(request)
    lesson = await lessons_api.find(request, request.match_info["lesson_id"])
    if not who.may_run(lesson) and not _helps(request, who, lesson):
        raise caller.forbidden()
    return who, lesson


def _helps(request: web.Request, who: Caller, lesson: Lesson) -> bool:
    if who.grant is None or who.grant.role != "co_teacher":
        return False
    lessons_api.check_grant(request, who.grant, lesson.id)
    return True


def _title(text: str) -> str:
    """As it can be shown; raises ProblemError for what cannot."""
    title = " ".join(text.split())[:MAX_TITLE]
    if not title.isprintable():
        raise ProblemError(422, "field_invalid", "A field is missing or not of the right form", "title")
    return title


def _not_kept() -> ProblemError:
    return ProblemError(503, "slides_not_kept", "The file could not be kept")


def _view(request: web.Request, one: SlideSet) -> SlidesView:
    done, pages = request.app[RENDERER].progress(one)
    return SlidesView(
        slides_id=one.slides_id,
        title=one.title,
        state=one.state,
        reason=one.reason,
        done=done,
        pages=pages,
        width=one.width,
        height=one.height,
        added_at=one.added_at,
    )


def _of_cookie(request: web.Request, lesson_id: str) -> Claims | None:
    """What the cookie for this lesson's slides says; None without one."""
    try:
        claims = request.app[caller.GRANTS].read(request.cookies.get(_COOKIE, ""), "slides")
    except TokenError:
        return None
    return claims if claims.lesson_id == lesson_id else None


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/lessons/{lesson_id}/slides",
        list_slides,
        "The slides of a lesson, in the order they came; a browser that asks with a token can then show their pages",
        reply=SlidesList,
        codes=("lesson_unknown", "not_admitted", "removed", "token_foreign"),
    ),
    Endpoint(
        "POST",
        "/api/lessons/{lesson_id}/slides",
        add,
        "Bring slides (?title=): PDF, PNG, JPEG or WebP, at most 100 MB and 200 pages, twenty of a lesson. They are "
        "drawn afterwards",
        form=True,
        reply=SlidesView,
        status=202,
        codes=(
            "lesson_unknown",
            "lesson_ended",
            "slides_office",
            "slides_malformed",
            "slides_cut_short",
            "slides_too_large",
            "slides_not_kept",
            "too_many_slides",
            "too_many_uploads",
        ),
    ),
    Endpoint(
        "GET",
        "/api/lessons/{lesson_id}/slides/{slides_id}/{page:[1-9][0-9]?[0-9]?}.webp",
        show,
        "A page of slides, WebP, its longer side 1920 pixels at most",
        codes=("lesson_unknown", "page_unknown", "not_admitted", "removed"),
    ),
    Endpoint(
        "GET",
        "/api/lessons/{lesson_id}/slides/{slides_id}/{page:[1-9][0-9]?[0-9]?}.small.webp",
        show_small,
        "The same page at most 320 pixels wide",
        codes=("lesson_unknown", "page_unknown", "not_admitted", "removed"),
    ),
    Endpoint(
        "DELETE",
        "/api/lessons/{lesson_id}/slides/{slides_id}",
        remove,
        "Take slides away, with what was drawn on them",
        status=204,
        codes=("lesson_unknown", "slides_unknown"),
    ),
)
