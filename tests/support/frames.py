"""What a video element really shows, frame by frame: when each picture came to the screen, and how large it was.

`getStats` says how often a picture froze by a rule of its own (three times the usual distance of frames, or 150 ms
more). Here every distance is known, and for each whether the frame after it was late on the network or in the browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.browser import Asked

WATCH = """
(selector) => {
  const frames = window.__frames = [];
  let watched = null;
  const follow = (video) => {
    const seen = (now, it) => {
      if (video !== watched) return;
      frames.push([it.presentationTime, it.presentedFrames, it.width, it.height,
                   it.rtpTimestamp ?? null, it.receiveTime ?? null]);
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
  };
  const look = () => {
    const video = document.querySelector(selector);
    if (video && video !== watched) follow(watched = video);
  };
  clearInterval(window.__looking);
  window.__looking = setInterval(look, 50);
  look();
}
"""

_TAKE = "() => window.__frames.splice(0, Math.max(0, window.__frames.length - 1))"  # the last one begins the next gap


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture on the screen. Times in milliseconds of the page's clock."""

    shown: float
    count: int  # pictures this element has shown so far, those included that no callback saw
    width: int
    height: int
    rtp: int | None  # timestamp, 90 kHz
    received: float | None  # when its last packet had come


@dataclass(frozen=True, slots=True)
class Gap:
    """How long one picture stood."""

    start: float
    ms: float
    waited: float | None  # ms its successor came later on the network than most frames; None when not told
    skipped: float | None  # ms between the moments the two were taken: as long as the gap when frames are missing


async def watch(page: Asked, selector: str) -> None:
    """Begin to note what the element matching `selector` shows, also when it is replaced by another."""
    await page.evaluate(WATCH, selector)


async def shown(page: Asked) -> list[Frame]:
    """What was shown since the last call."""
    found: list[list[Any]] = await page.evaluate(_TAKE)
    return [Frame(*each) for each in found]


def gaps(frames: Sequence[Frame], longer: float = 200.0) -> list[Gap]:
    """Pictures that stood for more than `longer` ms."""
    found = []
    lateness = _lateness(frames)
    for number in range(1, len(frames)):
        before, after = frames[number - 1], frames[number]
        ms = after.shown - before.shown
        between = after.count - before.count
        if between > 1:  # the page was too busy to be told of each; they were shown all the same
            ms /= between
        if ms > longer:
            found.append(Gap(before.shown, ms, lateness[number], _media_ms(before, after)))
    return found


def longest(frames: Sequence[Frame]) -> float:
    """The longest time that one picture stood, ms."""
    return max((gap.ms for gap in gaps(frames, 0.0)), default=0.0)


def _media_ms(before: Frame, after: Frame) -> float | None:
    """How much later the second was taken."""
    if before.rtp is None or after.rtp is None:
        return None
    return ((after.rtp - before.rtp + 0x80000000 & 0xFFFFFFFF) - 0x80000000) / 90


def _lateness(frames: Sequence[Frame]) -> list[float | None]:
    """How much later than the punctual ones each frame was complete, ms."""
    delays: list[float | None] = []
    for frame in frames:
        media = _media_ms(frames[0], frame)
        delays.append(None if media is None or frame.received is None else frame.received - media)
    known = sorted(delay for delay in delays if delay is not None)
    if not known:
        return [None] * len(frames)
    usual = known[len(known) // 2]
    return [None if delay is None else delay - usual for delay in delays]
