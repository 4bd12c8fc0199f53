"""A class whose line becomes narrow and wide again: the picture becomes smaller and larger, and sound goes on.

How soon, and how long a picture stands meanwhile, is measured by tests/bench/narrow_line.py.
"""

from pathlib import Path

import pytest

from tests.bench.narrow_line import WIDE, follow
from tests.journeys.three_seats import WITHOUT_H264, Lesson, in_chromium, in_firefox
from tests.support import firefox
from tests.support.devices import lively
from tests.support.firefox import firefox as firefox_process

pytestmark = [pytest.mark.journey, pytest.mark.alone]


async def test_in_chromium_an_h264_picture_follows_the_line(tmp_path: Path) -> None:
    async with in_chromium(tmp_path, lively(), WIDE) as lesson:
        await _follows_the_line(lesson, "H264")


async def test_in_chromium_a_vp8_picture_follows_the_line(tmp_path: Path) -> None:
    async with in_chromium(tmp_path, lively() + WITHOUT_H264, WIDE) as lesson:
        await _follows_the_line(lesson, "VP8")


@pytest.mark.skipif(firefox.executable() is None, reason="no Firefox on this machine")
async def test_in_firefox_a_vp8_picture_follows_the_line(tmp_path: Path) -> None:
    async with in_firefox(tmp_path, lively() + WITHOUT_H264, WIDE) as lesson:
        await _follows_the_line(lesson, "VP8")


@pytest.mark.skipif(firefox.executable() is None, reason="no Firefox on this machine")
async def test_in_firefox_an_h264_picture_follows_the_line(tmp_path: Path) -> None:
    async with firefox_process() as browser:
        page = await browser.page()
        codecs = await page.evaluate("() => RTCRtpReceiver.getCapabilities('video').codecs.map((one) => one.mimeType)")
    if not any("h264" in codec.lower() for codec in codecs):
        pytest.skip("this Firefox has no H.264: its plug-in is not installed")
    async with in_firefox(tmp_path, lively(), WIDE) as lesson:
        await _follows_the_line(lesson, "H264")


async def _follows_the_line(lesson: Lesson, codec: str) -> None:
    """From 1.5 Mb/s to 400 kb/s and back, with 80 ms there and back."""
    row = await follow(lesson, "", codec)
    assert 500 < row.came <= row.carried, "the lesson did not come over this line"
    assert row.overflowed < 20, "more was sent than the line carries"
    assert 0 < row.lines[0] <= 190, "the smaller picture did not stay"
    assert row.lines[1] >= 350, "the larger picture did not stay"
    assert row.made_up < 0.1, "sound did not go on"
    assert lesson.errors == [[], [], []]
