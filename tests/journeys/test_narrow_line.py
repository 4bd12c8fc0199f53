"""A class whose line becomes narrow and wide again: the picture becomes smaller and larger, and never stands still."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.bench.weak_line import concealed, on_one_clock, own_gaps
from tests.journeys.three_seats import WITHOUT_H264, Lesson, codecs, in_chromium, in_firefox
from tests.support import firefox
from tests.support.browser import Asked, Received, eventually, received
from tests.support.devices import lively
from tests.support.firefox import firefox as firefox_process
from tests.support.frames import Frame, shown, watch
from tests.support.link import Conditions

pytestmark = pytest.mark.journey

WIDE = Conditions(rate=1_500_000, delay=0.04)
NARROW = Conditions(rate=400_000, delay=0.04)
LONGEST_FREEZE = 500.0  # ms
MAIN = 'video[data-testid="main-video"]'


class Film:
    """What a class was shown, from when it is made."""

    def __init__(self, page: Asked) -> None:
        self.frames: list[Frame] = []
        self._page = page

    async def lines(self) -> int:
        """How many lines the newest picture has; 0 while nothing new is shown."""
        new = await shown(self._page)
        self.frames += new
        return new[-1].height if len(new) > 1 else 0

    async def becomes(self, what: str, low: int, high: int, within: float) -> float:
        """Wait until a picture of so many lines is shown; the seconds it took."""

        async def check() -> bool:
            return low <= await self.lines() <= high

        try:
            return await eventually(what, check, within, every=0.25)
        except AssertionError as error:
            error.add_note(f"shown so far: {Counter(frame.height for frame in self.frames)}")
            raise


async def test_in_chromium_an_h264_picture_follows_the_line_and_never_freezes(tmp_path: Path) -> None:
    async with in_chromium(tmp_path, lively(), WIDE) as lesson:
        await _follows_the_line(lesson, "H264")


async def test_in_chromium_a_vp8_picture_follows_the_line_and_never_freezes(tmp_path: Path) -> None:
    async with in_chromium(tmp_path, lively() + WITHOUT_H264, WIDE) as lesson:
        await _follows_the_line(lesson, "VP8")


@pytest.mark.skipif(firefox.executable() is None, reason="no Firefox on this machine")
async def test_in_firefox_a_vp8_picture_follows_the_line_and_never_freezes(tmp_path: Path) -> None:
    async with in_firefox(tmp_path, lively() + WITHOUT_H264, WIDE) as lesson:
        await _follows_the_line(lesson, "VP8")


@pytest.mark.skipif(firefox.executable() is None, reason="no Firefox on this machine")
async def test_in_firefox_an_h264_picture_follows_the_line_and_never_freezes(tmp_path: Path) -> None:
    async with firefox_process() as browser:
        page = await browser.page()
        codecs = await page.evaluate("() => RTCRtpReceiver.getCapabilities('video').codecs.map((one) => one.mimeType)")
    if not any("h264" in codec.lower() for codec in codecs):
        pytest.skip("this Firefox has no H.264: its plug-in is not installed")
    async with in_firefox(tmp_path, lively(), WIDE) as lesson:
        await _follows_the_line(lesson, "H264")


async def _follows_the_line(lesson: Lesson, codec: str) -> None:
    """From 1.5 Mb/s to 400 kb/s and back, with 80 ms there and back."""
    link, narrow = lesson.link, Film(lesson.linked)
    assert await codecs(lesson.linked) == {codec}
    await watch(lesson.linked, MAIN)
    await watch(lesson.good, MAIN)
    await narrow.becomes("a picture of at least 360 lines over 1.5 Mb/s", 350, 1080, within=15)
    await asyncio.sleep(5)  # reports of bandwidth begin with the fifth second
    before, without_us = await received(lesson.linked), await received(lesson.good)
    carried = link.down.sent

    link.up.conditions = link.down.conditions = NARROW
    await narrow.becomes("a picture of at most 180 lines over 400 kb/s", 1, 190, within=5)
    await asyncio.sleep(2)  # what was sent before has come or is lost
    overflowed = link.down.overflowed
    await asyncio.sleep(4)
    assert link.down.overflowed - overflowed < 20, "more was sent than the line carries"
    assert 0 < await narrow.lines() <= 190, "the smaller picture did not stay"

    link.up.conditions = link.down.conditions = WIDE
    await narrow.becomes("a picture of at least 360 lines again", 350, 1080, within=25)
    await asyncio.sleep(2)
    assert await narrow.lines() >= 350

    after, beside = await received(lesson.linked), await received(lesson.good)
    came = sum(each.packets for each in after) - sum(each.packets for each in before)
    assert 500 < came <= link.down.sent - carried, "the lesson did not come over this line"
    own, _ = own_gaps(
        on_one_clock(narrow.frames, await _origin(lesson.linked)),
        on_one_clock(await shown(lesson.good), await _origin(lesson.good)),
        longer=LONGEST_FREEZE,
    )
    assert own == []
    assert _frozen(before, after) - _frozen(without_us, beside) < LONGEST_FREEZE / 1000
    assert _made_up(before, after) - _made_up(without_us, beside) < 0.01
    assert lesson.errors == [[], [], []]


def _frozen(before: list[Received], after: list[Received]) -> float:
    """Seconds that the page's own statistics call frozen, all of them together."""
    return sum(each.frozen for each in after) - sum(each.frozen for each in before)


def _made_up(before: list[Received], after: list[Received]) -> float:
    """The share of sound that was not there when it was to be heard."""
    return concealed(*([each for each in some if each.kind == "audio"] for some in (before, after)))


async def _origin(page: Asked) -> float:
    origin: float = await page.evaluate("() => performance.timeOrigin")
    return origin
