"""课件 and 白板: a teacher brings slides, turns pages and writes; classes see it, late ones too, and after a reload."""

import json
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from server.demo.pdf import document
from tests.journeys.people import LOADING, Person, SchoolClass, Teacher
from tests.journeys.test_phone import phone_at
from tests.support.axe import violations
from tests.support.browser import chromium, eventually
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

NAMES = ("阜平一小 六(2)班", "张北实验小学 六(1)班")
PAINTS = ((220, 60, 50), (40, 140, 80), (40, 90, 200))  # the left half of each page; the right half is white
SCREENS = ((1366, 768), (390, 844), (1920, 1080))

# The middle of the left half of the page that is seen, as the browser has drawn it.
PAINT = """(id) => {
  const picture = document.querySelector(`[data-testid="${id}"] img.there`);
  if (!picture || !picture.naturalWidth) return null;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 4;
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, 4, 4);
  return [...context.getImageData(1, 2, 1, 1).data].slice(0, 3);
}"""

# What is drawn in this part of a page: how many points of it have ink.
INK = """([id, left, top, right, bottom]) => {
  let found = 0;
  for (const canvas of document.querySelectorAll(`[data-testid="${id}"] canvas`)) {
    const {width, height} = canvas;
    if (!width || !height) continue;
    const box = [left * width, top * height, (right - left) * width, (bottom - top) * height].map(Math.round);
    const {data} = canvas.getContext("2d").getImageData(...box);
    for (let at = 3; at < data.length; at += 4) if (data[at] > 40) found += 1;
  }
  return found;
}"""
BUSY = 60.0  # seconds for what is there at once, on a machine that does much else
RIGHT = (0.55, 0.1, 0.95, 0.9)  # where the teacher writes


async def test_a_class_sees_slides_and_what_is_written_on_them_also_late_and_after_a_reload(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        near, late = [await SchoolClass.arrive(browser, tongke) for _ in NAMES]
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        await near.enter(code, NAMES[0])
        await near.moves("main-video")

        # Without slides the button leads to where they are brought; the first page is shown by a second press.
        await teacher.see("show-slides").click()
        await teacher.see("slides-file").set_input_files(
            {"name": "草原 第一课时.pdf", "mimeType": "application/pdf", "buffer": _slides()}
        )
        await expect(teacher.see("slide-set")).to_contain_text("草原 第一课时", timeout=LOADING)
        assert await violations(teacher.page) == []
        await teacher.see("show-slides").click()
        await _sees(near, 1)
        slides_id = await _slides_id(teacher)
        await expect(teacher.see("scene")).to_have_attribute("data-large", _surface(slides_id, 1))

        # A clicker's key turns; the teacher's own picture goes on beside the page.
        await teacher.page.keyboard.press("PageDown")
        await _sees(near, 2)
        await expect(teacher.see("page-at")).to_have_attribute("data-page", "2")
        await near.moves("main-video")
        await teacher.moves("own-camera")

        # What is drawn is there, in the place where it was drawn, and nowhere else.
        await teacher.see("ink-pen").click()
        await teacher.see("colour-blue").click()
        await _draw(teacher.page, [(0.6, 0.3), (0.8, 0.3), (0.8, 0.7)])
        await eventually("ink at the class", partial(_has_ink, near), within=BUSY)
        await expect(teacher.see("drawing-layer")).to_have_attribute("data-waiting", "0", timeout=LOADING)
        assert await near.page.evaluate(INK, ["class-surface", 0, 0, 0.5, 1]) == 0
        for width, height in SCREENS:
            await teacher.page.set_viewport_size({"width": width, "height": height})
            await teacher.page.screenshot(path=tmp_path / f"teacher-{width}.png")
            await near.page.set_viewport_size({"width": width, "height": height})
            await near.page.screenshot(path=tmp_path / f"class-{width}.png")
        for page in (teacher.page, near.page):
            await page.set_viewport_size({"width": 1366, "height": 768})

        # Loaded again, both go on where they were; who comes late sees what all see.
        await teacher.page.reload()
        await near.page.reload()
        await late.enter(code, NAMES[1])
        for one in (near, late):
            await _sees(one, 2)
            await eventually("ink after a reload, and for who is late", partial(_has_ink, one), within=BUSY)
        await expect(teacher.see("end-lesson")).to_be_visible(timeout=LOADING)
        await expect(teacher.see("surface").first).to_have_attribute("data-strokes", "1", timeout=LOADING)

        # The pen of before is taken back, for everybody; the phone turns pages too.
        await teacher.see("ink-undo").click()
        await eventually("a clean page at the class", partial(_is_clean, near), within=BUSY)
        phone = await phone_at(browser, tongke, await _remote(teacher))
        await phone.see("remote-page-after").click()
        await _sees(near, 3)
        await _sees(late, 3)
        await expect(phone.see("remote-page-after")).to_be_disabled(timeout=LOADING)
        await teacher.end()
        assert await _archived_pages(tongke, lesson_id) == {
            f"slides/{slides_id}/{page}{size}.webp" for page in (1, 2, 3) for size in ("", ".small")
        }
        for person in (teacher, near, late, phone):
            assert person.errors == []


async def test_the_board_is_written_on_rubbed_out_and_has_many_pages(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        pupils = await SchoolClass.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        await pupils.enter(code, NAMES[0])
        await pupils.moves("main-video")
        await teacher.see("more").click()
        async with teacher.page.context.expect_page() as opened:
            await teacher.see("open-audience").click()
        audience = Person(await opened.value, tongke)
        await teacher.page.bring_to_front()
        await teacher.page.keyboard.press("Escape")

        # Who turns to the board has the pen in the hand.
        await teacher.see("show-whiteboard").click()
        await _shows(pupils, "board/1")
        await _draw(teacher.page, [(0.6, 0.2), (0.6, 0.6)])
        await _draw(teacher.page, [(0.7, 0.2), (0.7, 0.6)])
        await teacher.see("ink-marker").click()
        await _draw(teacher.page, [(0.58, 0.4), (0.9, 0.4)])
        layer = teacher.see("drawing-layer")
        await expect(layer).to_have_attribute("data-waiting", "0", timeout=LOADING)
        for one in (pupils, audience):
            await expect(one.page.locator("[data-strokes]").first).to_have_attribute(
                "data-strokes", "3", timeout=LOADING
            )
        await teacher.page.screenshot(path=tmp_path / "teacher-board.png")
        await audience.page.screenshot(path=tmp_path / "audience-board.png")

        # The eraser takes what it touches, and one undo brings that back.
        strokes = pupils.page.locator("[data-strokes]").first
        await teacher.see("ink-eraser").click()
        await _draw(teacher.page, [(0.56, 0.25), (0.74, 0.25)])
        await expect(strokes).to_have_attribute("data-strokes", "1", timeout=LOADING)
        await teacher.page.keyboard.press("Control+z")
        await expect(strokes).to_have_attribute("data-strokes", "3", timeout=LOADING)

        # A new page is empty, and the first is as it was; cleared, it stays so.
        await teacher.see("page-add").click()
        await _shows(pupils, "board/2")
        await expect(strokes).to_have_attribute("data-strokes", "0", timeout=LOADING)
        await teacher.see("side-slides").click()
        await teacher.see("board-1").click()
        await _shows(pupils, "board/1")
        await expect(strokes).to_have_attribute("data-strokes", "3", timeout=LOADING)
        await teacher.page.screenshot(path=tmp_path / "teacher-pages.png")
        await teacher.see("ink-clear").click()
        await teacher.see("confirm-clear").click()
        await expect(strokes).to_have_attribute("data-strokes", "0", timeout=LOADING)
        await teacher.see("show-camera").click()
        await expect(pupils.see("class-surface")).to_have_count(0, timeout=LOADING)
        await teacher.end()
        for person in (teacher, pupils, audience):
            assert person.errors == []


def _slides() -> bytes:
    half = b" rg 0 0 480 540 re f"
    return document([b" ".join(b"%.3f" % (one / 255) for one in paint) + half for paint in PAINTS], 960, 540)


def _surface(slides_id: str, page: int) -> str:
    return f"{slides_id}/{page}"


async def _slides_id(teacher: Teacher) -> str:
    slides_id = await teacher.see("slide-set").get_attribute("data-slides-id")
    assert slides_id is not None
    return slides_id


async def _shows(pupils: SchoolClass, surface: str) -> None:
    await expect(pupils.see("class-surface")).to_have_attribute("data-surface", surface, timeout=LOADING)


async def _sees(pupils: SchoolClass, page: int) -> None:
    """The picture of this page, whole and in its colour."""

    async def painted() -> bool:
        seen = await pupils.page.evaluate(PAINT, "class-surface")
        return seen is not None and all(abs(a - b) < 24 for a, b in zip(seen, PAINTS[page - 1], strict=True))

    await eventually(f"page {page} at the class", painted, within=BUSY)
    await expect(pupils.see("class-surface")).to_have_attribute("data-sharp", "true", timeout=LOADING)


async def _archived_pages(tongke: Tongke, lesson_id: str) -> set[str]:
    """The pictures of pages in the recording of a lesson that is over, as its manifest names them."""
    await tongke.finished_recording(lesson_id, within=BUSY)
    manifest = json.loads((tongke.data / "archive" / lesson_id / "manifest.json").read_text())
    return {file["path"] for file in manifest["files"] if file["path"].startswith("slides/")}


async def _has_ink(pupils: SchoolClass) -> bool:
    return bool(await pupils.page.evaluate(INK, ["class-surface", *RIGHT]) > 100)


async def _is_clean(pupils: SchoolClass) -> bool:
    return bool(await pupils.page.evaluate(INK, ["class-surface", 0, 0, 1, 1]) == 0)


async def _draw(page: Page, way: list[tuple[float, float]]) -> None:
    """With the mouse, from place to place; shares of the page."""
    box = await page.get_by_test_id("drawing-layer").bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in way]
    await page.mouse.move(*places[0])
    await page.mouse.down()
    for place in places[1:]:
        await page.mouse.move(*place, steps=12)
    await page.mouse.up()


async def _remote(teacher: Teacher) -> str:
    """Where the code for a phone leads."""
    await teacher.see("more").click()
    await teacher.see("remote-control").click()
    await teacher.see("remote-code").wait_for()
    path = await teacher.see("remote-code").get_attribute("data-path")
    assert path is not None
    await teacher.see("remote-close").click()
    return path
