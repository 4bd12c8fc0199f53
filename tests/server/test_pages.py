import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server import door, pages
from server.metrics import HttpMeter
from tests.server.application import Client, problem

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PAGE = "<!doctype html><title>同课</title>"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text(PAGE, "utf-8")
    app = web.Application(middlewares=[door.door, pages.unknown_addresses(dist)])
    app.on_response_prepare.append(door.on_prepare)
    app[door.METER] = HttpMeter()
    app.add_routes(pages.routes(dist))
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize("path", ["/nothing", "/teach/a/b", "/apiary", "/notes.json", "/学校", "/%00", "/..%2fx"])
async def test_a_browser_at_an_unknown_address_gets_the_pages_which_say_so(client: Client, path: str) -> None:
    response = await client.get(path, headers=BROWSER)
    assert (response.status, response.content_type) == (404, "text/html")
    assert await response.text() == PAGE
    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["Vary"] == "Accept"
    again = await client.get(path, headers={**BROWSER, "If-None-Match": "*", "Range": "bytes=0-3"})
    assert (again.status, await again.text()) == (404, PAGE)
    assert (await client.head(path, headers=BROWSER)).status == 404


@pytest.mark.parametrize("path", ["/api", "/api/x", "/archive/l1/x", "/assets/x.js", "/ws/a/b", "/whip", "/whep/a/b/c"])
async def test_below_what_programs_ask_for_an_unknown_address_is_a_problem(client: Client, path: str) -> None:
    assert await problem(await client.get(path, headers=BROWSER)) == (404, "not_found")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "image/png, */*", "x-text/html", ""])
async def test_who_asks_for_no_page_gets_a_problem(client: Client, accept: str) -> None:
    assert await problem(await client.get("/nothing", headers={"Accept": accept})) == (404, "not_found")


async def test_what_is_sent_to_an_unknown_address_is_a_problem(client: Client) -> None:
    assert await problem(await client.post("/nothing", headers=BROWSER)) == (404, "not_found")
    assert await problem(await client.put("/login", headers=BROWSER)) == (405, "method_not_allowed")


async def test_without_built_pages_an_unknown_address_is_a_problem(client: Client, tmp_path: Path) -> None:
    (tmp_path / "dist" / "index.html").unlink()
    assert await problem(await client.get("/nothing", headers=BROWSER)) == (404, "not_found")


async def test_the_pages_of_a_class_name_what_they_need_and_all_pages_come_squeezed(
    client: Client, tmp_path: Path
) -> None:
    ahead = PAGE + '<link rel="modulepreload" href="/assets/ClassPage.js">'
    (tmp_path / "dist" / "class.html").write_text(ahead, "utf-8")
    (tmp_path / "dist" / "class.html.gz").write_bytes(gzip.compress(ahead.encode()))
    for encoding, squeezed in (("gzip", "gzip"), ("identity", None)):
        response = await client.get("/class", headers={**BROWSER, "Accept-Encoding": encoding})
        assert (response.status, await response.text()) == (200, ahead)
        assert response.headers.get("Content-Encoding") == squeezed
        assert response.headers["Vary"] == "Accept-Encoding"
        assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    for path in ("/login", "/live/x"):  # nothing of their own is there
        assert await (await client.get(path, headers=BROWSER)).text() == PAGE
