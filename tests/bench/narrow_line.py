"""A class whose line becomes narrow and wide again: how soon its picture follows, how long it stands meanwhile.

    python -m tests.bench.narrow_line

Everything is real but the link: the server, a page that teaches with simulcast, a class behind 1.5 Mb/s that become
400 kb/s and 1.5 Mb/s again, with 80 ms there and back, and a class on a good line. What the latter suffers at the same
moment comes from the machine or the publisher and is left out. The journey of the same name asserts all but the times.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.bench.weak_line import concealed, on_one_clock, own_gaps
from tests.journeys.three_seats import WITHOUT_H264, Lesson, codecs, in_chromium, in_firefox
from tests.support.browser import Asked, Received, eventually, received
from tests.support.devices import lively
from tests.support.frames import Frame, shown, watch
from tests.support.link import Conditions

Browser = Literal["chromium", "firefox"]
VARIANTS: tuple[tuple[Browser, str], ...] = (("chromium", "H264"), ("chromium", "VP8"), ("firefox", "VP8"))

WIDE = Conditions(rate=1_500_000, delay=0.04)
NARROW = Conditions(rate=400_000, delay=0.04)
LONGEST = 500.0  # ms that a picture may stand
_STOOD = 200.0  # ms; shorter ones are no freezes
_MAIN = 'video[data-testid="main-video"]'


@dataclass(frozen=True, slots=True)
class NarrowLine:
    browser: str
    codec: str
    smaller_after: float  # seconds from the line's narrowing until 180 lines were shown
    larger_after: float  # seconds from its widening until 360 lines were
    longest_ms: float  # that a picture stood, of the line's own
    freezes: int  # over LONGEST, of the line's own
    frozen: float  # seconds by the page's own statistics, more than on the good line
    made_up: float  # share of the sound, more than on the good line
    overflowed: int  # packets the narrow line could not hold, from the second second on
    came: int  # packets to the class
    carried: int  # packets over the link to it
    lines: tuple[int, int]  # shown at the end of the narrow time, and at the end of all
    falls: int  # larger pictures that did not stay for two seconds

    def __str__(self) -> str:
        return (
            f"narrow line, {self.browser} {self.codec}: smaller after {self.smaller_after:.1f} s, larger after "
            f"{self.larger_after:.1f} s ({self.falls} falls after it), longest picture {self.longest_ms:.0f} ms, "
            f"{self.made_up:.2%} of sound made up: {'kept' if self.freezes == 0 and self.made_up < 0.01 else 'MISSED'}"
        )


async def follow(lesson: Lesson, browser: str, codec: str) -> NarrowLine:
    """From 1.5 Mb/s to 400 kb/s and back. Raises AssertionError if the picture does not follow at all."""
    link, narrow = lesson.link, _Film(lesson.linked)
    assert await codecs(lesson.linked) == {codec}
    for page in (lesson.linked, lesson.good):
        await watch(page, _MAIN)
    await narrow.becomes("a picture of at least 360 lines over 1.5 Mb/s", 350, 1080, within=20)
    await asyncio.sleep(5)  # reports of bandwidth begin with the fifth second
    before, without_us = await received(lesson.linked), await received(lesson.good)
    carried = link.down.sent

    link.up.conditions = link.down.conditions = NARROW
    smaller = await narrow.becomes("a picture of at most 180 lines over 400 kb/s", 1, 190, within=15)
    await asyncio.sleep(2)  # what was sent before has come or is lost
    overflowed = link.down.overflowed
    await asyncio.sleep(4)
    overflowed = link.down.overflowed - overflowed
    small = await narrow.lines()

    link.up.conditions = link.down.conditions = WIDE
    larger = await narrow.becomes("a picture of at least 360 lines again", 350, 1080, within=60)
    falls = 0
    await asyncio.sleep(2)
    while (large := await narrow.lines()) < 350 and falls < 5:
        falls += 1
        await narrow.becomes("a picture of at least 360 lines, after it was lost", 350, 1080, within=30)
        await asyncio.sleep(2)

    after, beside = await received(lesson.linked), await received(lesson.good)
    films = (
        on_one_clock(narrow.frames, await _origin(lesson.linked)),
        on_one_clock(await shown(lesson.good), await _origin(lesson.good)),
    )
    stood, _ = own_gaps(*films, _STOOD)
    return NarrowLine(
        browser,
        codec,
        smaller,
        larger,
        max((gap.ms for gap in stood), default=0.0),
        sum(gap.ms > LONGEST for gap in stood),
        _frozen(before, after) - _frozen(without_us, beside),
        _made_up(before, after) - _made_up(without_us, beside),
        overflowed,
        sum(each.packets for each in after) - sum(each.packets for each in before),
        link.down.sent - carried,
        (small, large),
        falls,
    )


async def narrow_line(browser: Browser, codec: str) -> NarrowLine:
    """One row."""
    camera = lively() + ("" if codec == "H264" else WITHOUT_H264)
    seats = in_chromium if browser == "chromium" else in_firefox
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:
        async with seats(Path(folder), camera, WIDE) as lesson:
            return await follow(lesson, browser, codec)


class _Film:
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


def _frozen(before: list[Received], after: list[Received]) -> float:
    """Seconds that the page's own statistics call frozen, all of them together."""
    return sum(each.frozen for each in after) - sum(each.frozen for each in before)


def _made_up(before: list[Received], after: list[Received]) -> float:
    """The share of sound that was not there when it was to be heard."""
    return concealed(*([each for each in some if each.kind == "audio"] for some in (before, after)))


async def _origin(page: Asked) -> float:
    origin: float = await page.evaluate("() => performance.timeOrigin")
    return origin


def main() -> int:
    """Print all rows."""
    rows = []
    for browser, codec in VARIANTS:
        rows.append(asyncio.run(narrow_line(browser, codec)))
        print(rows[-1], flush=True)
    return 0 if all(row.freezes == 0 for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
