"""A teacher without a mouse: the whole lesson by Tab, Enter and the keys of the studio."""

from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from tests.journeys.people import PATIENCE, SchoolClass, Teacher
from tests.support.axe import violations
from tests.support.browser import chromium
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

NAMES = ("阜平一小 六(2)班", "张北实验小学 六(1)班")
STOPS = 80  # presses of Tab, more than a page has places for the focus

# What has the focus, and what is wrong with how it is shown.
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const name = one.dataset.testid ?? one.getAttribute("aria-label") ?? one.innerText.trim();
  const ring = [one, one.parentElement].some((each) => getComputedStyle(each).outlineStyle !== "none");
  const box = one.getBoundingClientRect();
  const above = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  const seen = above && (one.contains(above) || above.contains(one));
  return {name, wrong: [...(ring ? [] : ["has no ring"]), ...(seen ? [] : ["is covered"])]};
}"""


async def test_a_teacher_gives_a_whole_lesson_by_keyboard(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        near, far = [await SchoolClass.arrive(browser, tongke) for _ in NAMES]
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        row = teacher.page.locator(f'[data-testid="lesson-row"][data-lesson-id="{lesson_id}"]')
        await _tab_to(teacher, row.get_by_test_id("teach"))
        await teacher.page.keyboard.press("Enter")
        for one, name in zip((near, far), NAMES, strict=True):
            await one.enter(code, name)
            await expect(_row(teacher, name)).to_be_visible(timeout=PATIENCE)
        await expect(teacher.see("start-lesson")).to_be_enabled(timeout=PATIENCE)
        assert await violations(teacher.page) == []

        await _tab_to(teacher, teacher.see("start-lesson"))
        await teacher.page.keyboard.press("Enter")
        await expect(teacher.see("end-lesson")).to_be_visible(timeout=PATIENCE)
        stops = await _walk(teacher)
        for needed in ("end-lesson", "show-screen", "scene-side_by_side", "share-screen", "stages", "mark", "more"):
            assert needed in stops, stops
        assert sum(stop.startswith("floor-") for stop in stops) == len(NAMES), stops
        assert stops.index("end-lesson") < stops.index("show-screen") < stops.index("lock") < stops.index("mark")

        await _press(teacher, teacher.see("share-screen"))
        await teacher.moves("own-screen")

        # The class that was called stands elsewhere on the wall then, and the focus with it: the next press takes back.
        call = _row(teacher, NAMES[1]).locator('button[data-testid^="floor-"]')
        await _press(teacher, call)
        await expect(far.see("on-floor")).to_be_visible(timeout=PATIENCE)
        await expect(call).to_contain_text("收回", timeout=PATIENCE)
        await expect(call).to_be_focused(timeout=PATIENCE)
        await teacher.page.keyboard.press("Enter")
        await expect(call).to_contain_text("请发言", timeout=PATIENCE)
        await expect(far.see("on-floor")).to_be_hidden(timeout=PATIENCE)

        await teacher.page.keyboard.press("m")
        await expect(teacher.see("mark")).to_have_attribute("data-count", "1", timeout=PATIENCE)
        await _press(teacher, teacher.see("stages"))
        await expect(teacher.see("begin-intro")).to_be_focused(timeout=PATIENCE)
        await teacher.page.keyboard.press("Escape")
        await expect(teacher.see("stages")).to_be_focused(timeout=PATIENCE)

        # axe holds the page up for seconds on a busy machine: it comes after what is asked of the room.
        await _press(teacher, call)
        await expect(call).to_contain_text("收回", timeout=PATIENCE)
        assert await violations(teacher.page) == []

        # It asks once, and the focus is on what harms nothing.
        await _press(teacher, teacher.see("end-lesson"))
        await expect(teacher.see("cancel")).to_be_focused(timeout=PATIENCE)
        await teacher.page.keyboard.press("Tab")
        await expect(teacher.see("confirm-end")).to_be_focused(timeout=PATIENCE)
        await teacher.page.keyboard.press("Enter")
        await expect(teacher.see("ended")).to_be_visible(timeout=PATIENCE)
        assert await violations(teacher.page) == []
        assert teacher.errors == near.errors == far.errors == []


async def _tab_to(teacher: Teacher, wanted: Locator) -> None:
    for _ in range(STOPS):
        await teacher.page.keyboard.press("Tab")
        if await wanted.evaluate("(one) => one === document.activeElement"):
            return
    raise AssertionError(f"the focus never comes to {wanted}")


async def _press(teacher: Teacher, wanted: Locator) -> None:
    """Enter on a place that the walk has shown Tab to come to."""
    await wanted.focus()
    await teacher.page.keyboard.press("Enter")


async def _walk(teacher: Teacher) -> list[str]:
    """Once through the page by Tab; every place is seen, and none holds the focus."""
    await teacher.page.evaluate("document.activeElement.blur()")
    await teacher.page.locator("#content").focus()
    stops: list[str] = []
    for _ in range(STOPS):
        await teacher.page.keyboard.press("Tab")
        focused = await teacher.page.evaluate(FOCUSED)
        if focused is None:
            return stops  # past the last place
        assert focused["wrong"] == [], focused
        stops.append(focused["name"])
    raise AssertionError(f"no way out of {stops}")


def _row(teacher: Teacher, name: str) -> Locator:
    return teacher.see("participant-row").filter(has_text=name)
