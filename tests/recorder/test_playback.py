"""What is recorded plays in a real browser, through hls.js."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright

from recorder.messages import CloseLesson, Done, OpenLesson, WatchLesson
from server.archive.live_lists import LiveLists
from tests.recorder.process import recorder_process
from tests.recorder.source import lead_on_air, lead_that_comes_back, picture, publication, sound, together
from tests.recorder.test_ffmpeg import growing
from tests.recorder.test_rules import Lesson, on_air, teacher
from tests.support import firefox
from tests.support.browser import Asked

HLS = Path(__file__).parents[2] / "web/node_modules/hls.js/dist/hls.js"
CHROMIUM = Path("/usr/bin/chromium")
PAGE = """<!doctype html><video id="v" muted></video><script src="/hls.js"></script><script>
const video = document.getElementById("v")
window.errors = []
window.play = (url, config = {}) => new Promise((resolve) => {
  window.hls = new Hls(config)
  hls.on(Hls.Events.ERROR, (_, e) => { if (e.fatal) errors.push(e.details) })
  hls.on(Hls.Events.MANIFEST_PARSED, () => video.play().then(resolve))
  hls.loadSource(url); hls.attachMedia(video)
})
window.state = () => ({behind: window.hls ? Date.now() - hls.playingDate : null,
  at: video.currentTime, length: video.duration, ended: video.ended, width: video.videoWidth,
  frames: video.getVideoPlaybackQuality().totalVideoFrames, sound: video.webkitAudioDecodedByteCount, errors,
  paused: video.paused, ready: video.readyState, buffered: [...Array(video.buffered.length).keys()].map(
    (i) => [video.buffered.start(i), video.buffered.end(i)])})
</script>"""

PATIENCE = 60.0  # seconds until a test gives up on a loaded machine

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not (HLS.exists() and CHROMIUM.exists()), reason="needs Chromium and web/node_modules"),
]


@asynccontextmanager
async def served(archive: Path) -> AsyncIterator[str]:
    """Where there is a page with hls.js, and the archive beside it."""

    async def page_text(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def library(_: web.Request) -> web.Response:
        return web.Response(body=HLS.read_bytes(), content_type="text/javascript")

    lists = LiveLists()

    async def file(request: web.Request) -> web.StreamResponse:
        path = archive / request.match_info["path"]
        if "_HLS_msn" in request.query:
            part = request.query.get("_HLS_part")
            await lists.reached(path, int(request.query["_HLS_msn"]), None if part is None else int(part))
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

    app = web.Application()
    app.add_routes([web.get("/", page_text), web.get("/hls.js", library), web.get("/archive/{path:.+}", file)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@asynccontextmanager
async def player(archive: Path) -> AsyncIterator[tuple[Page, str]]:
    """A page with hls.js in Chromium, and where the archive is served."""
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"]
    async with served(archive) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = await browser.new_page()
        await page.goto(address)
        yield page, f"{address}archive"
        await browser.close()


async def until(page: Asked, condition: str, seconds: float = 20) -> dict[str, Any]:
    """The player's state once `condition` (of `s`) holds, or when the patience ends."""
    deadline = time.monotonic() + seconds
    while True:
        holds, state = await page.evaluate(f"() => ((s) => [{condition}, s])(state())")
        if holds or time.monotonic() > deadline:
            return dict(state)
        await asyncio.sleep(0.1)


async def test_hls_js_plays_a_finished_lesson_seeks_in_it_and_passes_the_gap_of_a_reconnect(tmp_path: Path) -> None:
    begin = time.time_ns() // 1000 - 60_000_000
    epoch = begin - 600_000_000  # the lesson clock has run for ten minutes
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(*lead_that_comes_back("lesson", epoch, begin))
        await recorder.client.request(CloseLesson("lesson"))
    async with player(tmp_path) as (page, archive):
        await page.evaluate("(url) => play(url)", f"{archive}/lesson/master.m3u8")
        state = await until(page, "s.at > 1.5 && s.frames > 20 && s.sound > 0")
        assert state["at"] > 1.5, state
        assert state["width"] == 320
        assert state["length"] == pytest.approx(34, abs=0.3)
        await page.evaluate("video.currentTime = 9.5")
        state = await until(page, "s.at > 23")
        assert state["at"] > 23, state
        await page.evaluate("video.currentTime = 31")
        state = await until(page, "s.ended")
        assert state["ended"], state
        assert state["errors"] == []


async def test_hls_js_plays_a_lesson_while_it_lasts(tmp_path: Path) -> None:
    begin = time.time_ns() // 1000 - 20_000_000
    camera = publication("lesson", "c-1", "H264", begin, handle=1)
    microphone = publication("lesson", "m-1", "opus", begin, "microphone", handle=2)
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(*lead_on_air(camera, microphone, begin, 20))
        await asyncio.sleep(2)
        async with player(tmp_path) as (page, archive):
            for playlist in ("master.m3u8", "live.m3u8"):
                await page.evaluate("(url) => play(url)", f"{archive}/lesson/{playlist}")
                state = await until(page, "s.frames > 20 && s.sound > 0")
                assert state["frames"] > 20, (playlist, state)
                assert state["errors"] == []
                await page.evaluate("hls.destroy()")


async def test_hls_js_follows_a_lesson_at_most_four_seconds_behind(tmp_path: Path) -> None:
    pictures, sounds = picture("H264", 40), sound(40)  # encoded before the lesson begins
    epoch = time.time_ns() // 1000
    camera = publication("lesson", "c-1", "H264", epoch, handle=1)
    microphone = publication("lesson", "m-1", "opus", epoch, "microphone", handle=2)
    async with recorder_process(tmp_path) as recorder, player(tmp_path) as (page, archive):
        begin = time.time_ns() // 1000
        await recorder.send(camera.announce(), microphone.announce())
        await recorder.client.request(OpenLesson("lesson", epoch, "a lesson"))
        assert await recorder.client.request(WatchLesson("lesson", True)) == Done()
        streams = together(camera.stream(pictures, begin), microphone.stream(sounds, begin))
        playing = asyncio.create_task(recorder.play(streams))
        while not (tmp_path / "lesson/live.m3u8").exists():
            await asyncio.sleep(0.2)
        # As our own page sets it up: what was lost at the start is made up for by playing a little faster.
        await page.evaluate(
            "(url) => play(url, {maxLiveSyncPlaybackRate: 1.1, liveSyncOnStallIncrease: 0.3})",
            f"{archive}/lesson/live.m3u8",
        )
        # The lists say of every moment when it was captured; here one clock shows both.
        state = await until(page, "s.behind <= 4000 && s.frames > 20 && s.sound > 0", 30)
        playing.cancel()
    assert state["behind"] <= 4000, state
    assert not state["paused"]
    assert state["errors"] == []


async def test_a_browser_plays_the_webm_of_a_vp8_camera_and_seeks_in_it(tmp_path: Path) -> None:
    begin = time.time_ns() // 1000 - 30_000_000
    camera = publication("lesson", "c-1", "VP8", begin)
    async with recorder_process(tmp_path) as recorder:
        await recorder.send(camera.announce(), *(timed.data for timed in camera.stream(picture("VP8", 20), begin)))
        await recorder.client.request(CloseLesson("lesson"))
    async with player(tmp_path) as (page, archive):
        await page.evaluate(
            "(url) => { video.src = url; return video.play() }", f"{archive}/lesson/tracks/c-1/video.webm"
        )
        state = await until(page, "s.frames > 20")
        assert state["length"] == pytest.approx(20, abs=0.2)
        await page.evaluate("video.currentTime = 17")
        state = await until(page, "s.at > 18")
        assert state["at"] > 18


@pytest.fixture(scope="module")
def resized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lessons whose teacher's picture changes its size in mid-list, one for each codec."""
    archive = tmp_path_factory.mktemp("archive")
    for codec in ("H264", "VP9", "AV1"):
        lesson = Lesson(archive / codec)
        lesson.recorder.open("lesson")
        on_air(lesson, teacher("a", 1, codec), 0, growing(codec))
        lesson.end()
    return archive


async def test_a_picture_that_changes_its_size_plays_on_in_chromium(resized: Path) -> None:
    async with player(resized) as (page, archive):
        await _changes_its_size(page, archive, ["H264", "VP9", "AV1"])


@pytest.mark.skipif(firefox.executable() is None, reason="no Firefox on this machine")
async def test_a_picture_that_changes_its_size_plays_on_in_firefox(resized: Path) -> None:
    async with served(resized) as address, firefox.firefox() as browser:
        page = await browser.page()
        await page.goto(address)
        h264 = await page.evaluate("() => MediaSource.isTypeSupported('video/mp4; codecs=\"avc3.42e01f\"')")
        await _changes_its_size(page, f"{address}archive", ["H264", "VP9", "AV1"] if h264 else ["VP9", "AV1"])


async def _changes_its_size(page: Asked, archive: str, codecs: list[str]) -> None:
    for codec in codecs:
        await page.evaluate("(url) => play(url)", f"{archive}/{codec}/lesson/master.m3u8")
        for width in (160, 320, 640, 160):  # by itself, four seconds each; the sixteen are played in eight
            await page.evaluate("() => { video.playbackRate = 2 }")
            state = await until(page, f"s.width === {width} && s.frames > 10", PATIENCE)
            assert state["width"] == width, (codec, state)
        for at, width in ((9.5, 640), (1.5, 160), (5.5, 320), (13.5, 160)):
            await page.evaluate("(at) => { video.pause(); video.currentTime = at }", at)
            state = await until(page, f"s.width === {width} && s.ready > 1 && Math.abs(s.at - {at}) < 1", PATIENCE)
            assert (state["width"], state["ready"] > 1) == (width, True), (codec, at, state)
        assert state["errors"] == []
        await page.evaluate("() => hls.destroy()")
