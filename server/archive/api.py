"""The recording of a lesson and its files: GET /api/lessons/{id}/recording and /archive/{id}/… .

Files go out by aiohttp's FileResponse: Range, If-None-Match, HEAD, and the kernel's sendfile. A player that cannot send
a header (the video element) is let in by a cookie for that folder, set when the recording is asked for with a token.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any, Literal

from aiohttp import hdrs, web
from pydantic import Field

from recorder import lead, slides
from recorder.content_types import content_type
from recorder.event_log import EVENTS
from recorder.manifest import NAME
from recorder.places.place import PlaceError, SignedURL, StoredFile
from server import caller
from server.archive import passing
from server.archive.live_lists import LiveLists
from server.archive.recordings import Recordings
from server.audit.api import TRAIL
from server.audit.trail import actor_of
from server.caller import Caller
from server.endpoint import Endpoint, Model, reply
from server.jobs import api as jobs_api
from server.jobs.kinds import KINDS, KindName
from server.jobs.ledger import JobsUnavailableError
from server.lessons import api as lessons_api
from server.lessons.grants import Claims, TokenError
from server.recording import RecorderAttachment
from signaling.problems import ProblemError

ARCHIVE = web.AppKey("archive", Recordings)
LISTS = web.AppKey("archive_live_lists", LiveLists)
RECORDER = web.AppKey("archive_recorder", RecorderAttachment)  # told which lessons are watched live by HTTP

COOKIE = "tongke_archive"

FIXED = (".m4s", ".mp4", slides.SUFFIX)  # written once; what the others say may change while the lesson is on
MEDIA = ("tracks/", f"{lead.SILENCE}/", f"{slides.SLIDES}/")  # where that holds; exports come and go
LIVE = frozenset({lead.LIVE, lead.LIVE_CAMERA_LIST, lead.LIVE_SOUND_LIST})  # what players ask for again and again
_SHOWN: tuple[KindName, ...] = ("poster", "storyboard", "speech")
UNCHANGING = "private, max-age=31536000, immutable"
SETTLED = 10.0  # seconds without a change after which a part of a running recording counts as complete


class TrackView(Model):
    publication_id: str
    participant: str
    kind: Literal["audio", "video"]
    source: str
    lead: bool
    codec: str
    start_ms: int
    duration_ms: int
    playlist: str
    gaps: tuple[tuple[int, int], ...]


class RecordingView(Model):
    status: Literal["recording", "ready", "damaged"]
    duration_ms: int
    tracks: tuple[TrackView, ...]
    epoch_ms: int = Field(description="The lesson clock's zero, ms since 1970; 0 while the manifest cannot be read")
    poster: str | None = Field(None, description="A picture; this and the next two are relative to /archive/{id}/")
    storyboard: str | None = Field(None, description="WebVTT whose cues name pieces of one picture, for the seek bar")
    speech: str | None = Field(None, description="Who spoke when, JSON")
    exports: tuple[jobs_api.ExportView, ...] = Field((), description="As /api/lessons/{id}/exports has them")


async def recording(request: web.Request) -> web.Response:
    who = await caller.require(request)
    lesson = await lessons_api.watchable(request, who)
    found = await request.app[ARCHIVE].describe(lesson.id)
    if found is None:
        raise ProblemError(404, "recording_unknown", "Nothing of this lesson was recorded")
    seen = RecordingView.model_validate({**found, **await _derived(request, lesson.id, found)})
    request.app[TRAIL].saw(actor_of(who), "seen", lesson.id, lesson.title)
    response = reply(seen)
    if who.grant is not None:
        _let_in(request, response, lesson.id, who)
    return response


async def file(request: web.Request) -> web.StreamResponse:
    """One file of a recording."""
    lesson_id = request.match_info["lesson_id"]
    await _may_read(request, lesson_id)
    if request.app[lessons_api.DELETIONS].is_gone(lesson_id):
        raise ProblemError(404, "file_unknown", "There is no such file in this recording")
    if request.match_info["path"] in LIVE:
        # Although the first segment may still be to come: then it comes sooner.
        request.app[RECORDER].fetched(lesson_id)
        await _blocking(request, lesson_id)
    path = request.match_info["path"]
    kind = content_type(path)
    found = await _find(request, lesson_id, path) if kind else None
    if found is None:
        raise ProblemError(404, "file_unknown", "There is no such file in this recording")
    if path.startswith("export/"):
        await _note_taken(request, lesson_id)
    if isinstance(found, SignedURL):
        return passing.redirect(found)
    headers = {hdrs.CONTENT_TYPE: kind, "Cross-Origin-Resource-Policy": "same-origin"}
    if not isinstance(found, Path):
        if passing.asks_for_part(request, f'"{found.etag}"'):
            _check_range(request, found.size)
        headers[hdrs.CACHE_CONTROL] = UNCHANGING if _is_fixed(path) else "private, no-cache"
        return await passing.pass_on(request, found, headers)
    try:
        status = found.stat()
    except FileNotFoundError as error:  # just now gone to the store alone; asked for again, it comes from there
        raise passing.unreachable() from error
    headers[hdrs.CACHE_CONTROL] = await asyncio.to_thread(_caching, request.app[ARCHIVE], lesson_id, path, found)
    if path == EVENTS and passing.asks_for_all(request):
        whole = passing.WholeFile(found, headers=headers)
        whole.enable_compression()  # with a board in it it has some megabytes, a tenth of that squeezed
        return whole
    # aiohttp knows If-Range with a date, which it compares itself, but none with an ETag.
    if request.if_range is None and not passing.asks_for_part(request, f'"{status.st_mtime_ns:x}-{status.st_size:x}"'):
        return passing.WholeFile(found, headers=headers)
    _check_range(request, status.st_size)
    return web.FileResponse(found, headers=headers)


async def _find(request: web.Request, lesson_id: str, path: str) -> Path | SignedURL | StoredFile | None:
    try:
        return await asyncio.to_thread(request.app[ARCHIVE].file, lesson_id, path)
    except PlaceError as error:
        raise passing.unreachable() from error


async def _note_taken(request: web.Request, lesson_id: str) -> None:
    """Whoever takes a file out of the house stands in the audit trail."""
    lesson = await lessons_api.find(request, lesson_id)
    name = request.match_info["path"].removeprefix("export/")
    request.app[TRAIL].saw(actor_of(await _bearer(request)), "export_taken", lesson_id, lesson.title, name)


async def _bearer(request: web.Request) -> Caller:
    """Who asks; one who shows the archive's cookie only is whom that was made for."""
    who = await caller.identify(request)
    if who.account is None and who.grant is None:
        with contextlib.suppress(TokenError):
            who = Caller(grant=request.app[caller.GRANTS].read(request.cookies.get(COOKIE, ""), "archive"))
    return who


async def _may_read(request: web.Request, lesson_id: str) -> None:
    who = await caller.identify(request)
    if who.account is not None:
        return
    grant = who.grant
    if grant is None or grant.lesson_id != lesson_id:
        grant = _of_cookie(request, lesson_id) or grant
    if grant is None:
        raise ProblemError(401, "login_required", "Log in or send a token", headers={"WWW-Authenticate": "Bearer"})
    lessons_api.check_grant(request, grant, lesson_id)


async def _blocking(request: web.Request, lesson_id: str) -> None:
    """Wait for what a player knows to come next (RFC 8216bis section 6.2.5.2)."""
    try:
        segment, part = (
            int(value) if (value := request.query.get(name)) is not None else None for name in ("_HLS_msn", "_HLS_part")
        )
        if part is not None and segment is None:
            raise ValueError("a part of no segment")
    except ValueError as error:
        raise ProblemError(400, "delivery_directive_malformed", "Ask for _HLS_msn, or _HLS_part with it") from error
    folder = request.app[ARCHIVE].folder(lesson_id)
    if segment is not None and folder is not None:  # a list that is not there, or only in the store, does not grow
        await request.app[LISTS].reached(folder / request.match_info["path"], segment, part)


def _check_range(request: web.Request, size: int) -> None:
    # FileResponse would say 416 too, but without a word.
    try:
        start = request.http_range.start
    except ValueError:
        start = size
    if start is not None and start >= size:
        headers = {"Content-Range": f"bytes */{size}"}
        raise ProblemError(416, "range_not_satisfiable", "The file has no such range", headers=headers)


async def _derived(request: web.Request, lesson_id: str, found: dict[str, Any]) -> dict[str, Any]:
    """What has been made of the recording. Without the store of jobs only what is being made is not known."""
    there = found["derived"]
    shown: dict[str, Any] = {
        name: KINDS[name].shown if there.keys() >= set(KINDS[name].files) else None for name in _SHOWN
    }
    try:
        exports = await request.app[jobs_api.JOBS].exports(lesson_id, there)
    except JobsUnavailableError:
        exports = []
    return {**shown, "exports": jobs_api.views(lesson_id, exports)}


def _let_in(request: web.Request, response: web.Response, lesson_id: str, who: Caller) -> None:
    assert who.grant is not None
    token, left = request.app[caller.GRANTS].copy(who.grant, "archive")
    response.set_cookie(
        COOKIE,
        token,
        max_age=left,
        path=f"/archive/{lesson_id}/",
        secure=request.secure,
        httponly=True,
        samesite="Lax",
    )


def _of_cookie(request: web.Request, lesson_id: str) -> Claims | None:
    """What the archive's cookie for this lesson says; None without one."""
    try:
        claims = request.app[caller.GRANTS].read(request.cookies.get(COOKIE, ""), "archive")
    except TokenError:
        return None
    return claims if claims.lesson_id == lesson_id else None


def _caching(archive: Recordings, lesson_id: str, path: str, found: Path) -> str:
    """What a browser or a cache before us may keep; `private`, for only those may see it whom we let in."""
    if _is_fixed(path):
        changed = found.stat().st_mtime
        if time.time() - changed > SETTLED or _finished(archive, lesson_id, changed):
            return UNCHANGING
    return "private, no-cache"


def _is_fixed(path: str) -> bool:
    return path.endswith(FIXED) and path.startswith(MEDIA)


def _finished(archive: Recordings, lesson_id: str, changed: float) -> bool:
    """Whether the lesson was finished after that; one that is opened again has its manifest written anew."""
    folder = archive.folder(lesson_id)
    return folder is not None and archive.word(lesson_id) == "ready" and (folder / NAME).stat().st_mtime >= changed


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/lessons/{lesson_id}/recording",
        recording,
        "What was recorded of a lesson; works in mid-lesson",
        reply=RecordingView,
        codes=("lesson_unknown", "recording_unknown", "token_foreign"),
    ),
    Endpoint(
        "GET",
        "/archive/{lesson_id}/{path:.+}",
        file,
        "A playlist, segment or other file of a recording; Range and If-None-Match work",
        codes=("file_unknown", "token_foreign", "delivery_directive_malformed", "store_unreachable"),
    ),
)
