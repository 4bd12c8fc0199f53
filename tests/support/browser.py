"""A real Chromium for journeys: fake camera, microphone and screen, and a hook that keeps every peer connection.

The hook is added before a page's own scripts run. It changes nothing in the page; it keeps what the page makes, so that
a test may ask what was really received: frames decoded, sound energy, the size of the picture.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.support.screenshots import keep

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",  # answers the camera question, and gives getDisplayMedia a fake screen
)

HOOK = """
(() => {
  const Native = window.RTCPeerConnection;
  if (!Native) return;
  const kept = [];
  window.RTCPeerConnection = new Proxy(Native, {
    construct(target, given) {
      const peer = new target(...given);
      kept.push(peer);
      return peer;
    },
  });
  window.__peers = kept;
  window.__received = async () => {
    const found = [];
    for (const peer of kept) {
      if (peer.connectionState === "closed") continue;
      for (const report of (await peer.getStats()).values()) {
        if (report.type !== "inbound-rtp") continue;
        found.push({
          mid: report.mid ?? "", kind: report.kind, ssrc: report.ssrc, at: report.timestamp,
          packets: report.packetsReceived ?? 0, lost: report.packetsLost ?? 0,
          frames: report.framesDecoded ?? 0, width: report.frameWidth ?? 0, height: report.frameHeight ?? 0,
          freezes: report.freezeCount ?? 0, frozen: report.totalFreezesDuration ?? 0,
          energy: report.totalAudioEnergy ?? 0, samples: report.totalSamplesReceived ?? 0,
          concealed: (report.concealedSamples ?? 0) - (report.silentConcealedSamples ?? 0),
        });
      }
    }
    return found;
  };
})();
"""


class Asked(Protocol):
    """A page that answers questions: Playwright's, or Firefox's (firefox.py)."""

    async def evaluate(self, expression: str, arg: Any = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Received:
    """One inbound stream of a page, from getStats."""

    mid: str
    kind: str
    ssrc: int
    at: float  # milliseconds
    packets: int
    lost: int
    frames: int
    width: int
    height: int
    freezes: int
    frozen: float  # seconds
    energy: float
    samples: int
    concealed: int


def executable() -> str:
    """The system's Chromium."""
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    raise FileNotFoundError("no Chromium on this machine; tools/system-packages installs it")


@asynccontextmanager
async def chromium(*more_flags: str) -> AsyncIterator[Browser]:
    """One browser process. Participants are contexts of it: `await participant(browser, …)`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=[*FLAGS, *more_flags])
        try:
            yield browser
        finally:
            await keep([(page.url, partial(_picture, page)) for one in browser.contexts for page in one.pages])
            await browser.close()


async def _picture(page: Page, file: Path) -> None:
    await page.screenshot(path=file, type="jpeg", quality=70, animations="allow", caret="initial", timeout=4000)


async def participant(
    browser: Browser, width: int = 1366, height: int = 768, *, init_script: str | None = None
) -> BrowserContext:
    """A person with a browser of their own: no cookies, Chinese, camera and microphone allowed."""
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN",
        permissions=["camera", "microphone"],
        ignore_https_errors=True,
    )
    await context.add_init_script(HOOK)
    if init_script is not None:
        await context.add_init_script(init_script)
    return context


_REROUTE = r"""
(() => {
  const native = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function ({type, sdp}) {
    const there = /^(a=candidate:\S+ 1 udp \d+ )\S+ PORT /gim;
    const past = /^a=candidate:\S+ 1 tcp .*\r?\n/gim;
    const reached = sdp.replace(there, "$1HOST LINK ");
    return native.call(this, {type, sdp: BESIDE ? reached : reached.replace(past, "")});
  };
})();
"""


def rerouted(port: int, link: tuple[str, int], *, tcp: bool = False) -> str:
    """A script by which a page reaches a server's UDP port only through `link` (see link.py).

    By TCP, which goes past the link, not at all; or, with `tcp`, directly: a severed link then closes UDP alone.
    """
    script = _REROUTE.replace("PORT", str(port)).replace("HOST", link[0]).replace("LINK", str(link[1]))
    return script.replace("BESIDE", "true" if tcp else "false")


def reached_only_at(port: int, protocol: Literal["udp", "tcp"] = "tcp") -> str:
    """A script for a page in whose network all ports of a server but this one are closed."""
    return _ONLY.replace("PROTOCOL", protocol).replace("PORT", str(port))


_ONLY = r"""
(() => {
  const native = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function ({type, sdp}) {
    return native.call(this, {type, sdp: sdp.replace(/^a=candidate:(?!\S+ 1 PROTOCOL \d+ \S+ PORT ).*\r?\n/gim, "")});
  };
})();
"""


async def received(page: Asked, kind: str | None = None) -> list[Received]:
    """What the page's open peer connections have received so far."""
    found: list[dict[str, Any]] = await page.evaluate("() => window.__received ? window.__received() : []")
    return [Received(**each) for each in found if kind is None or each["kind"] == kind]


async def eventually(
    what: str, check: Callable[[], Awaitable[bool]], within: float = 20.0, every: float = 0.1
) -> float:
    """Wait until `check` is true; the seconds it took. Raises AssertionError saying `what` did not come."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    while not await check():
        if loop.time() - start > within:
            raise AssertionError(f"not within {within:g} s: {what}")
        await asyncio.sleep(every)
    return loop.time() - start


async def moving_pictures(page: Asked, count: int = 1, within: float = 20.0) -> float:
    """Wait until `count` video streams decode new frames; the seconds it took."""
    before = {each.ssrc: each.frames for each in await received(page, "video")}

    async def check() -> bool:
        now = await received(page, "video")
        return sum(each.frames > before.get(each.ssrc, 0) + 2 for each in now) >= count

    return await eventually(f"{count} moving picture(s)", check, within)


async def heard(page: Asked, count: int = 1, within: float = 20.0) -> float:
    """Wait until `count` audio streams bring sound that is not silence; the seconds it took."""
    before = {each.ssrc: each.energy for each in await received(page, "audio")}

    async def check() -> bool:
        now = await received(page, "audio")
        return sum(each.energy > before.get(each.ssrc, 0.0) + 1e-5 for each in now) >= count

    return await eventually(f"{count} audible voice(s)", check, within)
