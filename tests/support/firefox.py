"""A real Firefox for journeys, driven over WebDriver BiDi (W3C) without geckodriver: the protocol is in the browser.

Only what journeys need: pages of separate people, scripts before and in a page, the errors of a page. `Page.evaluate`
has Playwright's signature, so that helpers which only ask a page (browser.py) serve both browsers.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import re
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.browser import HOOK, eventually
from tests.support.screenshots import keep

START_WITHIN = 60.0  # seconds; three when nothing else runs
ANSWER_WITHIN = 60.0  # seconds

_PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.disable_open_during_load": False,
    "dom.ipc.processCount": 1,
    "extensions.systemAddon.update.enabled": False,
    "intl.accept_languages": "zh-CN, zh",
    "media.autoplay.default": 0,  # sound may begin without a press
    "media.gmp-manager.updateEnabled": False,  # it would fetch a plug-in for H.264
    "media.gmp-provider.enabled": False,
    "media.navigator.permission.disabled": True,  # camera and microphone are allowed without a question …
    "media.navigator.streams.fake": True,  # … and need not exist
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.active-protocols": 1,  # BiDi only
    "services.settings.server": "data:,",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}

_LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")


class FirefoxError(Exception):
    """What the browser refused, or a script threw; the argument is what it said."""


def executable() -> str | None:
    """The system's Firefox, None without one."""
    for name in (os.environ.get("FIREFOX", ""), "firefox-esr", "firefox"):
        if name and (found := shutil.which(name)):
            return found
    return None


@asynccontextmanager
async def firefox(**preferences: bool | int | str) -> AsyncIterator[Firefox]:
    """One browser process with a profile of its own, gone afterwards. Raises FirefoxError when it does not start."""
    found = executable()
    if found is None:
        raise FirefoxError("no Firefox on this machine; tools/system-packages installs it")
    with tempfile.TemporaryDirectory(prefix="tongke-firefox-", ignore_cleanup_errors=True) as folder:
        lines = (f"user_pref({json.dumps(n)}, {json.dumps(v)});\n" for n, v in {**_PREFERENCES, **preferences}.items())
        (Path(folder) / "user.js").write_text("".join(lines), "utf-8")
        process = await asyncio.create_subprocess_exec(
            *(found, "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0"),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            env={**os.environ, "MOZ_CRASHREPORTER_DISABLE": "1"},
        )
        assert process.stderr is not None
        reading: asyncio.Task[None] | None = None
        try:
            address = await _address(process.stderr)
            reading = asyncio.create_task(_drain(process.stderr))  # a full pipe would stop the browser
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(f"{address}/session", max_msg_size=0) as ws,
            ):
                browser = Firefox(ws)
                try:
                    await browser.begin()
                    yield browser
                finally:
                    await browser.keep_pictures()
                    await browser.close()
        finally:
            if reading is not None:
                reading.cancel()
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), 10)
                except TimeoutError:
                    process.kill()
                    await process.wait()


async def _address(errors: asyncio.StreamReader) -> str:
    said = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_WITHIN):
            while line := await errors.readline():
                said += line
                if found := _LISTENING.search(line):
                    return found[1].decode()
    raise FirefoxError(f"Firefox does not listen: {said.decode('utf-8', 'replace')[-2000:]}")


async def _drain(errors: asyncio.StreamReader) -> None:
    while await errors.read(65536):
        pass


class Firefox:
    """The browser: one BiDi session. Commands may be under way at the same time."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._pages: dict[str, Page] = {}  # by browsing context
        self._reading: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self._reading = asyncio.create_task(self._read())
        await self.command("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        await self.command("session.subscribe", events=["log.entryAdded"])

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    async def keep_pictures(self) -> None:
        with contextlib.suppress(FirefoxError, TimeoutError):
            there = (await self.command("browsingContext.getTree", maxDepth=0))["contexts"]
            urls = {one["context"]: one["url"] for one in there}
            await keep([(urls[context], page.picture) for context, page in self._pages.items() if context in urls])

    async def page(self, *, init_script: str | None = None) -> Page:
        """A person with cookies of their own and a window in front: what is hidden is not drawn."""
        user = (await self.command("browser.createUserContext"))["userContext"]
        made = await self.command("browsingContext.create", type="window", userContext=user)
        context: str = made["context"]
        for script in (HOOK, init_script):
            if script is not None:
                await self.command(
                    "script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}", contexts=[context]
                )
        page = self._pages[context] = Page(self, context)
        return page

    async def command(self, method: str, **parameters: Any) -> Any:
        """Its result. Raises FirefoxError for an error, TimeoutError when nothing comes."""
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self._ws.send_json({"id": number, "method": method, "params": parameters})
            return await asyncio.wait_for(future, ANSWER_WITHIN)
        finally:
            del self._waiting[number]

    async def _read(self) -> None:
        async for message in self._ws:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            said = json.loads(message.data)
            if said.get("type") == "event":
                self._event(said["params"])
            elif (future := self._waiting.get(said.get("id"))) is not None and not future.done():
                if said.get("type") == "success":
                    future.set_result(said["result"])
                else:
                    future.set_exception(FirefoxError(f"{said.get('error')}: {said.get('message')}"))
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(FirefoxError("the browser is gone"))

    def _event(self, entry: dict[str, Any]) -> None:
        page = self._pages.get(entry.get("source", {}).get("context", ""))
        if page is not None and entry.get("type") == "javascript" and entry.get("level") == "error":
            page.errors.append(str(entry.get("text")))


class Page:
    """One window."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self.errors: list[str] = []  # what no script of the page caught
        self._browser = browser
        self._context = context

    async def goto(self, url: str) -> None:
        await self._browser.command("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Call a function of the page with `arg` and wait for what it gives; both as JSON. Raises FirefoxError."""
        # By way of JSON text, as Playwright does it in effect: BiDi's own form of values is a tree of types.
        wrapped = (
            "async (text) => { const found = await (" + expression + ")(JSON.parse(text));"
            ' return found === undefined ? "null" : JSON.stringify(found); }'
        )
        answer = await self._browser.command(
            "script.callFunction",
            functionDeclaration=wrapped,
            arguments=[{"type": "string", "value": json.dumps(arg)}],
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        if answer["type"] != "success":
            raise FirefoxError(str(answer["exceptionDetails"].get("text")))
        return json.loads(answer["result"]["value"])

    async def click(self, test_id: str, within: float = 15.0) -> None:
        """Press the element with this test id as soon as it can be pressed. Raises AssertionError."""
        await self._once(test_id, "(it) => !it.disabled && (it.click(), true)", within)

    async def fill(self, test_id: str, text: str, within: float = 15.0) -> None:
        """Type into it. Raises AssertionError."""
        typed = '(it, text) => { it.value = text; it.dispatchEvent(new Event("input", {bubbles: true})); return true; }'
        await self._once(test_id, typed, within, text)

    async def see(self, test_id: str, within: float = 15.0) -> None:
        """Wait until it is on the page and visible. Raises AssertionError."""
        await self._once(test_id, "() => true", within)

    async def resize(self, width: int, height: int) -> None:
        """Give the page this much room, in pixels."""
        size = {"width": width, "height": height}
        await self._browser.command("browsingContext.setViewport", context=self._context, viewport=size)

    async def picture(self, file: Path) -> None:
        """Write what it shows into a JPEG file."""
        taken = await self._browser.command(
            "browsingContext.captureScreenshot",
            context=self._context,
            format={"type": "image/jpeg", "quality": 0.7},
        )
        file.write_bytes(base64.b64decode(taken["data"]))

    async def close(self) -> None:
        await self._browser.command("browsingContext.close", context=self._context)

    async def _once(self, test_id: str, act: str, within: float, text: str = "") -> None:
        script = (
            '([id, text]) => { const it = document.querySelector(`[data-testid="${id}"]`);'
            f" return it !== null && it.checkVisibility() && Boolean(({act})(it, text)); }}"
        )

        async def done() -> bool:
            with contextlib.suppress(FirefoxError):  # the page is being left, or not there yet
                return bool(await self.evaluate(script, [test_id, text]))
            return False

        await eventually(f"{test_id} on the page", done, within)
