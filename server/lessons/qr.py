"""The way into a lesson as a picture: GET /api/lessons/{lesson_id}/qr, an SVG for screen and paper.

It leads to the class page with the lesson's code, or with the own code of an invited class. The codes stand in the
picture only, never in the address it is fetched by.
"""

from __future__ import annotations

import io
from functools import lru_cache
from urllib.parse import urlsplit

import segno
from aiohttp import web

from server import caller
from server.endpoint import Endpoint
from server.lessons.api import INVITATIONS, LESSONS, class_unknown, find, join_url
from signaling.problems import ProblemError


async def qr(request: web.Request) -> web.Response:
    who = await caller.require(request)
    lesson = await find(request, request.match_info["lesson_id"])
    if not who.may_run(lesson):
        raise caller.forbidden()
    wanted = request.query.get("class_group_id")
    if wanted is None:
        code = (await request.app[LESSONS].codes([lesson.id])).get(lesson.id)
    else:
        invited = (await request.app[INVITATIONS].of([lesson.id])).get(lesson.id, [])
        code = next((one.code for one in invited if one.class_group_id == wanted), None)
        if code is None:
            raise class_unknown("it is not invited to this lesson")
    if code is None:
        raise ProblemError(404, "class_code_unknown", "This lesson has no class code any more")
    return web.Response(
        body=picture(_origin(request) + join_url(code)),
        content_type="image/svg+xml",
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )


@lru_cache(256)
def picture(text: str) -> bytes:
    """A text as a QR code, with the quiet border readers need."""
    made = io.BytesIO()
    segno.make_qr(text, error="m").save(
        made, kind="svg", scale=8, border=4, xmldecl=False, svgclass=None, lineclass=None
    )
    return made.getvalue()


def _origin(request: web.Request) -> str:
    """Where the page that asks was loaded from: behind a proxy that does TLS only the page knows that it is https."""
    asked = request.query.get("origin", "")
    try:
        parts = urlsplit(asked)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme in ("http", "https") and parts.netloc == request.host:
        return f"{parts.scheme}://{parts.netloc}"
    return f"{request.scheme}://{request.host}"


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/lessons/{lesson_id}/qr",
        qr,
        "The way in as a QR code, SVG (?class_group_id= for an invited class's own, ?origin= of the page that asks)",
        codes=("lesson_unknown", "class_unknown"),
    ),
)
