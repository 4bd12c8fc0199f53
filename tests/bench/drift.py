"""Whether camera, screen and microphone of a lesson stay in step in its archive: a real page, a real node, minutes.

    python -m tests.bench.drift [--seconds 600] [--keep FOLDER]

Every picture of the camera and of the screen carries the time it was drawn, and a beep sounds on every full second of
the same clock. Afterwards the archived files are decoded, and what they show and sound is compared with where it stands
on the lesson clock. Three numbers come of each stretch of ten seconds: how late camera, screen and sound stand. How far
they are apart is what a viewer sees and hears; how they change over the lesson is drift. In the first is what the
browser itself adds: it takes the beginning of a sound packet of 20 ms for the moment of its sending, and reports so.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from recorder.describe import describe
from tests.bench.tables import Table
from tests.journeys.people import Teacher
from tests.support import beat
from tests.support.browser import chromium
from tests.support.server import Tongke

STRETCH = 10  # seconds
SETTLED = 20  # seconds at the beginning that are shown and not judged: sender reports must have come of all tracks
LIMIT = 40.0  # ms
SOURCES = ("camera", "screen", "microphone")


@dataclass(frozen=True, slots=True)
class Stretch:
    """How late each track stands on the lesson clock, the middle of ten seconds, ms."""

    at: int  # seconds of the lesson
    late: tuple[float, ...]  # of SOURCES

    @property
    def apart(self) -> float:
        """Between the earliest and the latest, ms."""
        return max(self.late) - min(self.late)


@dataclass(frozen=True, slots=True)
class Drift:
    seconds: int
    stretches: tuple[Stretch, ...]
    pictures: int  # that could be read
    beeps: int

    @property
    def judged(self) -> tuple[Stretch, ...]:
        return tuple(it for it in self.stretches if it.at >= SETTLED)

    @property
    def apart(self) -> float:
        """The most that any two tracks were apart, ms."""
        return max((it.apart for it in self.judged), default=float("inf"))

    @property
    def drifted(self) -> float:
        """The most that the distance of any two tracks changed over the lesson, ms."""
        if not self.judged:
            return float("inf")
        pairs = itertools.combinations(zip(*(it.late for it in self.judged), strict=True), 2)
        return max(_spread([a - b for a, b in zip(one, other, strict=True)]) for one, other in pairs)

    def __str__(self) -> str:
        return (
            f"drift, {self.seconds} s: tracks at most {self.apart:.1f} ms apart (limit {LIMIT:.0f}), their distances "
            f"changed by {self.drifted:.1f} ms; {self.pictures} pictures and {self.beeps} beeps: "
            f"{'kept' if self.apart < LIMIT else 'MISSED'}"
        )


async def drift(seconds: int, folder: Path) -> Drift:
    """Teach for so long with all three, end the lesson, and look into its archive, which stays in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    async with (
        Tongke(folder / "data") as tongke,
        chromium("--autoplay-policy=no-user-gesture-required") as browser,
    ):
        teacher = await Teacher.arrive(browser, tongke, init_script=beat.SOURCE)
        await teacher.log_in()
        lesson_id, _ = await teacher.create_lesson("同步")
        await teacher.start(lesson_id)
        await teacher.share_screen()
        await asyncio.sleep(seconds)
        await teacher.end()
        await tongke.finished_recording(lesson_id)
    return measured(folder / "data" / "archive" / lesson_id, seconds)


def measured(lesson: Path, seconds: int) -> Drift:
    """What a lesson's archive tells."""
    epoch = json.loads((lesson / "manifest.json").read_text("utf-8"))["epoch_us"] / 1e6
    late: dict[str, dict[int, list[float]]] = {source: defaultdict(list) for source in SOURCES}
    for track in describe(lesson)["tracks"]:
        source, playlist = track["source"], lesson / track["playlist"]
        for at, error in _late(source, playlist, epoch):
            late[source][int(at) // STRETCH].append(error * 1000)
    common = sorted(set.intersection(*(set(late[source]) for source in SOURCES)))
    middles = {source: {at: median(found) for at, found in late[source].items()} for source in SOURCES}
    stretches = [Stretch(at * STRETCH, tuple(middles[source][at] for source in SOURCES)) for at in common]
    counts = {source: sum(map(len, late[source].values())) for source in SOURCES}
    return Drift(seconds, tuple(stretches), counts["camera"] + counts["screen"], counts["microphone"])


def _late(source: str, playlist: Path, epoch: float) -> Iterable[tuple[float, float]]:
    """Where on the lesson clock, and how late; seconds."""
    if source == "microphone":
        return [(at, beat.since_the_second(at + epoch)) for at in beat.beeps(playlist)]
    return [(at, at + epoch - shown) for at, shown in beat.pictures(playlist)]


def _spread(values: list[float]) -> float:
    return max(values) - min(values)


def table(found: Drift) -> Table:
    """A row a minute, and those of the first."""
    shown = [it for it in found.stretches if it.at < 60 or it.at % 60 == 0]
    rows = tuple((str(it.at), *(f"{late:.1f}" for late in (*it.late, it.apart))) for it in shown)
    title = "drift: how late each track stands on the lesson clock, ms"
    return Table("drift", title, ("second", *SOURCES, "apart"), rows)


def main() -> int:
    """Print the table and the verdict; 1 when tracks were further apart than the limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.drift", description="Measure drift in an archive.")
    parser.add_argument("--seconds", type=int, default=600, help="how long the lesson lasts")
    parser.add_argument("--keep", type=Path, help="a folder to leave the archive in")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:
        found = asyncio.run(drift(given.seconds, given.keep or Path(folder)))
    print(table(found).text(), found, sep="\n\n")
    return 0 if found.apart < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
