"""The browser's pages: one built application (web/dist) behind the addresses of the contract.

At any other address a browser gets the same application, with status 404: it says in words that there is nothing.
"""

from __future__ import annotations

import asyncio
import mimetypes
import re
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from server.endpoint import Handler
from signaling.problems import ProblemError

DIST = Path(__file__).parent.parent / "web" / "dist"

PAGES = (
    "/",
    "/login",
    "/lessons",
    "/lessons/{lesson_id}/guide",
    "/class",
    "/teach/{lesson_id}",
    "/teach/{lesson_id}/audience",
    "/live/{lesson_id}",
    "/phone/{lesson_id}",
    "/preflight",
    "/remote/{lesson_id}",
    "/replay/{lesson_id}",
    "/admin{tail:(/.*)?}",
    "/research{tail:(/.*)?}",
)

# The same application, but the head of the page names what it will need (web/build/delivery.ts).
_AHEAD = {"class": "class.html", "live": "live.html"}

# What programs ask for: below these an unknown address is a problem, whoever asks.
_NO_PAGES = ("/api", "/archive", "/assets", "/ws", "/whip", "/whep")

# Neither may come from elsewhere nor stand in the page itself. Styles may: Vue writes style attributes.
# Blobs: hls.js feeds the video element by one and runs its worker from one.
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:{store}; "
    "media-src 'self' blob:{store}; worker-src 'self' blob:; connect-src 'self'{sockets}{store}; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?")

_PERMISSIONS = "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), autoplay=(self)"


def routes(dist: Path = DIST, store: str = "") -> list[web.RouteDef]:
    """The pages, their assets and the few files beside them. `store`: where else they fetch recordings from."""

    async def page(request: web.Request) -> web.StreamResponse:
        own = dist / _AHEAD.get(request.path.split("/")[1], "")
        found = own if own.is_file() else dist / "index.html"
        if not found.is_file():
            raise ProblemError(503, "pages_not_built", "The pages are not built", "Run `make setup` in the repository.")
        return web.FileResponse(found, headers={**_page_headers(request, store), hdrs.VARY: hdrs.ACCEPT_ENCODING})

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


def unknown_addresses(dist: Path = DIST) -> Middleware:
    """Shows a person who comes to an unknown address the pages; a program gets its problem."""

    @web.middleware
    async def show(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPNotFound, ProblemError) as error:
            if error.status != 404 or not _wants_page(request):
                raise
            try:
                text = await asyncio.to_thread((dist / "index.html").read_text, "utf-8")
            except FileNotFoundError:
                raise error from None
            # Not a FileResponse: that would answer If-None-Match and Range with another status.
            return web.Response(status=404, text=text, headers={**_page_headers(request), hdrs.VARY: hdrs.ACCEPT})

    return show


def _wants_page(request: web.Request) -> bool:
    if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
        return False
    if any(request.path == prefix or request.path.startswith(prefix + "/") for prefix in _NO_PAGES):
        return False
    accepted = ",".join(request.headers.getall(hdrs.ACCEPT, ())).lower().split(",")
    return any(kind.partition(";")[0].strip() == "text/html" for kind in accepted)


def _page_headers(request: web.Request, store: str = "") -> dict[str, str]:
    # Older Safari does not count a WebSocket of the same host as 'self'.
    host = request.host if _HOST.fullmatch(request.host) else ""
    sockets = f" {'wss' if request.secure else 'ws'}://{host}" if host else ""
    return {
        hdrs.CONTENT_TYPE: "text/html; charset=utf-8",
        hdrs.CACHE_CONTROL: "no-cache",
        "Content-Security-Policy": _POLICY.format(sockets=sockets, store=f" {store}" if store else ""),
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
        found,
        headers={
            hdrs.CACHE_CONTROL: caching,
            hdrs.CONTENT_TYPE: kind or "application/octet-stream",
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
        },
    )
