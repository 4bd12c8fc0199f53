from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.browser import eventually, heard, moving_pictures, received
from tests.support.firefox import Firefox, FirefoxError, Page, executable, firefox
from tests.support.test_browser import LOOPBACK_CALL

pytestmark = [pytest.mark.journey, pytest.mark.skipif(executable() is None, reason="no Firefox on this machine")]


_FORM = """() => setTimeout(() => {
  document.body.innerHTML =
    '<input data-testid="name"><button data-testid="enter" disabled></button><p data-testid="entered" hidden></p>';
  const [name, enter, entered] = document.body.children;
  name.addEventListener("input", () => { enter.disabled = !name.value; });
  enter.addEventListener("click", () => { entered.textContent = name.value; entered.hidden = false; });
}, 100)"""


@pytest.fixture
async def browser() -> AsyncIterator[Firefox]:
    # A call inside one page needs loopback, which Firefox leaves out otherwise.
    async with firefox(**{"media.peerconnection.ice.loopback": True}) as started:
        yield started


async def told(page: Page, word: str) -> bool:
    return any(word in error for error in page.errors)


async def test_firefox_shows_pages_runs_scripts_and_tells_their_errors(browser: Firefox) -> None:
    async def empty(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><body></body>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", empty)
    async with TestServer(app) as server:
        url = str(server.make_url("/"))
        one = await browser.page(init_script="window.before = document.readyState")
        other = await browser.page()
        await one.goto(url)
        await other.goto(url)

        assert await one.evaluate("() => window.before") == "loading"
        assert await one.evaluate("async ({a, b}) => [a + b, null]", {"a": "课", "b": 2}) == ["课2", None]
        assert await one.evaluate("() => undefined") is None
        with pytest.raises(FirefoxError, match="no such thing"):
            await one.evaluate("() => { throw new Error('no such thing'); }")

        # Two people have nothing in common.
        await one.evaluate("() => localStorage.setItem('who', 'one')")
        assert await other.evaluate("() => localStorage.getItem('who')") is None

        # A press and a text reach what listens for them, as soon as it is there.
        await one.evaluate(_FORM)
        await one.fill("name", "拉萨三小")
        await one.click("enter")
        await one.see("entered")
        assert await one.evaluate("() => document.querySelector('[data-testid=entered]').textContent") == "拉萨三小"

        await one.evaluate("() => setTimeout(() => missing(), 0)")
        await eventually("the error of the page", lambda: told(one, "missing"))
        assert other.errors == []

        # The hook sees what a page receives, as it does in Chromium.
        await one.evaluate(LOOPBACK_CALL)
        await moving_pictures(one)
        await heard(one)
        assert {each.kind for each in await received(one)} == {"audio", "video"}
