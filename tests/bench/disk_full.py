"""A disk that fills up in mid-lesson: what goes first, whether the lesson goes on, and what is left to replay.

    python -m tests.bench.disk_full          as root, where a tmpfs can be mounted

A server with its archive on a file system of 400 MB, one old lesson with exports, and a synthetic teacher. A file is
made to grow beside the archive until little room is left, then hardly any, then none; then it is taken away again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from recorder import derived
from recorder.manifest import Manifest, read_manifest, write_manifest
from recorder.parts import read_parts
from tests.journeys.people import synthetic_teacher
from tests.recorder.rules import master_faults, media_faults
from tests.support.server import Tongke

SIZE_MB = 400
EXPORT_MB = 40
STEADY = 6.0  # seconds of lesson between two changes
WITHIN = 10.0  # seconds for what should come at once
RESUMED_WITHIN = 45.0  # seconds; after a stop the recorder waits for half a minute


class Disk:
    """The small file system, and the file that fills it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    @property
    def free_mb(self) -> int:
        status = os.statvfs(self.folder)
        return status.f_bavail * status.f_frsize // 1_000_000

    def leave(self, megabytes: int) -> None:
        """Fill it up to so much, or to the last byte."""
        descriptor = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            while (more := self.free_mb - megabytes) > 0:
                os.write(descriptor, bytes(min(more, 16) * 1_000_000))
            while not megabytes:
                os.write(descriptor, bytes(4096))
        except OSError:
            pass  # full
        finally:
            os.close(descriptor)

    def empty(self) -> None:
        self._filler.unlink(missing_ok=True)


class Steps:
    """What was seen, said at once."""

    def __init__(self) -> None:
        self.missed = 0
        self._begun = time.monotonic()

    def say(self, what: str, true: bool, detail: object = "") -> None:
        self.missed += not true
        print(
            f"{time.monotonic() - self._begun:6.1f} s  {'yes' if true else 'NO '}  {what}  {detail}".rstrip(),
            flush=True,
        )

    async def wait(self, what: str, check: Callable[[], bool], within: float = WITHIN) -> None:
        begun = time.monotonic()
        while not (true := check()) and time.monotonic() - begun < within:
            await asyncio.sleep(0.1)
        self.say(what, true, f"after {time.monotonic() - begun:.1f} s")


@contextmanager
def small_disk(megabytes: int) -> Iterator[Disk]:
    """A file system of that size. Raises CalledProcessError where none may be mounted."""
    with tempfile.TemporaryDirectory(prefix="tongke-disk-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
        try:
            yield Disk(Path(folder))
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def old_lesson(archive: Path) -> Path:
    """A finished lesson with a film, a poster and a storyboard."""
    folder = archive / "old-lesson"
    (folder / "export").mkdir(parents=True)
    write_manifest(folder, Manifest("old-lesson", 0, "", "ready"))
    (folder / "export/movie.mp4").write_bytes(bytes(EXPORT_MB * 1_000_000))
    (folder / "storyboard.jpg").write_bytes(bytes(1_000_000))
    (folder / "poster.jpg").write_bytes(bytes(100_000))
    derived.add(folder, ("export/movie.mp4", "storyboard.jpg", "poster.jpg"))
    return folder


@asynccontextmanager
async def on_air(tongke: Tongke, folder: Path) -> AsyncIterator[str]:
    """A lesson that has been recorded for a while."""
    lesson = await tongke.create_lesson("草原")
    async with synthetic_teacher(tongke, lesson.lesson_id, folder):
        await _until(lambda: [state for state, _ in _recordings(tongke, lesson.lesson_id)][-1:] == ["on"])
        await asyncio.sleep(STEADY)
        yield lesson.lesson_id


async def disk_full() -> int:
    """All of it; how many things were not as they should be."""
    steps = Steps()
    with small_disk(SIZE_MB) as disk, tempfile.TemporaryDirectory(prefix="tongke-full-") as name:
        folder, archive = Path(name), disk.folder / "archive"
        old = old_lesson(archive)
        async with Tongke(folder / "data", "--archive-url", f"file://{archive}") as tongke:
            await _slowly(steps, disk, old, tongke, folder, archive)
            await _at_once(steps, disk, tongke, folder, archive)
    return steps.missed


async def _slowly(steps: Steps, disk: Disk, old: Path, tongke: Tongke, folder: Path, archive: Path) -> None:
    async with on_air(tongke, folder) as lesson_id:
        steps.say("a lesson is recorded", True, f"{disk.free_mb} MB free")
        disk.leave(200)
        await steps.wait("the old lesson's film goes", lambda: not (old / "export/movie.mp4").exists())
        await steps.wait("then its storyboard", lambda: not (old / "storyboard.jpg").exists())
        steps.say(
            "its poster stays, and its manifest says so", [e.path for e in read_manifest(old).derived] == ["poster.jpg"]
        )
        steps.say("recording goes on", _recordings(tongke, lesson_id)[-1] == ("on", None))
        disk.leave(50)
        await steps.wait("recording stops", lambda: _recordings(tongke, lesson_id)[-1] == ("stopped", "disk_full"))
        steps.say("the log says so", "recording stops" in tongke.log)
        steps.say("the metrics say so", await _metric(tongke, "tongke_recordings_stopped") == 1)
        before = await _metric(tongke, "tongke_media_packets_in_total")
        await asyncio.sleep(STEADY)
        after = await _metric(tongke, "tongke_media_packets_in_total")
        steps.say("the lesson goes on", after > before, f"{after - before:.0f} packets in {STEADY:.0f} s")
        disk.empty()
        back = lambda: _recordings(tongke, lesson_id)[-1] == ("on", None)  # noqa: E731
        await steps.wait("with room it is recorded again", back, RESUMED_WITHIN)
        steps.say("the metrics say so", await _metric(tongke, "tongke_recordings_stopped") == 0)
        await asyncio.sleep(STEADY)
        await tongke.end_lesson(lesson_id)
        recording = await tongke.finished_recording(lesson_id)
    steps.say("the recording is ready", recording["status"] == "ready")
    for track in recording["tracks"]:
        held = _held_s(archive / lesson_id, track["publication_id"])
        steps.say(f"{track['source']}: {held:.1f} s are there", held > 2 * STEADY - 4, f"gaps {track['gaps']}")
    camera = next(track for track in recording["tracks"] if track["source"] == "camera")
    steps.say("the gap is marked", len(camera["gaps"]) == 1)
    steps.say("it plays by the rules", not (found := _faults(archive / lesson_id)), found)


async def _at_once(steps: Steps, disk: Disk, tongke: Tongke, folder: Path, archive: Path) -> None:
    async with on_air(tongke, folder) as lesson_id:
        disk.leave(0)
        stopped = lambda: _recordings(tongke, lesson_id)[-1] == ("stopped", "disk_full")  # noqa: E731
        await steps.wait("without a byte left, recording stops", stopped)
        await tongke.end_lesson(lesson_id)
        recording = await tongke.finished_recording(lesson_id)
        steps.say(
            "the lesson ends, and its recording is ready", recording["status"] == "ready", f"{disk.free_mb} MB free"
        )
    for track in recording["tracks"]:
        held = _held_s(archive / lesson_id, track["publication_id"])
        steps.say(f"{track['source']}: {held:.1f} s are there", held > STEADY - 2, f"gaps {track['gaps']}")
    steps.say("it plays by the rules", not (found := _faults(archive / lesson_id)), found)
    disk.empty()


def _recordings(tongke: Tongke, lesson_id: str) -> list[tuple[str, str | None]]:
    """What the room was told of its recording, from the event log."""
    path = tongke.data / "journals" / f"{lesson_id}.jsonl"
    if not path.exists():
        return [("off", None)]
    found = re.findall(
        r'"kind":\s*"recording".*?"state":\s*"(\w+)",\s*"reason":\s*(null|"\w+")', path.read_text("utf-8")
    )
    return [(state, json.loads(reason)) for state, reason in found] or [("off", None)]


async def _metric(tongke: Tongke, name: str) -> float:
    """The sum of a metric over its labels."""
    text = (await tongke.request("GET", "/metrics")).body.decode()
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))


def _held_s(folder: Path, publication_id: str) -> float:
    held = 0.0
    for entry in read_manifest(folder).tracks:
        if entry.publication_id == publication_id:
            parts = read_parts(folder / "tracks" / entry.folder)
            held += sum(part.duration for part in parts if part.media) / entry.timescale
    return held


def _faults(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.rglob("*.m3u8")):
        text = path.read_text("utf-8")
        wrong = master_faults(text, path.parent) if "STREAM-INF" in text else media_faults(text, path.parent)
        found += [f"{path.relative_to(folder)}: {one}" for one in wrong]
    return found


async def _until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(3 * WITHIN):
        while not check():
            await asyncio.sleep(0.1)


def main() -> int:
    argparse.ArgumentParser(prog="python -m tests.bench.disk_full").parse_args()
    try:
        missed = asyncio.run(disk_full())
    except subprocess.CalledProcessError:
        print("no file system can be mounted here: run it as root", file=sys.stderr)
        return 2
    print("all as it should be" if not missed else f"{missed} things were NOT as they should be")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
