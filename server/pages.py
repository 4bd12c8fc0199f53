"""The browser's pages: one built application (web/dist) behind the addresses of the contract."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path

from aiohttp import hdrs, web

from signaling.problems import ProblemError

DIST = Path(__file__).parent.parent / "web" / "dist"

PAGES = (
    "/",
    "/login",
    "/lessons",
    "/class",
    "/teach/{lesson_id}",
    "/live/{lesson_id}",
    "/phone/{lesson_id}",
    "/replay/{lesson_id}",
    "/admin{tail:(/.*)?}",
    "/research{tail:(/.*)?}",
)

# Neither may come from elsewhere nor stand in the page itself. Styles may: Vue writes style attributes.
# Blobs: hls.js feeds the video element by one and runs its worker from one.
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; worker-src 'self' blob:; connect-src 'self'{sockets}; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?")

_PERMISSIONS = "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), autoplay=(self)"


def routes(dist: Path = DIST) -> list[web.RouteDef]:
    """The pages, their assets and the few files beside them."""

    async def page(request: web.Request) -> web.StreamResponse:
        if not (dist / "index.html").is_file():
            raise ProblemError(503, "pages_not_built", "The pages are not built", "Run `make setup` in the repository.")
        return web.FileResponse(dist / "index.html", headers=_page_headers(request))

    async def asset(request: web.Request) -> web.StreamResponse:
        # Their names carry a hash of their contents.
        return _file(dist / "assets", request.match_info["path"], "public, max-age=31536000, immutable")

    async def beside(request: web.Request) -> web.StreamResponse:
        return _file(dist, request.match_info["name"], "public, max-age=3600")

    return [
        *(web.get(path, page) for path in PAGES),
        web.get("/assets/{path:.+}", asset),
        web.get(r"/{name:[\w-]+(?:\.[\w-]+)*\.(?:ico|svg|png|webmanifest|txt|json)}", beside),
    ]


def _page_headers(request: web.Request) -> dict[str, str]:
    # Older Safari does not count a WebSocket of the same host as 'self'.
    host = request.host if _HOST.fullmatch(request.host) else ""
    sockets = f" {'wss' if request.secure else 'ws'}://{host}" if host else ""
    return {
        hdrs.CONTENT_TYPE: "text/html; charset=utf-8",
        hdrs.CACHE_CONTROL: "no-cache",
        "Content-Security-Policy": _POLICY.format(sockets=sockets),
        "Permissions-Policy": _PERMISSIONS,
    }


def _file(folder: Path, path: str, caching: str) -> web.FileResponse:
    try:
        found = (folder / path).resolve()
        there = found.is_relative_to(folder.resolve()) and found.is_file()
    except (OSError, ValueError):  # a name longer than any file's, or with a zero in it
        there = False
    if not there:
        raise ProblemError(404, "not_found", "There is nothing at this address")
    kind, _ = mimetypes.guess_type(found.name)
    return web.FileResponse(
        found, headers={hdrs.CACHE_CONTROL: caching, hdrs.CONTENT_TYPE: kind or "application/octet-stream"}
    )
