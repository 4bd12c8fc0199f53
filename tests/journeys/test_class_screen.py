"""The screen forty pupils look at: what may stand there, how large it is, how it fits, and who can use it."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.journeys.firefox_people import FirefoxClass, FirefoxTeacher
from tests.journeys.people import PATIENCE, SchoolClass, Teacher
from tests.support.axe import violations
from tests.support.browser import Asked, chromium, eventually, heard, moving_pictures, participant
from tests.support.firefox import firefox
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

SCREENS = ((1366, 768), (1920, 1080), (3840, 2160), (390, 844))
NEAR, FAR = "阜平一小 六(2)班", "拉萨三小 五(1)班"

# What pupils may ever read beside the pictures themselves, and of whom. The line and the recording are the adult's.
ALLOWED = (
    "正在发言",
    f"{re.escape(NEAR)}正在发言",
    re.escape(NEAR),  # under its picture
    r"\d+:\d\d",  # a countdown
    "时间到",
)

SEEN = """() => {
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.data.trim()) continue;
    const element = node.parentElement;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter((one) => one.width > 1 && one.height > 1
      && one.right > 0 && one.bottom > 0 && one.left < innerWidth && one.top < innerHeight);
    if (!boxes.length || !element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    if (element.closest(".visually-hidden, .skip")) continue;
    const state = element.closest(
      "[data-testid=line-state], [data-testid=recording-dot], [data-testid=camera-state], "
      + "[data-testid=paused], [data-key^='notice.']");
    const owner = state ?? element;
    const text = owner.innerText.replace(/\\s+/g, " ").trim();
    found.set(owner, {text, size: parseFloat(getComputedStyle(owner).fontSize), state: state !== null});
  }
  return [...found.values()];
}"""

OUT_OF_PLACE = """() => {
  const wrong = [];
  const shown = (one) => one.checkVisibility({opacityProperty: true, visibilityProperty: true});
  const found = document.querySelectorAll("button, a, input, [data-testid=line-state], [data-testid=recording-dot]");
  const boxes = [...found].filter(shown).map((one) => [one, one.getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && box.top > -40);
  const name = (one) => one.dataset.testid ?? one.getAttribute("aria-label") ?? one.innerText;
  for (const [one, box] of boxes) {
    const outside = box.left < 0 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
    if (outside) wrong.push(`${name(one)} stands outside`);
    const small = one.tagName === "BUTTON" && Math.min(box.width, box.height) < 44;
    if (small) wrong.push(`${name(one)} is ${box.width} x ${box.height}`);
  }
  for (const [one, a] of boxes) for (const [other, b] of boxes) {
    if (one === other || one.contains(other) || other.contains(one)) continue;
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 1 && down > 1) wrong.push(`${name(one)} and ${name(other)} stand on each other`);
  }
  if (document.documentElement.scrollWidth > innerWidth) wrong.push("the page is wider than the screen");
  return wrong;
}"""


async def test_pupils_read_nothing_but_what_is_for_them_and_large_and_it_fits_every_screen(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        board = SchoolClass(await (await participant(browser, 1920, 1080)).new_page(), tongke)
        near = await SchoolClass.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await asyncio.gather(near.enter(code, NEAR), board.enter(code, FAR))
        await asyncio.gather(near.see("consent-yes").click(), board.see("consent-no").click())
        await teacher.start(lesson_id)
        await board.moves("main-video")

        # Everything at once that could tempt a page to say something: messages, hands, marks, stages, a class called.
        await near.see("hand").click()
        await teacher.see("hands").wait_for()
        await teacher.give_floor("阜平一小")
        await near.see("on-floor").wait_for()
        await board.see("other-floor").wait_for()
        await teacher.page.keyboard.press("m")
        await teacher.see("stages").click()
        await teacher.see("begin-practice").click()
        await teacher.see("countdown").click()
        await teacher.see("countdown-3").click()
        await board.see("class-countdown").wait_for()
        await near.see("open-chat").click()
        await near.see("chat-text").fill("老师，这道题我们会了")
        await near.see("chat-send").click()
        await board.see("hand").click()
        await board.see("own-picture").click()
        await board.see("camera-always").click()
        await board.see("camera-state").wait_for()
        await near.page.mouse.move(400, 300)
        await asyncio.gather(_rests(near), _rests(board))
        await _fits(board.page, "what stays of a bar that rests")
        for screen in (near, board):
            seen = await screen.page.evaluate(SEEN)
            for each in seen:
                assert each["state"] or any(re.fullmatch(one, each["text"]) for one in ALLOWED), seen
        tall = 1080
        for each in await board.page.evaluate(SEEN):
            assert each["state"] or each["size"] >= 0.05 * tall, each
            assert each["size"] >= 28 or not each["state"], each

        # The same screen, and its bar, on everything a school has; in both languages.
        assert await violations(board.page) == []
        assert await violations(teacher.page) == []
        for language in ("zh-CN", "en"):
            if language == "en":
                await board.page.evaluate("localStorage.setItem('tongke.locale', 'en')")
                await board.page.reload()
                await board.see("camera-state").wait_for()
            for width, height in SCREENS if language == "zh-CN" else (*SCREENS[:2], SCREENS[-1]):
                await board.page.set_viewport_size({"width": width, "height": height})
                await board.page.mouse.move(width / 2, height / 2)
                await board.page.mouse.move(width / 2 + 9, height / 2)
                await expect(board.page.locator(".bar.resting")).to_have_count(0, timeout=PATIENCE)
                await _fits(board.page, f"{width} x {height}, {language}")
                for menu in ("own-picture", "class-more"):
                    await board.see(menu).click()
                    box = await board.page.locator(".panel").bounding_box()
                    assert box, menu
                    assert min(box["x"], box["y"], width - box["x"] - box["width"]) >= 0, (menu, box)
                    await board.page.keyboard.press("Escape")
        for person in (teacher, near, board):
            assert person.errors == []


async def test_in_firefox_a_class_listens_speaks_and_reads_nothing_else(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, firefox() as browser:
        teacher = await FirefoxTeacher.arrive(browser, tongke)
        board = await FirefoxClass.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        await board.enter(code, NEAR)
        await board.page.click("consent-yes")
        await asyncio.gather(moving_pictures(board.page), heard(board.page))

        # What it shows of itself is for the teacher; called on, it is seen and heard, and says so.
        await board.page.click("own-picture")
        await board.page.click("camera-always")
        await board.page.see("camera-state")
        await moving_pictures(teacher.page)
        await board.page.click("hand")
        await teacher.page.see("hands")
        call = "() => document.querySelector('[data-testid=participant-row] [data-testid^=\"floor-\"]').click()"
        await teacher.page.evaluate(call)
        await board.page.see("on-floor")
        await board.page.see("self-video")
        await asyncio.gather(moving_pictures(teacher.page), heard(teacher.page))
        await board.page.click("signal-slower")

        await board.page.resize(1920, 1080)
        await board.page.evaluate("() => document.activeElement?.blur()")
        resting = "() => document.querySelectorAll('.bar.resting').length === 1"

        async def rests() -> bool:
            return bool(await board.page.evaluate(resting))

        await eventually("a bar that has gone", rests)
        await asyncio.sleep(0.3)  # it fades
        for each in await board.page.evaluate(SEEN):
            assert each["state"] or any(re.fullmatch(one, each["text"]) for one in ALLOWED), each
            assert each["size"] >= (28 if each["state"] else 0.05 * 1080), each
        for width, height in SCREENS:
            await board.page.resize(width, height)
            await board.page.evaluate("() => dispatchEvent(new PointerEvent('pointermove'))")
            await _fits(board.page, f"{width} x {height}, in Firefox")
        await teacher.page.evaluate(call)
        await eventually("the end of the floor", lambda: _gone(board.page, "on-floor"))
        assert teacher.errors == board.errors == []


async def _gone(page: Asked, test_id: str) -> bool:
    return bool(await page.evaluate("(id) => !document.querySelector(`[data-testid=${id}]`)", test_id))


async def _rests(screen: SchoolClass) -> None:
    """Nobody touches anything until the bar has gone. A message that is being read keeps it."""
    drawer = screen.page.locator(".drawer button[aria-expanded=true]")
    if await drawer.count():
        await drawer.first.click()
    await screen.page.mouse.move(300, 200)
    await screen.page.evaluate("document.activeElement?.blur()")
    await expect(screen.page.locator(".bar.resting")).to_have_count(1, timeout=PATIENCE)
    await asyncio.sleep(0.3)  # the bar fades


async def _fits(page: Asked, where: str) -> None:
    """Within moments: pictures and words find their place first."""
    wrong: list[str] = []

    async def check() -> bool:
        wrong[:] = await page.evaluate(OUT_OF_PLACE)
        return not wrong

    try:
        await eventually(f"a page that fits {where}", check, 5)
    except AssertionError as error:
        error.add_note(str(wrong))
        raise
