"""Slides and board in a replay: the right page with the right strokes at any moment, in step, in both browsers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest
from av.video.frame import VideoFrame
from playwright.async_api import expect

from tests.journeys.people import PATIENCE, Person
from tests.journeys.replays import Replay
from tests.recorder.source import picture, sound
from tests.support.archived import Piece, Recorded, archived
from tests.support.axe import violations
from tests.support.browser import Asked, chromium, eventually
from tests.support.firefox import firefox
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

SET = "aaaaaaaa"
LONG = 24  # seconds that the lesson lasts
IN_STEP = 40  # ms between a page and the voice
GREYS = {1: 40, 2: 120, 3: 200}  # how bright each page is
STROKES = 600

_SEEN = """() => {
  const box = document.querySelector("[data-testid=replay-content]");
  if (!box || box.closest(".away")) return null;
  const middle = (source, width, height) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d");
    context.drawImage(source, 0, 0, width, height);
    return context.getImageData(width >> 1, height >> 1, 1, 1).data;
  };
  const image = box.querySelector("img.there");
  const pens = [...box.querySelectorAll("canvas")].pop();
  return {
    surface: box.dataset.surface,
    strokes: Number(box.dataset.strokes),
    large: box.closest(".main") !== null,
    grey: image ? middle(image, 16, 16)[0] : null,
    inked: pens && pens.width > 1 ? middle(pens, pens.width, pens.height)[3] > 0 : false,
  };
}"""

# How far the sound is past `wanted` (ms on the lesson clock) when the page comes; null if it does not within 4 s.
_COMES = """async ([surface, wanted]) => {
  const box = document.querySelector("[data-testid=replay-content]");
  const sound = document.querySelector("audio[data-testid=replay-sound]");
  const until = performance.now() + 4000;
  while (box.dataset.surface !== surface) {
    if (performance.now() > until) return null;
    await new Promise((done) => requestAnimationFrame(done));
  }
  return Number(sound.dataset.start) + sound.currentTime * 1000 - wanted;
}"""


@dataclass(frozen=True)
class Seen:
    surface: str
    grey: int | None  # in the middle of the slide; None of a page of the board
    strokes: int
    inked: bool  # something is drawn in the middle
    large: bool


def event(at_ms: int, kind: str, **payload: Any) -> dict[str, Any]:
    return {"at_ms": at_ms, "kind": kind, "actor": "t-1", "payload": payload}


def lesson(folder: Path) -> Path:
    """Taught with three pages of slides and a board; 600 strokes on the board, and two on a page."""

    def stroke(at_ms: int, surface: str, name: str, *points: int) -> dict[str, Any]:
        drawn = {"surface": surface, "stroke_id": name, "tool": "pen", "colour": "red", "width": 300}
        return event(at_ms, "stroke", **drawn, points=points)

    board = [
        stroke(13_000 + 5 * number, "board/1", f"b{number}", 100 + 16 * number, 200, 100 + 16 * number, 9000)
        for number in range(STROKES)
    ]
    events = [
        event(0, "joined", participant_id="t-1", role="lead_teacher", name="主讲教师甲", headcount=None),
        event(0, "slides_added", slides_id=SET, title="草原", pages=3, width=1280, height=720),
        event(0, "page_turned", surface=f"{SET}/1"),
        event(0, "started"),
        event(3000, "shown", source="slides", layout="content"),
        stroke(4000, f"{SET}/1", "s", 2000, 5000, 4000, 5000),
        stroke(4100, f"{SET}/1", "s", 8000, 5000),
        event(6000, "page_turned", surface=f"{SET}/2"),
        event(8000, "page_turned", surface=f"{SET}/3"),
        event(10_000, "page_turned", surface=f"{SET}/1"),
        event(11_000, "strokes_removed", surface=f"{SET}/1", stroke_ids=["s"]),
        event(12_000, "page_turned", surface="board/1"),
        event(12_000, "shown", source="whiteboard", layout="content"),
        *board,
        event(18_000, "surface_cleared", surface="board/1"),
        event(20_000, "shown", source="camera", layout="portrait"),
        event(1000 * LONG, "ended"),
    ]
    made = archived(
        folder,
        [
            Recorded("c-1", "H264", [Piece(0, picture("H264", LONG))]),
            Recorded("m-1", "opus", [Piece(0, sound(LONG))], "microphone"),
        ],
        events,
    )
    for page, grey in GREYS.items():
        for name, width in ((f"{page}.webp", 1280), (f"{page}.small.webp", 320)):
            _picture(made / "slides" / SET / name, width, grey)
    return made


def _picture(path: Path, width: int, grey: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = VideoFrame(width, width * 9 // 16, "bgra")
    frame.planes[0].update(bytes((grey, grey, grey, 255)) * (frame.planes[0].buffer_size // 4))
    with av.open(str(path), "w", format="webp") as container:
        stream = container.add_stream("libwebp", rate=1)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "bgra"
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


async def _seen(page: Asked) -> Seen | None:
    said = await page.evaluate(_SEEN)
    return None if said is None else Seen(**said)


async def _shows(replay: Replay, page: Asked, at_ms: int, surface: str, strokes: int, inked: bool) -> None:
    """Wait until this page stands there large, as it was at this moment."""
    await replay.seek(at_ms)
    now: Seen | None = None

    async def check() -> bool:
        nonlocal now
        now = await _seen(page)
        grey = None if surface.startswith("board") else GREYS[int(surface[-1])]
        if now is None or not now.large or (now.surface, now.strokes, now.inked) != (surface, strokes, inked):
            return False
        return now.grey is None if grey is None else now.grey is not None and abs(now.grey - grey) < 8

    try:
        await eventually(f"{surface} at {at_ms}", check)
    except AssertionError as error:
        error.add_note(f"{now}")
        raise


async def _gone(replay: Replay, page: Asked, at_ms: int) -> None:
    await replay.seek(at_ms)

    async def check() -> bool:
        return await _seen(page) is None

    await eventually(f"no page at {at_ms}", check)


async def _replays(page: Asked) -> None:
    """Forwards, backwards and in step."""
    replay = Replay(page)
    await replay.play(False)
    await _shows(replay, page, 5000, f"{SET}/1", 1, True)
    await _shows(replay, page, 17_900, "board/1", STROKES, True)
    await _shows(replay, page, 7000, f"{SET}/2", 0, False)
    await _shows(replay, page, 9000, f"{SET}/3", 0, False)
    await _shows(replay, page, 14_500, "board/1", 301, True)
    await _shows(replay, page, 10_500, f"{SET}/1", 1, True)
    await _shows(replay, page, 11_500, f"{SET}/1", 0, False)
    await _shows(replay, page, 18_500, "board/1", 0, False)
    await _gone(replay, page, 20_500)
    await _gone(replay, page, 2000)

    # In step while it plays, however often one has to look on a busy machine.
    late: float | None = None

    async def in_step() -> bool:
        nonlocal late
        await replay.seek(7000)
        await replay.play()
        await replay.plays(7300)
        late = await page.evaluate(_COMES, [f"{SET}/3", 8000])
        return late is not None and abs(late) <= IN_STEP

    try:
        await eventually("a page in step with the voice", in_step, within=30)
    finally:
        print("late", late)
    await replay.play(False)


async def test_slides_and_board_are_replayed_as_they_were(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke:
        lesson_id = (await tongke.create_lesson("草原")).lesson_id
        lesson(tmp_path / lesson_id).rename(tongke.data / "archive" / lesson_id)
        kept = {"lessonId": lesson_id, "name": "", "headcount": None, "startsAt": None}
        kept["token"] = await tongke.token(lesson_id, "researcher")
        enter = (
            f"try {{ sessionStorage.setItem('tongke.pass.{lesson_id}', {json.dumps(json.dumps(kept))}) }} catch {{}}"
        )
        url = f"{tongke.http}/replay/{lesson_id}"
        async with chromium() as browser:
            person = await Person.arrive(browser, tongke, init_script=enter)
            await person.page.goto(url)
            await person.see("replay-play").wait_for()
            await _replays(person.page)
            await _finds(person, tmp_path)
            assert person.errors == []
        async with firefox() as other:
            page = await other.page(init_script=enter)
            await page.goto(url)
            await page.see("replay-play")
            await _replays(page)
            assert page.errors == []


async def _finds(person: Person, folder: Path) -> None:
    """Pages by the list, by keys and on the timeline; and with the sound alone they stay."""
    page, replay = person.page, Replay(person.page)
    for width, height, name in ((1920, 1080, "large"), (390, 844, "phone"), (1366, 768, "laptop")):
        await page.set_viewport_size({"width": width, "height": height})
        await _shows(replay, page, 5000, f"{SET}/1", 1, True)
        await page.screenshot(path=folder / f"replay-slides-{name}.png")
    assert await violations(page) == []
    notes = person.see("note-page")
    await expect(notes).to_have_count(5, timeout=PATIENCE)  # three pages, the first again, the board
    await expect(person.see("tick-page")).to_have_count(5, timeout=PATIENCE)
    await notes.nth(2).get_by_role("button").first.click()
    assert (await replay.shown()).position == pytest.approx(8000, abs=150)
    await page.evaluate("() => document.querySelector('main').focus()")
    await page.keyboard.press("PageDown")
    assert (await replay.shown()).position == pytest.approx(10_000, abs=150)
    await page.keyboard.press("PageUp")
    assert (await replay.shown()).position == pytest.approx(8000, abs=150)

    await person.see("replay-listen").click()
    await expect(page.locator("video")).to_have_count(0, timeout=PATIENCE)
    await _shows(replay, page, 5000, f"{SET}/1", 1, True)
    await page.screenshot(path=folder / "replay-sound-and-slides.png")
    await person.see("replay-listen").click()
