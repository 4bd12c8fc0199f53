"""kill -9 in mid-lesson, of each process in turn: the class has its picture again, and the replay nearly everything."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.journeys.people import SchoolClass, Teacher
from tests.journeys.survival import held_ms, sees_the_present
from tests.support import timecode
from tests.support.browser import chromium
from tests.support.server import Part, Tongke

pytestmark = pytest.mark.journey

BACK_WITHIN = 5.0  # seconds until the class sees the teacher move again
MAY_BE_LOST = 2000  # ms of recording


@pytest.mark.parametrize("part", ["worker", "recorder", "server"])
async def test_a_lesson_survives_the_death_of_a_process(part: Part, tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke, init_script=timecode.SOURCE)
        pupils = await SchoolClass.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        begun = time.time_ns() // 1_000_000
        await pupils.enter(code, "阜平一小")
        await pupils.moves("main-video")
        await asyncio.sleep(6)  # a lesson in which something can be lost

        killed = tongke.kill(part)
        back = await sees_the_present(pupils, within=BACK_WITHIN)
        print(f"{part}: picture of the present after {back:.1f} s")
        assert tongke.pid(part) not in (None, killed)
        await asyncio.sleep(6)

        ended = time.time_ns() // 1_000_000
        await teacher.end()
        await pupils.see("ended").wait_for()
        recording = await tongke.finished_recording(lesson_id)
        for source in ("camera", "microphone"):
            held = held_ms(recording, source)
            print(f"{part}: {source}: {held} of {ended - begun} ms held")
            assert held >= ended - begun - MAY_BE_LOST, f"{source}: {held} of {ended - begun} ms in {recording}"
        await teacher.open_replay()
        await teacher.moves("replay-camera")
        assert teacher.errors == []
        assert pupils.errors == []
