"""The local teacher beside a board without touch and mouse: a class comes, takes part and goes by keyboard alone."""

from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from tests.journeys.people import PATIENCE, SchoolClass, Teacher
from tests.support.axe import violations
from tests.support.browser import chromium, participant
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

NAME = "阜平一小 六(2)班"
STOPS = 40  # presses of Tab, more than the page has places for the focus

# What has the focus, and whether one sees that it has.
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  return {name: one.dataset.testid ?? one.getAttribute("aria-label") ?? one.innerText.trim(),
    seen: getComputedStyle(one).outlineStyle !== "none" && !one.closest(".resting")};
}"""


async def test_a_class_comes_takes_part_and_goes_by_keyboard(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        pupils = SchoolClass(await (await participant(browser, 1920, 1080)).new_page(), tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)

        await pupils.page.goto(f"{tongke.http}/class")
        await expect(pupils.see("class-code")).to_be_focused(timeout=PATIENCE)
        await pupils.page.keyboard.type(code)
        await _to(pupils, pupils.see("class-name"))
        await pupils.page.keyboard.type(NAME)
        await pupils.page.keyboard.press("Enter")
        await pupils.moves("main-video")
        await pupils.see("consent-yes").wait_for()
        await _press(pupils, pupils.see("consent-yes"))
        await expect(pupils.see("consent-card")).to_have_count(0, timeout=PATIENCE)

        stops = await _walk(pupils)
        for needed in ("hand", "signal-slower", "signal-again", "own-picture", "volume", "open-chat", "class-more"):
            assert needed in stops, stops
        assert stops.index("hand") < stops.index("signal-slower") < stops.index("volume") < stops.index("class-more")
        assert await violations(pupils.page) == []

        await _press(pupils, pupils.see("hand"))
        await expect(teacher.see("hands")).to_be_visible(timeout=PATIENCE)
        await _press(pupils, pupils.see("signal-unclear"))
        await expect(teacher.page.get_by_text("看不清")).to_be_visible(timeout=PATIENCE)
        before = float(await pupils.see("volume").input_value())
        await _to(pupils, pupils.see("volume"))
        await pupils.page.keyboard.press("ArrowLeft")
        await expect(pupils.see("volume")).not_to_have_value(str(before))

        # A menu takes the focus, gives it back by Escape, and holds nobody.
        await _press(pupils, pupils.see("own-picture"))
        await expect(pupils.see("camera-floor")).to_be_focused(timeout=PATIENCE)
        await pupils.page.keyboard.press("Escape")
        await expect(pupils.see("own-picture")).to_be_focused(timeout=PATIENCE)
        await _press(pupils, pupils.see("open-chat"))
        await pupils.see("chat-text").wait_for()
        await _to(pupils, pupils.see("chat-text"))
        await pupils.page.keyboard.type("我们班看不清")
        await pupils.page.keyboard.press("Enter")
        await expect(teacher.page.get_by_text("我们班看不清")).to_be_visible(timeout=PATIENCE)

        await teacher.give_floor(NAME)
        await pupils.moves("self-video")
        await _press(pupils, pupils.see("give-back"))
        await expect(pupils.see("on-floor")).to_have_count(0, timeout=PATIENCE)

        await _press(pupils, pupils.see("class-more"))
        await _press(pupils, pupils.see("leave"))
        await expect(pupils.see("class-code")).to_be_visible(timeout=PATIENCE)
        await expect(teacher.see("participant-row")).to_have_count(0, timeout=PATIENCE)
        assert teacher.errors == pupils.errors == []


async def _to(pupils: SchoolClass, wanted: Locator) -> None:
    """By Tab from where the focus is."""
    for _ in range(STOPS):
        if await wanted.evaluate("(one) => one === document.activeElement"):
            return
        await pupils.page.keyboard.press("Tab")
    raise AssertionError(f"the focus never comes to {wanted}")


async def _press(pupils: SchoolClass, wanted: Locator) -> None:
    await _to(pupils, wanted)
    await pupils.page.keyboard.press("Enter")


async def _walk(pupils: SchoolClass) -> list[str]:
    """Once through the page by Tab: every place shows that it has the focus, and none holds it."""
    await pupils.page.locator("#content").focus()
    stops: list[str] = []
    for _ in range(STOPS):
        await pupils.page.keyboard.press("Tab")
        focused = await pupils.page.evaluate(FOCUSED)
        if focused is None:
            return stops  # past the last place
        assert focused["seen"], focused
        stops.append(focused["name"])
    raise AssertionError(f"no way out of {stops}")
