"""A class behind a bad line: what is lost is asked for again, and nobody notices."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.bench.peer import own_address
from tests.journeys.people import SchoolClass, Teacher, synthetic_teacher
from tests.support.browser import chromium, heard, received, rerouted
from tests.support.link import LHASA, SEVERED, UdpLink
from tests.support.proxy import whip_proxy
from tests.support.server import Tongke

pytestmark = [pytest.mark.journey, pytest.mark.alone]

WATCHED = 20.0  # seconds


async def test_eighty_milliseconds_and_five_percent_loss_leave_picture_and_sound_whole(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        code = await _taught(browser, tongke)
        async with UdpLink((own_address(), tongke.media_port), LHASA) as link:
            pupils = await SchoolClass.arrive(browser, tongke, init_script=rerouted(tongke.media_port, link.address))
            await pupils.enter(code, "拉萨三小 五(1)班")
            await asyncio.gather(pupils.moves("main-video"), heard(pupils.page))
            await asyncio.sleep(5)  # the first seconds do not count: the buffer is still finding its size
            before = {each.ssrc: each for each in await received(pupils.page) if each.packets}
            lost, sent = link.down.lost, link.down.sent
            await asyncio.sleep(WATCHED)
            after = {each.ssrc: each for each in await received(pupils.page) if each.ssrc in before}
            assert link.down.sent - sent > 100 * WATCHED, "the lesson did not come over this line"
            assert link.down.lost - lost > 0.03 * (link.down.sent - sent), "the line was better than it should be"
            for ssrc, now in after.items():
                then = before[ssrc]
                if now.kind == "video":
                    assert now.frames - then.frames > 10 * WATCHED
                    # Without repair it would stand still nearly always; how seldom it does is the bench's to measure.
                    assert now.frozen - then.frozen < 0.05 * WATCHED
                elif now.packets > then.packets:
                    assert now.concealed - then.concealed < 0.005 * (now.samples - then.samples)


async def test_what_ffmpeg_loses_on_the_way_up_is_sent_again_and_recorded(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke:
        lesson = await tongke.create_lesson()
        async with (
            UdpLink((own_address(), tongke.media_port), LHASA) as link,
            whip_proxy(tongke.http, tongke.media_port, link.address) as door,
            synthetic_teacher(tongke, lesson.lesson_id, tmp_path, door),
        ):
            await asyncio.sleep(15)
            assert link.up.lost > 20
        await tongke.end_lesson(lesson.lesson_id)
        (camera,) = [
            track
            for track in (await tongke.finished_recording(lesson.lesson_id))["tracks"]
            if track["source"] == "camera"
        ]
        assert camera["duration_ms"] > 5000
        assert camera["gaps"] == []


async def test_a_line_that_was_cut_brings_the_lesson_back_by_itself(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        code = await _taught(browser, tongke)
        async with UdpLink((own_address(), tongke.media_port)) as link:
            pupils = await SchoolClass.arrive(browser, tongke, init_script=rerouted(tongke.media_port, link.address))
            await pupils.enter(code, "拉萨三小")
            await pupils.moves("main-video")
            good = link.up.conditions
            link.up.conditions = link.down.conditions = SEVERED
            await asyncio.sleep(3)
            still = await _frames(pupils)
            await asyncio.sleep(9)
            assert await _frames(pupils) <= still  # fewer when the page has already begun anew
            link.up.conditions = link.down.conditions = good
            await pupils.moves("main-video", within=10)
            assert pupils.errors == []


async def _taught(browser: Browser, tongke: Tongke) -> str:
    """A lesson that a teacher has started; its class code."""
    teacher = await Teacher.arrive(browser, tongke)
    await teacher.log_in()
    lesson_id, code = await teacher.create_lesson("草原")
    await teacher.start(lesson_id)
    return code


async def _frames(person: SchoolClass) -> int:
    return sum(each.frames for each in await received(person.page, "video"))
