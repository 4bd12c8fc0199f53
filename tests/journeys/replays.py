"""Somebody watches a replay, in either browser; and what is asked of it: which pictures, of which moment, in step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support import timecode
from tests.support.browser import Asked, eventually

_SHOWN = (
    "(names) => { const read = "
    + timecode.READ
    + """;
  const video = (name) => document.querySelector(`video[data-testid="replay-${name}"]`);
  const position = document.querySelector("[data-testid=replay-seek]");
  return {position: Number(position.value), length: Number(position.max), pictures: Object.fromEntries(
    names.map(video).map((one, index) => [names[index], one && one.videoWidth && getComputedStyle(one).opacity !== "0"
      ? {time: read(one), width: one.videoWidth} : null]))};
}"""
)

_SEEK = """(at) => {
  const range = document.querySelector("[data-testid=replay-seek]");
  range.value = at;
  range.dispatchEvent(new Event("input", {bubbles: true}));
}"""

_PLAY = """(wanted) => {
  const button = document.querySelector("[data-testid=replay-play]");
  if (button.dataset.playing !== String(wanted)) button.click();
}"""

_SPEED = """(rate) => {
  const select = document.querySelector("[data-testid=replay-speed]");
  select.value = rate;
  select.dispatchEvent(new Event("change", {bubbles: true}));
}"""

# Where each element is on the lesson clock, less the time it is there: the difference between two of them is how far
# they are apart. A frame says by itself when it is shown and what time it carries; it can be shown late, never early,
# so of many the early ones tell. Sound says where it is.
_APART = """async (ms) => {
  const offsets = {};
  const note = (name, offset) => (offsets[name] ??= []).push(offset);
  const until = performance.now() + ms;
  const follow = (name, video) => {
    const look = (_, frame) => {
      note(name, Number(video.dataset.start) + frame.mediaTime * 1000 - frame.expectedDisplayTime);
      if (performance.now() < until) video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  };
  for (const name of ["camera", "screen"]) {
    const video = document.querySelector(`video[data-testid="replay-${name}"]`);
    if (video) follow(name, video);
  }
  const sound = [...document.querySelectorAll("audio[data-testid=replay-sound]")].find((one) => !one.paused);
  let unsteady = 0;
  const jumped = () => { unsteady += 1; };
  sound?.addEventListener("seeking", jumped);
  while (performance.now() < until) {
    if (sound && sound.playbackRate !== 1) unsteady += 1;
    if (sound) note("sound", Number(sound.dataset.start) + sound.currentTime * 1000 - performance.now());
    await new Promise((done) => setTimeout(done, 20));
  }
  const early = (values) => values.sort((a, b) => a - b)[Math.floor(values.length * 0.75)];
  const middle = (values) => values.sort((a, b) => a - b)[Math.floor(values.length * 0.5)];
  sound?.removeEventListener("seeking", jumped);
  return {unsteady, places: Object.fromEntries(Object.entries(offsets).map(([name, all]) => [name, {
    count: all.length, offset: name === "sound" ? middle(all) : early(all)}]))};
}"""


@dataclass(frozen=True, slots=True)
class Picture:
    time: int | None  # ms since 1970 when it was taken; None when it cannot be read
    width: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What a replay shows at one instant."""

    position: float  # ms since the recording began
    length: float
    pictures: dict[str, Picture | None]


@dataclass(frozen=True, slots=True)
class Apart:
    ahead: dict[str, float]  # ms by which a picture is ahead of the sound
    steady: bool  # the sound neither jumped nor changed its speed


class Replay:
    def __init__(self, page: Asked) -> None:
        self._page = page

    async def shown(self, *names: str) -> Shown:
        said: dict[str, Any] = await self._page.evaluate(_SHOWN, list(names))
        pictures = {name: Picture(**one) if one else None for name, one in said["pictures"].items()}
        return Shown(said["position"], said["length"], pictures)

    async def seek(self, position: float) -> None:
        await self._page.evaluate(_SEEK, round(position, -2))

    async def play(self, wanted: bool = True) -> None:
        await self._page.evaluate(_PLAY, wanted)

    async def speed(self, rate: float) -> None:
        await self._page.evaluate(_SPEED, rate)

    async def plays(self, beyond: float, within: float = 15.0) -> None:
        """Wait until it has come past this position by itself."""

        async def check() -> bool:
            return (await self.shown()).position > beyond

        await eventually(f"the replay past {beyond:.0f} ms", check, within)

    async def apart(self, ms: int = 2000) -> Apart:
        """How far each picture is from the sound that leads, measured while it plays at single speed."""
        said: dict[str, Any] = await self._page.evaluate(_APART, ms)
        seen: dict[str, float] = {name: one["offset"] for name, one in said["places"].items() if one["count"] >= 8}
        sound = seen.pop("sound", None)
        return Apart({} if sound is None else {name: at - sound for name, at in seen.items()}, said["unsteady"] == 0)
