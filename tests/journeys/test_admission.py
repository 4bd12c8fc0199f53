"""Who gets in: a class from its bookmark on a wiped PC, one that nobody invited, and second devices."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.journeys.people import SchoolClass, Teacher
from tests.support.browser import chromium
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

OWN = "阜平一小 六(2)班"


async def _invite(teacher: Teacher, tongke: Tongke, lesson_id: str) -> str:
    """The own code of a class of the list, which is invited to the lesson from now on."""
    admin = {"Authorization": f"Bearer {await tongke.token('', 'admin')}"}
    request = teacher.page.context.request

    async def made(path: str, data: dict[str, Any]) -> dict[str, Any]:
        response = await request.post(f"{tongke.http}{path}", data=data, headers=admin)
        assert response.ok, await response.text()
        body: dict[str, Any] = await response.json()
        return body

    school = await made("/api/schools", {"name": "阜平一小", "region": "阜平县"})
    one = await made(f"/api/schools/{school['school_id']}/classes", {"name": "六(2)班", "headcount": 43})
    changed = await request.patch(
        f"{tongke.http}/api/lessons/{lesson_id}",
        data={"class_group_ids": [one["class_group_id"]]},
        headers={"Authorization": f"Bearer {await tongke.token(lesson_id, 'lead_teacher')}"},
    )
    assert changed.ok, await changed.text()
    return str(one["code"])


async def test_classes_come_in_as_they_are_invited_and_stay_out_as_the_teacher_says(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        invited, stranger, other = await asyncio.gather(*(SchoolClass.arrive(browser, tongke) for _ in range(3)))
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        own_code = await _invite(teacher, tongke, lesson_id)

        # From its bookmark: no code typed, none in the address bar, and the waiting page until the lesson begins.
        await invited.page.goto(f"{tongke.http}/class#{own_code}")
        await expect(invited.see("entry-found")).to_contain_text(OWN)
        await expect(invited.page).to_have_url(re.compile(r"/class$"))
        await expect(invited.see("class-headcount")).to_have_value("43")
        await invited.see("enter-class").click()
        await expect(invited.see("waiting-room")).to_have_attribute("data-waiting", "start")
        await teacher.start(lesson_id)
        await invited.moves("main-video")

        # One that nobody invited sees nothing of the lesson until the teacher says so.
        await stranger.enter(code, "张北实验 五(1)班")
        await expect(stranger.see("waiting-room")).to_have_attribute("data-waiting", "door")
        assert await stranger.page.locator("video").evaluate_all("all => all.filter(one => one.videoWidth).length") == 0
        row = teacher.see("door-row")
        await expect(row).to_contain_text("张北实验")
        await row.locator('[data-testid^="admit-"]').click()
        await stranger.moves("main-video")

        # A wiped PC comes back from the same bookmark, while the old page is still there: it is asked.
        wiped = await SchoolClass.arrive(browser, tongke)
        await wiped.page.goto(f"{tongke.http}/class#{own_code}")
        await wiped.see("enter-class").click()
        await wiped.see("second-device").wait_for()
        await wiped.page.screenshot(path=tmp_path / "second-device-class.png")
        await wiped.see("take-over").click()
        await wiped.moves("main-video")
        await expect(invited.see("closed")).to_have_attribute("data-code", "replaced")
        third = await SchoolClass.arrive(browser, tongke)
        await third.page.goto(f"{tongke.http}/class#{own_code}")
        await third.see("enter-class").click()
        await third.see("only-watch").click()
        await third.moves("main-video")
        await expect(third.see("hand")).to_have_count(0)
        await expect(third.see("volume")).to_have_value("0")
        await expect(wiped.see("hand")).to_be_visible()
        await expect(teacher.see("participant-row")).to_have_count(2)

        # Sent out, locked, and with a code that is no more.
        gone = teacher.see("participant-row").filter(has_text="张北实验")
        await gone.locator('[data-testid^="class-menu-"]').click()
        await teacher.page.locator('[data-testid^="remove-"]').click()
        await teacher.see("confirm-remove").click()
        await expect(stranger.see("closed")).to_have_attribute("data-code", "removed")
        await stranger.enter(code, "另一个名字")
        await expect(stranger.see("problem")).to_have_attribute("data-code", "removed")
        await teacher.see("lock").click()
        await expect(teacher.see("door-state")).to_have_attribute("data-locked", "true")
        await other.enter(code, "迟到的班")
        await expect(other.see("problem")).to_have_attribute("data-code", "locked")
        await wiped.page.reload()
        await wiped.moves("main-video")
        await teacher.see("lock").click()
        await teacher.see("renew-code").click()
        await teacher.see("confirm-renew").click()
        await expect(teacher.see("studio-code")).not_to_contain_text(f"{code[:3]}\u2009{code[3:]}")
        await other.enter(code, "迟到的班")
        await expect(other.see("problem")).to_have_attribute("data-code", "class_code_unknown")
        for person in (teacher, invited, stranger, other, wiped, third):
            assert person.errors == []


async def test_a_teacher_goes_on_with_the_lesson_on_a_second_device(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        office, classroom = await asyncio.gather(*(Teacher.arrive(browser, tongke) for _ in range(2)))
        board = await SchoolClass.arrive(browser, tongke)
        password = await tongke.add_user(Teacher.name, "teacher")
        for desk in (office, classroom):
            await desk.page.goto(f"{tongke.http}/login")
            await desk.see("login-name").fill(Teacher.name)
            await desk.see("login-password").fill(password)
            await desk.see("login-submit").click()
            await desk.see("lesson-title").wait_for()
        lesson_id, code = await office.create_lesson("草原")
        await board.enter(code, OWN)
        await office.start(lesson_id)
        await board.moves("main-video")

        await classroom.page.goto(f"{tongke.http}/teach/{lesson_id}")
        await classroom.see("second-device").wait_for()
        await classroom.page.screenshot(path=tmp_path / "second-device-teacher.png")
        await classroom.see("take-over").click()
        await expect(office.see("closed")).to_have_attribute("data-code", "replaced")
        await classroom.see("end-lesson").wait_for()
        await board.moves("main-video")
        await expect(classroom.see("participant-row")).to_have_count(1)
        await classroom.end()
        for person in (office, classroom, board):
            assert person.errors == []
