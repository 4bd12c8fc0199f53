"""How soon a recorded lesson of ninety minutes shows its first picture in a real Chromium, and one elsewhere in it.

The lesson lies in the archive of a real server, which a page asks as the replay page does: playlists and segments with
a token. The page is ours and does nothing but play, so that what is measured is recording, server, player and browser.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page, Route

from tests.bench import long_lesson
from tests.bench.machine import Meter
from tests.support.browser import chromium
from tests.support.server import Tongke

HLS = Path(__file__).parents[2] / "web/node_modules/hls.js/dist/hls.min.js"
SEEKS = 20
PAGE = """<!doctype html><video muted width=960></video><script src="/bench/hls.js"></script><script>
const video = document.querySelector("video")
const shown = () => new Promise((done) => video.requestVideoFrameCallback((now) => done(now)))
async function open(url, token) {
  const began = performance.now(), picture = shown()
  window.hls = new Hls({startPosition: 0, enableWorker: false,
    xhrSetup: (request) => request.setRequestHeader("Authorization", "Bearer " + token)})
  hls.loadSource(url)
  hls.attachMedia(video)
  video.play()
  return await picture - began
}
async function seek(to) {
  const began = performance.now()
  const over = new Promise((done) => video.addEventListener("seeked", done, {once: true}))
  video.currentTime = to
  await over
  while (await shown() < began || Math.abs(video.currentTime - to) > 5);
  return performance.now() - began
}
</script>"""


@dataclass(frozen=True, slots=True)
class Watching:
    """A finished lesson on the replay side. Times in milliseconds."""

    minutes: float
    open_ms: float  # from nothing to the first picture; the median of those below
    open_worst_ms: float
    seek_ms: float  # to a picture anywhere in the lesson
    seek_worst_ms: float
    seeks: int
    playlist_bytes: int  # of the camera
    others: float  # share of the machine used by others


async def watching(minutes: float, rounds: int) -> Watching:
    """Record a lesson of so many minutes, and watch it `rounds` times."""
    if not HLS.exists():
        raise FileNotFoundError("hls.js is not installed: make .setup/web-dist")
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:
        async with Tongke(Path(folder) / "data") as tongke, chromium() as browser:
            lesson = await tongke.create_lesson("a long lesson")
            archive = tongke.data / "archive"
            seconds = round(minutes * 60)
            await asyncio.to_thread(_record, archive, lesson.lesson_id, seconds)
            token = await tongke.token(lesson.lesson_id, "observer")
            meter = Meter()
            opened: list[float] = []
            sought: list[float] = []
            for number in range(rounds):
                page = await browser.new_page()  # a browser that has nothing of it
                await _serve(page)
                await page.goto(f"{tongke.http}/bench/")
                url = f"{tongke.http}/archive/{lesson.lesson_id}/master.m3u8"
                opened.append(await page.evaluate("([url, token]) => open(url, token)", [url, token]))
                chance = random.Random(number)
                for _ in range(SEEKS):
                    sought.append(await page.evaluate("(to) => seek(to)", chance.uniform(0, seconds - 10)))
                await page.close()
            others = meter.cost().others
            size = (archive / lesson.lesson_id / "lead-camera.m3u8").stat().st_size
    return Watching(
        minutes=minutes,
        open_ms=statistics.median(opened),
        open_worst_ms=max(opened),
        seek_ms=statistics.median(sought),
        seek_worst_ms=max(sought),
        seeks=len(sought),
        playlist_bytes=size,
        others=others,
    )


def _record(archive: Path, lesson_id: str, seconds: int) -> None:
    with tempfile.TemporaryDirectory(dir=archive.parent) as aside:
        long_lesson.finish(long_lesson.long_lesson(Path(aside), lesson_id, seconds), lesson_id)
        (Path(aside) / lesson_id).rename(archive / lesson_id)


async def _serve(page: Page) -> None:
    """The page and its player, from the server's own address."""

    async def answer(route: Route) -> None:
        if route.request.url.endswith("hls.js"):
            await route.fulfill(body=HLS.read_bytes(), content_type="text/javascript")
        else:
            await route.fulfill(body=PAGE, content_type="text/html")

    await page.route("**/bench/**", answer)
