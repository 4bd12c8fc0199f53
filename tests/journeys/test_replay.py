"""A lesson in which everything happened is replayed: 5 % loss, camera off and on, another resolution, a reconnect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.bench.peer import own_address
from tests.journeys.people import PATIENCE, Teacher
from tests.journeys.replays import Apart, Replay, Shown
from tests.support import timecode
from tests.support.axe import violations
from tests.support.browser import chromium, eventually, rerouted
from tests.support.firefox import firefox
from tests.support.link import LHASA, UdpLink
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

ASTRAY = 400  # ms between a picture and its place in the lesson: two frames, and what a line with loss delays
IN_STEP = 40  # ms between any two views while they play

# Keeps the canvases that stand for cameras, so that a test can make one smaller in mid-lesson.
_KEEP = """
(() => {
  const native = HTMLCanvasElement.prototype.captureStream;
  window.__canvases = [];
  HTMLCanvasElement.prototype.captureStream = function (rate) {
    if (rate === 20) window.__canvases.push(this);
    return native.call(this, rate);
  };
})();
"""
_SMALLER = """() => {
  const canvas = window.__canvases[window.__canvases.length - 1];
  canvas.width = 320;
  canvas.height = 180;
  canvas.getContext("2d").scale(0.5, 0.5);
}"""

_DECODES_H264 = "() => MediaSource.isTypeSupported('video/mp4; codecs=\"avc1.42e01f\"')"


@dataclass
class Taught:
    """A lesson that is over, and when what happened in it, ms since 1970."""

    lesson_id: str
    teacher: Teacher
    at: dict[str, float] = field(default_factory=dict)
    zero: float = 0.0  # when the recording begins

    def position(self, moment: str) -> float:
        return self.at[moment] - self.zero


@asynccontextmanager
async def _taught(tongke: Tongke) -> AsyncIterator[Taught]:
    """By a teacher in Chromium behind a line that loses 5 %."""
    async with chromium() as browser, UdpLink((own_address(), tongke.media_port), LHASA) as link:
        script = timecode.SOURCE + _KEEP + rerouted(tongke.media_port, link.address)
        teacher = await Teacher.arrive(browser, tongke, init_script=script)
        await teacher.log_in()
        lesson_id, _ = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        taught = Taught(lesson_id, teacher)

        def note(moment: str) -> None:
            taught.at[moment] = time.time() * 1000

        await teacher.share_screen()
        await asyncio.sleep(3.5)
        note("whole")
        await asyncio.sleep(2)
        await teacher.see("camera").click()
        await asyncio.sleep(2)
        note("without camera")
        await asyncio.sleep(0.5)
        await teacher.see("camera").click()
        await teacher.moves("own-camera")
        await asyncio.sleep(2)
        await teacher.page.evaluate(_SMALLER)
        await asyncio.sleep(2.5)
        note("smaller")
        await asyncio.sleep(1)
        await teacher.page.reload()
        await teacher.moves("own-camera")
        await asyncio.sleep(2.5)
        note("back")
        await asyncio.sleep(1)
        await teacher.end()
        recording = await tongke.finished_recording(lesson_id)
        taught.zero = recording["epoch_ms"] + min(track["start_ms"] for track in recording["tracks"])
        yield taught


async def _replays(replay: Replay, taught: Taught) -> None:
    """Every part of the lesson shows its own pictures of its own moment, and they play in step."""
    await replay.play(False)
    whole = await _shows(replay, taught, "whole", "camera", "screen")
    await _shows(replay, taught, "without camera", "screen")
    smaller = await _shows(replay, taught, "smaller", "camera", "screen")
    await _shows(replay, taught, "back", "camera")
    assert _width(smaller) < _width(whole)

    # In step while they play, however often one has to look on a busy machine …
    apart: Apart | None = None

    async def in_step() -> bool:
        nonlocal apart
        await replay.seek(taught.position("whole") - 2500)
        await replay.play()
        await replay.plays(taught.position("whole") - 1200)  # what began late has caught up
        apart = await replay.apart(2000)
        each = [*apart.ahead.values(), 0.0]  # the sound, from which the others are measured
        in_sight = {"camera", "screen"} <= apart.ahead.keys()
        return in_sight and max(each) - min(each) <= IN_STEP and apart.steady

    try:
        await eventually("camera, screen and sound in step", in_step, within=30)
    finally:
        print(apart)

    # … and, at double speed, into the part without a camera and out of it again, by themselves.
    await replay.speed(2)
    await replay.plays(taught.position("without camera") + 3000)
    await _shows(replay, taught, None, "camera", "screen")
    await replay.speed(1)


async def _shows(replay: Replay, taught: Taught, moment: str | None, *names: str) -> Shown:
    """Wait until exactly these pictures are there, each of the moment where the timeline stands."""
    if moment is not None:
        await replay.seek(taught.position(moment))
    now: Shown | None = None

    async def check() -> bool:
        nonlocal now
        now = await replay.shown("camera", "screen")
        for name, picture in now.pictures.items():
            if (picture is None) == (name in names):
                return False
            if picture is None:
                continue
            if picture.time is None or abs(picture.time - taught.zero - now.position) > ASTRAY:
                return False
        return True

    try:
        await eventually(f"{names} of the moment {moment!r}", check)
    except AssertionError as error:
        error.add_note(f"{now} zero {taught.zero} {taught.at}")
        raise
    assert now is not None
    return now


def _width(shown: Shown) -> int:
    camera = shown.pictures["camera"]
    assert camera is not None
    return camera.width


async def test_a_lesson_with_loss_camera_off_another_size_and_a_reconnect_replays(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, _taught(tongke) as taught:
        await taught.teacher.open_replay()
        await _replays(Replay(taught.teacher.page), taught)
        await _handles(taught)
        await _looks(taught)
        assert taught.teacher.errors == []
        await _replays_in_firefox(tongke, taught)


async def _replays_in_firefox(tongke: Tongke, taught: Taught) -> None:
    async with firefox() as browser:
        page = await browser.page()
        password = await tongke.add_user("教研员乙", "researcher")
        await page.goto(f"{tongke.http}/login?next=/replay/{taught.lesson_id}")
        await page.fill("login-name", "教研员乙")
        await page.fill("login-password", password)
        await page.click("login-submit")
        await page.see("replay-play")
        if await page.evaluate(_DECODES_H264):
            await _replays(Replay(page), taught)
        else:  # a system without libavcodec: nobody sees black, the page says what to do
            await page.see("replay-foreign")
        assert page.errors == []


async def _handles(taught: Taught) -> None:
    """Keys, layouts, sound alone, and coming back later."""
    person, page = taught.teacher, taught.teacher.page
    replay = Replay(page)
    await page.keyboard.press("k")
    await expect(person.see("replay-play")).to_have_attribute("data-playing", "false", timeout=PATIENCE)
    await page.keyboard.press("Home")
    before = (await replay.shown()).position
    await page.keyboard.press("l")
    assert (await replay.shown()).position == pytest.approx(before + 10_000, abs=150)
    await page.keyboard.press("j")
    assert (await replay.shown()).position == pytest.approx(before, abs=150)

    await replay.seek(taught.position("whole"))
    await page.keyboard.press("?")
    await person.see("replay-keys").wait_for()
    await page.keyboard.press("Escape")
    await expect(person.see("replay-keys")).to_be_hidden(timeout=PATIENCE)
    for layout, videos in (("inset", 2), ("single", 1), ("side", 2)):
        await person.see(f"layout-{layout}").click()
        shown = page.locator('video.showing:not([data-testid="replay-idle"])')
        await expect(shown).to_have_count(videos, timeout=PATIENCE)
    await person.see("replay-enlarge").click()  # the camera is large now, and a press makes the screen large again
    await expect(page.locator('.main video[data-testid="replay-camera"]')).to_have_count(1, timeout=PATIENCE)
    await person.see("replay-listen").click()
    await expect(page.locator("video")).to_have_count(0, timeout=PATIENCE)
    await person.see("replay-pictures").click()

    stood = (await replay.shown()).position
    await page.reload()
    await person.see("replay-resumed").wait_for()
    assert (await replay.shown()).position == pytest.approx(stood, abs=150)
    await person.see("replay-from-start").click()
    assert (await replay.shown()).position == 0


# What Tab comes to in the row below the timeline, in this order.
_ROW = ("replay-play", "layout-side", "layout-inset", "layout-single", "replay-listen", "replay-speed", "replay-link")
_FOCUSED = "() => document.activeElement?.dataset.testid ?? ''"
_OUTSIDE = """() => [...document.querySelectorAll("main button, main select, main a")]
  .filter((one) => one.checkVisibility() && !one.closest(".ticks, ol"))
  .filter((one) => { const box = one.getBoundingClientRect(); return box.left < -1 || box.right > innerWidth + 1; })
  .map((one) => one.outerHTML.slice(0, 120))"""


async def _looks(taught: Taught) -> None:
    """At every size, by keyboard alone, with the whole screen; and who has a wrong link is told what to do."""
    person, page = taught.teacher, taught.teacher.page
    for width, height in ((3840, 2160), (390, 844), (1366, 768)):
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate(_OUTSIDE) == [], width
        assert await violations(page) == [], width
        await person.see("replay-full").click()
        await page.wait_for_function("document.fullscreenElement !== null")
        assert await violations(page) == [], width
        await person.see("replay-full").click()
        await page.wait_for_function("document.fullscreenElement === null")

    await page.evaluate("() => document.querySelector('main').focus()")
    walked: list[str] = []
    for _ in range(60):  # past all that can be pressed, and round again
        await page.keyboard.press("Tab")
        walked.append(await page.evaluate(_FOCUSED))
        if walked.count("replay-play") == 2:
            break
    assert [one for one in walked[: walked.index("replay-full") + 1] if one in _ROW] == list(_ROW)
    await person.see("replay-exports").press("Enter")
    await page.locator(".exports .panel").wait_for()
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    assert await page.evaluate(_FOCUSED) == "replay-exports"
    await person.see("replay-help").press("Enter")
    await person.see("replay-keys").wait_for()
    assert await violations(page) == []
    await page.keyboard.press("Escape")

    await page.goto(page.url.partition("/replay/")[0] + "/replay/000000000000")
    await expect(person.see("problem")).not_to_contain_text("课堂码", timeout=PATIENCE)
    await expect(person.see("replay-back")).to_have_attribute("href", "/lessons", timeout=PATIENCE)
    assert await violations(page) == []
