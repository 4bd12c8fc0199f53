"""A WHIP door before the server's own, that names another way for the media: for publishers which are no browsers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

_PASSED = ("Authorization", "Content-Type", "If-Match")


@asynccontextmanager
async def whip_proxy(server: str, port: int, link: tuple[str, int]) -> AsyncIterator[str]:
    """Passes requests on to `server`; in answers its UDP `port` becomes `link` (see link.py). Yields its URL."""
    candidates = re.compile(rf"^(a=candidate:\S+ 1 udp \d+ )\S+ {port} ", re.M)

    async def forward(request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        body = await request.read()
        async with session.request(request.method, server + request.path, data=body, headers=headers) as answer:
            text = candidates.sub(rf"\g<1>{link[0]} {link[1]} ", await answer.text())
            kept = {name: answer.headers[name] for name in ("Location", "ETag") if name in answer.headers}
            return web.Response(status=answer.status, text=text, headers=kept, content_type=answer.content_type)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    async with aiohttp.ClientSession() as session, TestServer(app) as proxy:
        yield str(proxy.make_url("/")).rstrip("/")
