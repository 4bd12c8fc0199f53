"""An exported file plays in the browsers people have: any moment of it, and through every change of the picture."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from recorder.rendering import camera, movie
from recorder.rendering.progress import ignored
from tests.recorder.source import picture, sound
from tests.support import firefox
from tests.support.archived import Piece, Recorded, archived
from tests.support.browser import Asked, chromium

PAGE = """<!doctype html><video muted preload="auto"></video><script>
const video = document.querySelector("video")
const happened = (kind) => new Promise((resolve, reject) => {
  video.addEventListener(kind, resolve, { once: true })
  video.addEventListener("error", () => reject(new Error(video.error.message)), { once: true })
  setTimeout(() => reject(new Error(`no ${kind}`)), 20000)
})
window.open_file = async (name) => {
  const loaded = happened("loadeddata")
  video.src = name
  await loaded
  return video.duration
}
window.at = async (second) => {
  const seeked = happened("seeked")
  video.currentTime = second
  await seeked
  const canvas = document.createElement("canvas")
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  const context = canvas.getContext("2d")
  context.drawImage(video, 0, 0)
  return [video.videoWidth, context.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[1]]
}
window.play_from = async (second) => {
  video.currentTime = second
  video.playbackRate = 8
  const ended = happened("ended")
  await video.play()
  await ended
  return video.getVideoPlaybackQuality().totalVideoFrames
}
</script>"""

pytestmark = pytest.mark.journey


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def file(request: web.Request) -> web.FileResponse:
        return web.FileResponse(folder / request.match_info["name"])

    app = web.Application()
    app.add_routes([web.get("/", page), web.get(r"/{name:\w+\.mp4}", file)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lesson with two sizes of the picture, a gap and a reconnect, as camera and as movie."""
    folder = tmp_path_factory.mktemp("exported")
    small, large = picture("H264", 4, 160, 90), picture("H264", 4, 320, 180)
    lesson = archived(
        folder / "lesson",
        [
            Recorded("c-1", "H264", [Piece(0, large), Piece(4000, small)]),
            Recorded("m-1", "opus", [Piece(0, sound(8))], "microphone"),
            Recorded("c-2", "H264", [Piece(12_000, large)]),
            Recorded("m-2", "opus", [Piece(12_000, sound(4))], "microphone"),
        ],
    )
    camera.render(lesson, folder / "camera.mp4", ignored)
    movie.render(lesson, folder / "movie.mp4", ignored)
    return folder


async def plays(page: Asked) -> None:
    async def ask(name: str, *arguments: Any) -> Any:
        return await page.evaluate(f"(given) => {name}(...given)", list(arguments))

    assert await ask("open_file", "camera.mp4") == pytest.approx(16, abs=0.1)
    bright = [await ask("at", second) for second in (15.2, 1.2, 6.2, 3.2, 12.2)]
    dark = [await ask("at", second) for second in (6.7, 14.7, 2.7)]
    assert all(level > 150 for _, level in bright), bright
    assert all(level < 80 for _, level in dark), dark
    assert await ask("play_from", 3.0) > 20  # and no error; at this speed not every one is drawn
    assert await ask("open_file", "movie.mp4") == pytest.approx(16, abs=0.1)
    bright = [await ask("at", second) for second in (15.2, 6.2)]
    dark = [await ask("at", second) for second in (6.7, 10.0)]
    assert [width for width, _ in bright + dark] == [1280] * 4
    assert all(level > 150 for _, level in bright), bright
    assert all(level < 80 for _, level in dark), dark


async def test_exports_play_in_chromium(exported: Path) -> None:
    async with served(exported) as url, chromium() as browser:
        page = await browser.new_page()
        await page.goto(url)
        await plays(page)


@pytest.mark.skipif(firefox.executable() is None, reason="needs Firefox")
async def test_exports_play_in_firefox(exported: Path) -> None:
    async with served(exported) as url, firefox.firefox() as browser:
        page = await browser.page()
        await page.goto(url)
        await plays(page)
