"""kill -9 of recorder, worker, server process, or all three, at random times: what is missing of each lesson?

    python -m tests.bench.kill_run [--kills N] [--seed S] [--only PART] [--data DIR]

A lesson a kill, in one server that is never started anew: a teacher's page in Chromium sends camera and microphone and
brings itself back. Most kills fall into the lesson, some into its end. Afterwards nobody does anything; what the
archive then has is read from its media, frame by frame and packet by packet: silence that the recorder put in is
missing sound.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from recorder import boxes, opus
from recorder.manifest import read_manifest
from recorder.parts import read_parts
from tests.bench.tables import Table
from tests.journeys.people import Teacher
from tests.recorder.rules import master_faults, media_faults
from tests.recorder.watch import decode
from tests.support import timecode
from tests.support.browser import chromium
from tests.support.server import Part, Tongke, TongkeError

MAY_BE_MISSING = 2.0  # seconds a kill
LESSON = 13.0  # seconds from its beginning to its end
KILLS = (2.0, 9.0)  # seconds after the beginning, but …
CLOSING = 0.15  # … this share of them within …
CLOSING_TIME = 0.5  # … so many seconds after the end
READY_WITHIN = 20.0  # seconds; the machine may be busy
ENDED_WITHIN = 90.0  # seconds; the command that ends a lesson takes a second of CPU itself
SPARES_WITHIN = 180.0  # seconds; they come a minute after the start
FRAME = 0.25  # seconds: a picture that stands longer is missing
CAME_LATE = 0.2  # seconds of media that are on their way when a lesson is ended

Victim = Literal["recorder", "worker", "server", "all"]
VICTIMS: tuple[Victim, ...] = ("recorder", "worker", "server", "all")

# A tone without end: the fake microphone beeps, and its silence cannot be told from the recorder's.
TONE = """
(() => {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    for (const track of stream.getAudioTracks()) stream.removeTrack(track);
    if (wanted.audio) {
      const context = new AudioContext();
      const tone = context.createOscillator(), to = context.createMediaStreamDestination();
      tone.frequency.value = 440;
      tone.connect(to);
      tone.start();
      await context.resume();
      stream.addTrack(to.stream.getAudioTracks()[0]);
    }
    return stream;
  };
})();
"""


@dataclass(frozen=True, slots=True)
class Kill:
    """One of them, and what it cost."""

    victim: Victim
    at: float  # seconds after the lesson's beginning
    status: str
    ready: float  # seconds after the lesson's end
    picture: float  # seconds missing
    sound: float
    unmarked: tuple[str, ...]  # stretches missing that are in no `gaps`
    faults: tuple[str, ...]  # why it does not play, or not by the rules

    @property
    def kept(self) -> bool:
        missing = max(self.picture, self.sound)
        return self.status == "ready" and missing <= MAY_BE_MISSING and not self.faults and not self.unmarked

    def row(self) -> tuple[str, ...]:
        said = "kept" if self.kept else "MISSED"
        trouble = "; ".join((*self.unmarked, *self.faults))[:100]
        numbers = (f"{self.at:.1f}", f"{self.picture:.2f}", f"{self.sound:.2f}", f"{self.ready:.2f}")
        return (self.victim, *numbers, self.status, said, trouble)


async def kill_run(data: Path, kills: int, seed: int, only: Victim | None = None) -> list[Kill]:
    """One after the other in a server with this data folder."""
    dice = random.Random(seed)
    found: list[Kill] = []
    async with Tongke(data) as tongke, chromium("--autoplay-policy=no-user-gesture-required") as browser:
        teacher = await Teacher.arrive(browser, tongke, init_script=timecode.SOURCE + TONE)
        await teacher.log_in()
        async with asyncio.timeout(SPARES_WITHIN):
            while tongke.spares() < len(VICTIMS) - 1:  # as in a server that has run for a minute
                await asyncio.sleep(0.5)
        for number in range(kills):
            victim = only or VICTIMS[number % len(VICTIMS)]
            closing = dice.random() < CLOSING
            at = LESSON + dice.uniform(0, CLOSING_TIME) if closing else dice.uniform(*KILLS)
            found.append(await _one(tongke, teacher, data / "archive", number, victim, at))
            print(" ".join(found[-1].row()), file=sys.stderr, flush=True)
    return found


async def _one(tongke: Tongke, teacher: Teacher, archive: Path, number: int, victim: Victim, at: float) -> Kill:
    """A lesson and its kill, `at` seconds after its beginning."""
    await teacher.page.goto(f"{tongke.http}/lessons")
    await teacher.see("lesson-title").wait_for()
    lesson_id, _ = await teacher.create_lesson(f"kill-{number:03}")
    await teacher.start(lesson_id)
    begun = time.time()
    ending = LESSON if at <= LESSON else 0.0
    await asyncio.sleep(min(at, LESSON) + begun - time.time())
    if ending:
        _kill(tongke, victim)
        await asyncio.sleep(begun + LESSON - time.time())
        ended = time.time()
        await _end(tongke, teacher, lesson_id)
    else:
        ended = time.time()
        end = asyncio.create_task(_end(tongke, teacher, lesson_id))
        await asyncio.sleep(at - LESSON)
        _kill(tongke, victim)
        await end
    said_ended = time.time()
    status = await _status(tongke, lesson_id)
    ready = time.time() - said_ended
    folder = archive / lesson_id
    pictures, sounds = _holes(folder, "camera", begun, ended), _holes(folder, "microphone", begun, ended)
    return Kill(
        victim,
        at,
        status,
        ready,
        sum(b - a for a, b in pictures),
        sum(b - a for a, b in sounds),
        tuple(_unmarked(folder, pictures)),
        tuple(_faults(folder)),
    )


def _kill(tongke: Tongke, victim: Victim) -> None:
    parts: tuple[Part, ...] = ("recorder", "worker", "server")
    for part in parts if victim == "all" else tuple(part for part in parts if part == victim):
        tongke.kill(part)


async def _end(tongke: Tongke, teacher: Teacher, lesson_id: str) -> None:
    """As a teacher does it; where the server has just died, again until it is done."""
    async with asyncio.timeout(ENDED_WITHIN):
        while True:
            try:
                await tongke.end_lesson(lesson_id)
            except TongkeError:
                await asyncio.sleep(0.2)
            else:
                break
    await teacher.see("ended").wait_for()


async def _status(tongke: Tongke, lesson_id: str) -> str:
    try:
        recording: dict[str, Any] = await tongke.finished_recording(lesson_id, within=READY_WITHIN)
    except TongkeError as error:
        return str(error).partition("\n")[0][:200]
    return str(recording["status"])


# ── what the archive has ──────────────────────────────────────────────────────────────────────────────────────────


def _holes(folder: Path, source: str, begun: float, ended: float) -> list[tuple[float, float]]:
    """Seconds of lesson time from and to which nothing of a source is there, over all its publications."""
    manifest = read_manifest(folder)
    spans = sorted(_spans(folder, source))
    if not spans:
        return [(0.0, ended - begun)]
    last = max(ended - CAME_LATE - manifest.epoch_us / 1e6, spans[0][0])
    joined = [(spans[0][0], spans[0][0]), *(span for span in spans if span[0] < last), (last, last)]
    holes = []
    reached = joined[0][1]
    for start, end in joined[1:]:
        if start - reached > (FRAME if source == "camera" else opus.GRID / opus.RATE):
            holes.append((reached, start))
        reached = max(reached, end)
    return holes


def _spans(folder: Path, source: str) -> Iterator[tuple[float, float]]:
    """From and to of each frame or packet that came from the page; a picture that stood for long was not sent so."""
    silence = {packet for _, packet in opus.silence(opus.RATE // 50 + 1)} | {p for _, p in opus.silence(opus.GRID * 7)}
    for entry in read_manifest(folder).tracks:
        if entry.source != source:
            continue
        place = folder / "tracks" / entry.folder
        for part in read_parts(place):
            if not part.media:
                continue
            data = (place / part.file).read_bytes()
            for sample in boxes.samples(data):
                start, length = sample.start / entry.timescale, sample.duration / entry.timescale
                if source == "microphone" and data[sample.offset : sample.offset + sample.size] in silence:
                    continue
                yield start, start + (min(length, FRAME) if source == "camera" else length)


def _unmarked(folder: Path, holes: Sequence[tuple[float, float]]) -> Iterator[str]:
    """Holes in the picture that nobody is told of: in no track's gaps and between no two tracks."""
    tracks = [entry for entry in read_manifest(folder).tracks if entry.source == "camera"]
    known = [(a / 1000, b / 1000) for entry in tracks for a, b in entry.gaps]
    ends = sorted((entry.start_ms / 1000, (entry.start_ms + entry.duration_ms) / 1000) for entry in tracks)
    known += [(before[1], after[0]) for before, after in pairwise(ends)]
    known.append((max((end for _, end in ends), default=0.0), float("inf")))
    for a, b in holes:
        # A picture may stand for a second before we call that a gap.
        if b - a > 1.0 and not any(c < a + 0.5 and b < d + 0.5 for c, d in known):
            yield f"{a:.2f} to {b:.2f} is in no gaps"


def _faults(folder: Path) -> Iterator[str]:
    """What players would stumble over."""
    for path in sorted(folder.rglob("*.m3u8")):
        text = path.read_text("utf-8")
        wrong = master_faults(text, path.parent) if "STREAM-INF" in text else media_faults(text, path.parent)
        yield from (f"{path.relative_to(folder)}: {one}" for one in wrong)
        if path.name == "index.m3u8":
            try:
                if not decode(path):
                    yield f"{path.relative_to(folder)} shows nothing"
            except (OSError, ValueError) as error:  # PyAV's errors are of these
                yield f"{path.relative_to(folder)} cannot be decoded: {error}"


def summary(kills: Sequence[Kill]) -> str:
    """The table and what it comes to."""
    head = ("killed", "at s", "picture s", "sound s", "ready s", "status", "", "")
    lines = [Table("kills", "missing after kill -9", head, tuple(one.row() for one in kills)).text()]
    for victim in VICTIMS:
        if these := [max(one.picture, one.sound) for one in kills if one.victim == victim]:
            lines.append(
                f"{victim}: {len(these)} kills, missing {statistics.median(these):.2f} s in the median, "
                f"{max(these):.2f} s at most"
            )
    every = [max(one.picture, one.sound) for one in kills]
    lines.append(
        f"all: {len(every)} kills, missing {statistics.median(every):.2f} s in the median, {max(every):.2f} s at most, "
        f"{sum(one.kept for one in kills)} kept"
    )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.kill_run")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, help="keep the archive there")
    parser.add_argument("--only", choices=VICTIMS, help="kill nothing else")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tongke-kills-") as folder:
        data = given.data or Path(folder) / "data"
        kills = asyncio.run(kill_run(data, given.kills, given.seed, given.only))
    print(summary(kills))
    return 0 if all(one.kept for one in kills) else 1


if __name__ == "__main__":
    sys.exit(main())
