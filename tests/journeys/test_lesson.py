"""A whole lesson in real browsers: taught, watched by two classes, answered by one, ended, replayed."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.journeys.people import PATIENCE, Person, SchoolClass, Teacher
from tests.support import timecode
from tests.support.browser import chromium, eventually, heard, moving_pictures, received
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

IN_STEP = 200  # ms between camera and screen: three frames of a screen at 15 a second
ASTRAY = 400  # ms between timeline and picture: the timeline moves in steps of 100, and is read a little later


async def test_a_lesson_is_taught_watched_answered_ended_and_replayed(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        near, far = [await SchoolClass.arrive(browser, tongke) for _ in range(2)]
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("勾股定理")

        # One class is early, the other late: both see and hear the teacher.
        await near.enter(code, "阜平一小 六(2)班")
        await expect(near.see("waiting-room")).to_have_attribute("data-waiting", "start", timeout=PATIENCE)
        await teacher.start(lesson_id)
        await asyncio.gather(near.moves("main-video"), heard(near.page))
        await far.enter(code, "拉萨三小 五(1)班")
        await asyncio.gather(far.moves("main-video"), heard(far.page), far.hear())

        # The screen becomes the large picture, the teacher a small one.
        await teacher.share_screen()
        await asyncio.gather(*(one.moves(picture) for one in (near, far) for picture in ("screen-video", "main-video")))

        # A class has the floor: its picture and sound come to the teacher and to the other class.
        await near.see("hand").click()
        await expect(teacher.see("hands")).to_be_visible(timeout=PATIENCE)
        await teacher.give_floor("阜平一小")
        await expect(near.see("on-floor")).to_be_visible(timeout=PATIENCE)
        await asyncio.gather(
            moving_pictures(teacher.page), heard(teacher.page), moving_pictures(far.page, 3), heard(far.page, 2)
        )
        await near.see("give-back").click()
        await expect(near.see("on-floor")).to_be_hidden(timeout=PATIENCE)
        await far.moves("main-video")

        # The end reaches everyone, and the replay is there at once.
        await teacher.end()
        await asyncio.gather(near.see("ended").wait_for(), far.see("ended").wait_for())
        await far.open_replay()
        await asyncio.gather(far.moves("replay-camera"), far.moves("replay-screen", within=30))
        for person in (teacher, near, far):
            assert person.errors == []


async def test_a_replay_shows_camera_and_screen_of_the_same_moment_wherever_one_jumps(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke, init_script=timecode.SOURCE)
        await teacher.log_in()
        lesson_id, _ = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        await teacher.share_screen()
        await asyncio.sleep(12)  # seconds of lesson to jump about in
        await teacher.end()

        await teacher.open_replay()
        await asyncio.gather(teacher.moves("replay-camera"), teacher.moves("replay-screen"))
        moment = await _moment(teacher)
        assert moment is not None
        timeline = teacher.see("replay-seek")
        for part in (0.7, 0.4, 0.55):
            wanted = round(float(await timeline.get_attribute("max") or 0) * part, -2)
            await timeline.fill(f"{wanted:.0f}")
            await _shows_what_was(teacher, moment, wanted)
        assert teacher.errors == []


async def test_sound_does_not_break_while_a_lesson_goes_well(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        pupils = await SchoolClass.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        await pupils.enter(code, "阜平一小")
        await asyncio.gather(pupils.moves("main-video"), heard(pupils.page))
        await asyncio.sleep(5)  # the first seconds do not count: the buffer is still finding its size
        before = {each.ssrc: each for each in await received(pupils.page, "audio")}
        await asyncio.sleep(10)
        for each in await received(pupils.page, "audio"):
            samples = each.samples - before[each.ssrc].samples
            if each.packets > before[each.ssrc].packets:
                assert each.concealed - before[each.ssrc].concealed < 0.01 * samples
                assert each.lost == before[each.ssrc].lost


@dataclass(frozen=True, slots=True)
class Moment:
    """What a replay shows at one instant: when its pictures were taken, and where its timeline stands, ms."""

    camera: int
    screen: int
    position: float


async def _moment(replay: Person) -> Moment | None:
    selectors = ['video[data-testid="replay-camera"]', 'video[data-testid="replay-screen"]']
    camera, screen = await replay.page.evaluate(timecode.READ_ALL, selectors)
    position = float(await replay.see("replay-seek").input_value())
    return None if camera is None or screen is None else Moment(camera, screen, position)


async def _shows_what_was(replay: Person, before: Moment, wanted: float) -> None:
    """Wait until camera and screen are of one moment, the one the timeline says by the measure of another place."""

    async def check() -> bool:
        now = await _moment(replay)
        if now is None or not wanted <= now.position < wanted + 5000:
            return False
        astray = (now.camera - before.camera) - (now.position - before.position)
        return abs(now.camera - now.screen) <= IN_STEP and abs(astray) <= ASTRAY

    await eventually(f"the right pictures at {wanted:.0f} ms", check)
