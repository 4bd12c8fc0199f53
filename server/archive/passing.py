"""Files that only the store has, passed on to those who watch: Range, If-None-Match, HEAD as for those here.

And of those here what aiohttp lacks: a part is given only of the file that the client has the other part of.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter

from recorder.places.place import PlaceError, SignedURL, StoredFile
from signaling.problems import ProblemError

AGAIN = 5  # seconds after which a player may ask again when the store did not answer


def unreachable() -> ProblemError:
    """What a client is told while the store does not answer."""
    return ProblemError(
        503, "store_unreachable", "The store of recordings does not answer", headers={"Retry-After": str(AGAIN)}
    )


def redirect(found: SignedURL) -> web.Response:
    """Straight to the store. The address may be used again only as long as it is surely good."""
    headers = {hdrs.LOCATION: found.url, hdrs.CACHE_CONTROL: f"private, max-age={found.expires_s // 2}"}
    return web.Response(status=307, headers=headers)


async def pass_on(request: web.Request, found: StoredFile, headers: Mapping[str, str]) -> web.StreamResponse:
    """The file, or the range of it that is asked for; the caller has seen that there is such a range."""
    etag = f'"{found.etag}"'
    response = web.StreamResponse(headers={**headers, hdrs.ETAG: etag, hdrs.ACCEPT_RANGES: "bytes"})
    asked = [tag.strip().removeprefix("W/") for tag in request.headers.get(hdrs.IF_NONE_MATCH, "").split(",")]
    if found.etag and (etag in asked or "*" in asked):
        response.set_status(304)
        await response.prepare(request)
        return response
    start, end = _range(request, found, etag)
    if (start, end) != (0, found.size):
        response.set_status(206)
        response.headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{end - 1}/{found.size}"
    response.content_length = end - start
    if request.method == hdrs.METH_HEAD or start == end:
        await response.prepare(request)
        return response
    pieces = found.read(start, end)
    try:
        first = await anext(pieces)  # before anything is promised
    except (PlaceError, StopAsyncIteration) as error:
        raise unreachable() from error
    await response.prepare(request)
    await response.write(first)
    try:
        async for piece in pieces:
            await response.write(piece)
    except PlaceError:
        # Too late to say so: the client sees that bytes are missing, and asks again.
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response


def asks_for_part(request: web.Request, etag: str) -> bool:
    """Whether only a range is asked for; not when the part a client already has is of another file (If-Range)."""
    return hdrs.RANGE in request.headers and request.headers.get(hdrs.IF_RANGE, etag) == etag


# With these the answer may be no whole file.
_PARTIAL = (hdrs.RANGE, hdrs.IF_NONE_MATCH, hdrs.IF_MODIFIED_SINCE, hdrs.IF_MATCH, hdrs.IF_UNMODIFIED_SINCE)


def asks_for_all(request: web.Request) -> bool:
    """Whether nothing but the file will do, so that it may be squeezed: aiohttp squeezes the nothing of a 304, too."""
    return request.method == hdrs.METH_GET and not any(name in request.headers for name in _PARTIAL)


class WholeFile(web.FileResponse):
    """A file from beginning to end, whatever Range says."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        headers = request.headers.copy()
        headers.popall(hdrs.RANGE, None)
        return await super().prepare(request.clone(headers=headers))


def _range(request: web.Request, found: StoredFile, etag: str) -> tuple[int, int]:
    """The bytes that are asked for, or all of them."""
    if not asks_for_part(request, etag):
        return 0, found.size
    asked = request.http_range
    start = asked.start or 0
    if start < 0:
        return max(0, found.size + start), found.size
    return start, min(found.size, asked.stop if asked.stop is not None else found.size)
