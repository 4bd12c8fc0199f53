"""A lesson that has grown onto a second worker: seen and heard on both, and after the death of either."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.people import SchoolClass, Teacher
from tests.journeys.survival import held_ms, sees_the_present
from tests.support import timecode
from tests.support.browser import chromium, heard, moving_pictures
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

BACK_WITHIN = 8.0  # seconds until everybody sees the teacher move again; a worker alone is back in five
MAY_BE_LOST = 2000  # ms of recording

_METRIC = re.compile(r'^tongke_media_(\w+?)(?:_total)?\{worker="(\d)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lesson:
    tongke: Tongke
    lesson_id: str
    teacher: Teacher
    near: SchoolClass  # served where the teacher is
    far: SchoolClass  # served by the other worker
    begun: int  # ms since 1970

    async def measured(self, name: str) -> dict[int, float]:
        """A counter of the media workers, by their numbers."""
        text = (await self.tongke.request("GET", "/metrics")).body.decode()
        return {int(worker): float(value) for found, worker, value in _METRIC.findall(text) if found == name}

    async def home(self) -> int:
        """The worker that the teacher publishes to."""
        publications = await self.measured("publications")
        return max(publications, key=lambda number: publications[number])


@asynccontextmanager
async def grown(folder: Path) -> AsyncIterator[Lesson]:
    """The teacher's page and a class are as many viewers as one worker serves; the second class comes to the other."""
    flags = ("--workers", "2", "--viewers-per-worker", "2")
    async with Tongke(folder / "data", *flags) as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke, init_script=timecode.SOURCE)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        begun = time.time_ns() // 1_000_000
        classes = []
        for name in ("阜平一小", "拉萨三小"):
            pupils = await SchoolClass.arrive(browser, tongke)
            await pupils.enter(code, name)
            await asyncio.gather(moving_pictures(pupils.page), heard(pupils.page))
            classes.append(pupils)
        lesson = Lesson(tongke, lesson_id, teacher, classes[0], classes[1], begun)
        yield lesson
        assert [person.errors for person in (teacher, *classes)] == [[], [], []]


async def test_a_class_at_the_second_worker_sees_and_hears_what_is_relayed_once(tmp_path: Path) -> None:
    async with grown(tmp_path) as lesson:
        home = await lesson.home()
        pulled, flowing = await lesson.measured("publications_pulled"), await lesson.measured("slots_flowing")
        assert pulled == {home: 0, 1 - home: 2}
        assert flowing[home] >= 2
        assert flowing[1 - home] >= 2
        for pupils in (lesson.near, lesson.far):
            await sees_the_present(pupils, BACK_WITHIN)


@pytest.mark.parametrize("whose", ["the teacher's", "the other"])
async def test_a_lesson_on_two_workers_survives_the_death_of_either(whose: str, tmp_path: Path) -> None:
    async with grown(tmp_path) as lesson:
        home = await lesson.home()
        await asyncio.sleep(6)  # a lesson in which something can be lost
        number = home if whose == "the teacher's" else 1 - home
        killed = lesson.tongke.kill("worker", number)
        near, far = await asyncio.gather(*(sees_the_present(one, BACK_WITHIN) for one in (lesson.near, lesson.far)))
        print(f"{whose} worker: picture of the present after {near:.1f} s near, {far:.1f} s far")
        await asyncio.gather(heard(lesson.near.page), heard(lesson.far.page))
        await asyncio.sleep(4)
        assert lesson.tongke.pid("worker", number) not in (None, killed)
        ended = time.time_ns() // 1_000_000
        await lesson.teacher.end()
        recording = await lesson.tongke.finished_recording(lesson.lesson_id)
        lost = MAY_BE_LOST if number == home else 500  # what is recorded is so where the teacher is
        for source in ("camera", "microphone"):
            held = held_ms(recording, source)
            print(f"{whose} worker: {source}: {held} of {ended - lesson.begun} ms held")
            assert held >= ended - lesson.begun - lost, f"{source}: {held} of {ended - lesson.begun} ms in {recording}"
