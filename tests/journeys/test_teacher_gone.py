"""The teacher's browser dies in mid-lesson: the classes wait calmly, and everything is as it was when it is back."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from playwright.async_api import Error, expect

from tests.journeys.people import PATIENCE, SchoolClass, Teacher
from tests.support.browser import chromium, eventually
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

MARKED = "<b>阜平一小</b>"  # a name is text, whatever stands in it


async def crash(teacher: Teacher) -> None:
    """Its tab is gone from one moment to the next, and says nothing to anybody."""
    devtools = await teacher.page.context.new_cdp_session(teacher.page)
    with contextlib.suppress(Error, TimeoutError):  # its answer does not come any more
        await asyncio.wait_for(devtools.send("Page.crash"), 2)


async def test_after_a_crash_of_the_teachers_tab_the_lesson_is_as_it_was(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        pupils = await SchoolClass.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await pupils.enter(code, "阜平一小")
        await teacher.start(lesson_id)
        await pupils.moves("main-video")
        await teacher.see("countdown").click()
        await teacher.see("countdown-10").click()
        await teacher.give_floor("阜平一小")
        await pupils.moves("self-video")
        studio = teacher.page.url

        await crash(teacher)
        waiting = pupils.see("waiting")
        await expect(waiting).to_have_attribute("data-waiting", "teacher", timeout=PATIENCE)
        await expect(pupils.see("on-floor")).to_be_visible()
        await pupils.page.screenshot(path=tmp_path / "teacher-crashed.png")

        # Opened again from the history of the browser, by the same account.
        back = Teacher(await teacher.page.context.new_page(), tongke)
        await back.page.goto(studio)
        await back.moves("own-camera")
        await back.see("start-lesson").click()
        await pupils.moves("main-video", within=30)
        await expect(waiting).to_have_count(0, timeout=PATIENCE)
        await expect(back.see("end-lesson")).to_be_visible(timeout=PATIENCE)
        await expect(back.see("participant-row").filter(has_text="阜平一小")).to_be_visible(timeout=PATIENCE)
        await expect(pupils.see("class-countdown")).to_be_visible()
        await expect(pupils.see("on-floor")).to_be_visible()
        await back.page.screenshot(path=tmp_path / "teacher-back.png")

        # Loaded again, it goes on by itself.
        await back.page.reload()
        await pupils.moves("main-video", within=30)
        await back.see("end-lesson").wait_for()
        for person in (back, pupils):
            assert person.errors == []


async def test_a_teacher_gone_for_long_finds_the_lesson_as_it_was_and_the_classes_waiting(tmp_path: Path) -> None:
    """Gone so long that the room gave it up: after two seconds here, after a minute otherwise."""
    async with Tongke(tmp_path / "data", "--away-seconds", "2") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        pupils = await SchoolClass.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await pupils.enter(code, MARKED)
        await teacher.start(lesson_id)
        await pupils.moves("main-video")
        await teacher.see("mark").click()
        await expect(teacher.see("mark")).to_have_attribute("data-count", "1", timeout=PATIENCE)
        studio = teacher.page.url

        await crash(teacher)
        token = await tongke.token(lesson_id, "receiving_class")
        await eventually("the room to give the teacher up", lambda: alone(tongke, lesson_id, token))
        waiting = pupils.see("waiting")
        await expect(waiting).to_have_attribute("data-waiting", "teacher", timeout=PATIENCE)
        await pupils.page.screenshot(path=tmp_path / "teacher-gone.png")
        shown = await pupils.page.inner_text("body")
        assert "老师" in shown
        assert not any(word in shown for word in ("错误", "失败", "结束")), shown

        back = Teacher(await teacher.page.context.new_page(), tongke)
        await back.page.goto(studio)
        await back.moves("own-camera")
        await back.see("start-lesson").click()
        await pupils.moves("main-video", within=30)
        await expect(waiting).to_have_count(0, timeout=PATIENCE)
        await expect(back.see("participant-row").filter(has_text=MARKED)).to_be_visible(timeout=PATIENCE)
        await expect(back.page.locator("b")).to_have_count(0)
        await expect(back.see("mark")).to_have_attribute("data-count", "1")
        await back.page.screenshot(path=tmp_path / "teacher-back.png")
        await back.end()
        await pupils.see("ended").wait_for()
        assert (back.errors, pupils.errors) == ([], [])


async def alone(tongke: Tongke, lesson_id: str, token: str) -> bool:
    """Whether there is no teacher in the room any more."""
    answer = await tongke.request("GET", f"/api/lessons/{lesson_id}/participants", token=token)
    return all(one["role"] != "lead_teacher" for one in answer.json["participants"])
