"""A second teacher comes by a link with an account of their own, helps from the first moment on, and ends nothing."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.journeys.people import PATIENCE, Person, SchoolClass, Teacher
from tests.support.browser import chromium, eventually, participant
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

NAMES = ("阜平一小 六(2)班", "张北实验小学 六(1)班")


async def test_a_second_teacher_helps_by_link_and_ends_nothing(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        near, far = [await SchoolClass.arrive(browser, tongke) for _ in NAMES]
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        for one, name in zip((near, far), NAMES, strict=True):
            await one.enter(code, name)
            await expect(_row(teacher, name)).to_be_visible(timeout=PATIENCE)

        # The link is copied in the studio; its fragment is an invitation, not a login: who opens it logs in first.
        second = await _invited(browser, tongke, await _link(teacher, lesson_id))
        await expect(second.page).to_have_url(re.compile(rf"/teach/{lesson_id}$"), timeout=PATIENCE)
        await second.moves("main-video")
        await expect(second.see("helping")).to_be_visible(timeout=PATIENCE)
        await expect(second.see("end-lesson")).to_have_count(0, timeout=PATIENCE)
        await expect(second.see("pause-recording")).to_have_count(0, timeout=PATIENCE)
        await second.page.screenshot(path=tmp_path / "helping.png")

        # The wall: hands, the floor, on stage, without sending a picture.
        await near.see("hand").click()
        await expect(second.see("hands")).to_contain_text("1", timeout=PATIENCE)
        await _call(second, NAMES[0])
        await expect(near.see("on-floor")).to_be_visible(timeout=PATIENCE)
        await expect(_row(teacher, NAMES[0])).to_contain_text("正在发言", timeout=PATIENCE)
        await _row(second, NAMES[0]).locator('[data-testid^="stage-"]').click()
        await expect(teacher.see("scene")).not_to_have_attribute("data-large", "own-camera", timeout=PATIENCE)
        await _call(second, NAMES[0])
        await expect(near.see("on-floor")).to_be_hidden(timeout=PATIENCE)

        # What a class writes to the teachers comes to both, and each can answer.
        await far.see("open-chat").click()
        await far.see("chat-text").fill("听不清楚")
        await far.see("chat-send").click()
        for desk in (teacher, second):
            await expect(desk.see("chat-lines")).to_contain_text("听不清楚", timeout=PATIENCE)
        await second.see("chat-lines").locator('[data-testid^="reply-"]').first.click()
        await second.see("chat-text").fill("请检查音箱")
        await second.see("chat-send").click()
        await expect(far.see("chat-lines")).to_contain_text("请检查音箱", timeout=PATIENCE)
        await expect(teacher.see("chat-lines")).to_contain_text("请检查音箱", timeout=PATIENCE)

        # The screen the lead teacher shares can be chosen here too; stages and marks are both teachers'.
        await teacher.share_screen()
        await expect(far.see("screen-video")).to_have_count(1, timeout=PATIENCE)
        await second.see("show-camera").click()
        await expect(far.see("screen-video")).to_have_count(0, timeout=PATIENCE)
        await second.see("show-screen").click()
        await expect(far.see("screen-video")).to_have_count(1, timeout=PATIENCE)
        await second.page.keyboard.press("2")
        await expect(teacher.see("stages")).to_contain_text("新授", timeout=PATIENCE)

        # Teaching along is one press; then the classes see both teachers.
        await second.see("start-lesson").click()
        await expect(second.see("helping")).to_have_count(0, timeout=PATIENCE)
        await eventually("three pictures at the class", lambda: _pictures(far, 3))
        await second.page.screenshot(path=tmp_path / "teaching-along.png")

        # Nobody but the lead teacher ends it, whatever is sent.
        refused = await _asks_to_end(second, tongke, lesson_id)
        assert refused == (403, "not_allowed")
        await second.page.set_viewport_size({"width": 390, "height": 844})
        await second.page.screenshot(path=tmp_path / "narrow.png")
        await second.page.reload()
        await expect(second.see("participant-row")).to_have_count(2, timeout=PATIENCE)
        await teacher.end()
        await expect(second.see("summary")).to_be_visible(timeout=PATIENCE)
        for person in (teacher, second, near, far):
            assert person.errors == []


async def _link(teacher: Teacher, lesson_id: str) -> str:
    """What the button copies."""
    await teacher.page.context.grant_permissions(["camera", "microphone", "clipboard-read", "clipboard-write"])
    await teacher.see("invite-teacher").click()
    copied = ""

    async def is_there() -> bool:
        nonlocal copied
        copied = str(await teacher.page.evaluate("() => navigator.clipboard.readText()"))
        return f"/teach/{lesson_id}#" in copied

    await eventually("the link in the clipboard", is_there)
    return copied


async def _invited(browser: Browser, tongke: Tongke, link: str) -> Person:
    second = Person(await (await participant(browser)).new_page(), tongke)
    password = await tongke.add_user("主讲教师乙", "teacher")
    await second.page.goto(link)
    await second.see("login-name").fill("主讲教师乙")
    await second.see("login-password").fill(password)
    await second.see("login-submit").click()
    await second.see("scene").wait_for()
    return second


def _row(person: Person, name: str) -> Locator:
    return person.see("participant-row").filter(has_text=name)


async def _call(person: Person, name: str) -> None:
    await _row(person, name).locator('[data-testid^="floor-"]').click()


async def _pictures(person: Person, wanted: int) -> bool:
    script = "() => [...document.querySelectorAll('video')].filter((one) => one.dataset.showing === 'true').length"
    return bool(await person.page.evaluate(script) >= wanted)


async def _asks_to_end(person: Person, tongke: Tongke, lesson_id: str) -> tuple[int, str]:
    origin = {"Origin": tongke.http}
    response = await person.page.context.request.post(f"{tongke.http}/api/lessons/{lesson_id}/end", headers=origin)
    body: dict[str, Any] = await response.json()
    return response.status, str(body["code"])
