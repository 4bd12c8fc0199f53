"""A class with Chromium 109, the last for Windows 7: it sees, reads, raises its hand and speaks as all others do.

The browser is not in Debian any more. Where one is, CHROMIUM_109 names it; the package `@sparticuz/chromium@109.0.6`
of npm has one.
"""

import os
import shutil
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from tests.journeys.people import LOADING, PATIENCE, SchoolClass, Teacher
from tests.support.browser import FLAGS, chromium, participant
from tests.support.server import Tongke

OLD = shutil.which(os.environ.get("CHROMIUM_109", ""))
pytestmark = [pytest.mark.journey, pytest.mark.skipif(OLD is None, reason="CHROMIUM_109 names no browser")]
NAME = "阜平一小 六(2)班"


async def test_a_class_with_chromium_109_sees_the_teacher_and_the_board_raises_its_hand_and_speaks(
    tmp_path: Path,
) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser, async_playwright() as playwright:
        old = await playwright.chromium.launch(executable_path=OLD, args=list(FLAGS))
        assert old.version.startswith("109.")
        teacher = await Teacher.arrive(browser, tongke)
        pupils = SchoolClass(await (await participant(old)).new_page(), tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        await pupils.enter(code, NAME)
        await pupils.see("consent-yes").click()
        await pupils.moves("main-video")
        await pupils.hear()
        await teacher.see("show-whiteboard").click()
        await expect(pupils.see("class-surface")).to_have_attribute("data-surface", "board/1", timeout=LOADING)
        await pupils.moves("main-video")
        await pupils.see("hand").click()
        await expect(teacher.see("hands")).to_contain_text("1", timeout=PATIENCE)
        await teacher.give_floor("阜平一小")
        await pupils.see("on-floor").wait_for()
        await pupils.page.screenshot(path=tmp_path / "chromium-109.png")
        await pupils.see("give-back").click()
        await expect(pupils.see("on-floor")).to_have_count(0, timeout=PATIENCE)
        assert pupils.errors == teacher.errors == []
        await old.close()
