"""The store of objects is killed and frozen, and the uploader killed, while lessons are recorded: what does it cost?

    python -m tests.bench.store_outage [--lessons N] [--seconds S] [--seed S] [--data DIR]

A recorder, an uploader and an S3 server, each a process of its own; media come in real time. The lessons end while the
store is away. When it is back, all must be in it, byte for byte as the manifests say, and nothing sent in vain but what
was on its way when something was killed. Ends with 1 if a lesson lost anything.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from recorder.manifest import read_manifest
from recorder.messages import Closed, CloseLesson, OpenLesson
from recorder.places.stored import StorePlace
from recorder.places.uploader import Status, read_status
from recorder.places.verify import verify
from tests.bench.tables import Table
from tests.recorder.process import RecorderProcess, recorder_process
from tests.recorder.source import Publication, Timed, picture, publication, sound, together
from tests.support.s3 import ACCESS_KEY, ROOT, SECRET_KEY, S3Server, s3_server

PREFIX = "outage"
AWAY = (3.0, 8.0)  # seconds the store is killed or frozen
BETWEEN = (2.0, 6.0)  # seconds between two troubles
TICK = 20_000  # microseconds; what is due in one is sent at once
MOST_BEHIND = 1.0  # seconds
CATCH_UP = 180.0  # seconds until all must be in the store


@dataclass(slots=True)
class Uploading:
    """The uploader's process, which may be killed."""

    archive: Path
    s3: S3Server
    process: subprocess.Popen[bytes] | None = None
    began: int = 0  # how often

    def start(self) -> None:
        self.began += 1
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "recorder.places", "--archive", str(self.archive)),
                *("--store", f"s3://lessons/{PREFIX}", "--endpoint", self.s3.endpoint, "--region", "us-east-1"),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                "TONGKE_LOG_LEVEL": "ERROR",
            },
        )

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass(slots=True)
class Seen:
    """What happened meanwhile."""

    troubles: dict[str, int] = field(
        default_factory=lambda: {"store killed": 0, "store frozen": 0, "uploader killed": 0}
    )
    most_files: int = 0
    most_bytes: int = 0
    oldest_s: float = 0.0
    behind_s: float = 0.0  # of real time, at most, our own sending: more than a second measures nothing

    def queue(self, status: Status | None) -> None:
        if status is not None:
            self.most_files = max(self.most_files, status.waiting_files)
            self.most_bytes = max(self.most_bytes, status.waiting_bytes)
            self.oldest_s = max(self.oldest_s, status.oldest_s)


async def trouble(s3: S3Server, uploading: Uploading, seen: Seen, chance: random.Random) -> None:
    """One after the other, until cancelled."""
    kinds = list(seen.troubles)
    while True:
        await asyncio.sleep(chance.uniform(*BETWEEN))
        kind = min(kinds, key=lambda one: (seen.troubles[one], chance.random()))
        seen.troubles[kind] += 1
        if kind == "uploader killed":
            uploading.kill()
            uploading.start()
            continue
        s3.kill() if kind == "store killed" else s3.freeze()
        try:
            await asyncio.sleep(chance.uniform(*AWAY))
        finally:
            s3.start() if kind == "store killed" else s3.thaw()


async def watch(archive: Path, seen: Seen) -> None:
    """How long the queue becomes, until cancelled."""
    while True:
        seen.queue(await asyncio.to_thread(read_status, archive))
        await asyncio.sleep(0.5)


def media(lessons: int, seconds: int) -> tuple[int, list[bytes], list[Timed]]:
    """When it begins, what announces the lessons' tracks, and what is sent in real time."""
    picture("H264", seconds), sound(seconds)  # encoded once
    now_us = time.time_ns() // 1000 + 4_000_000  # what follows takes a while
    announced, streams = [], []
    for number in range(lessons):
        camera = publication(f"L{number}", f"c-{number}", "H264", now_us, handle=2 * number + 1)
        microphone = publication(f"L{number}", f"m-{number}", "opus", now_us, "microphone", handle=2 * number + 2)
        announced += [camera.announce(), microphone.announce()]
        streams += [_stream(camera, seconds, now_us), _stream(microphone, seconds, now_us)]
    return now_us, announced, together(*streams)


def _stream(source: Publication, seconds: int, begin_us: int) -> list[Timed]:
    return list(source.stream(picture("H264", seconds) if source.track.kind == "video" else sound(seconds), begin_us))


async def record(recorder: RecorderProcess, lessons: int, seconds: int, seen: Seen) -> None:
    now_us, announced, timed = media(lessons, seconds)
    for number in range(lessons):
        await recorder.client.request(OpenLesson(f"L{number}", now_us, f"课 {number}"))
    await recorder.send(*announced)
    ticks = {
        at: b"".join(piece.data for piece in pieces) for at, pieces in groupby(timed, lambda one: one.at_us // TICK)
    }

    def play() -> None:
        began = now_us / 1e6
        for at, data in ticks.items():
            wait = began + at * TICK / 1e6 - time.time()
            if wait > 0:
                time.sleep(wait)
            seen.behind_s = max(seen.behind_s, -wait)
            recorder.worker.sendall(data)

    await asyncio.to_thread(play)


async def run(data: Path, lessons: int, seconds: int, seed: int) -> int:
    archive, chance, seen = data / "archive", random.Random(seed), Seen()
    archive.mkdir(parents=True)
    with s3_server(data / "s3") as s3:
        uploading = Uploading(archive, s3)
        uploading.start()
        try:
            async with recorder_process(archive) as recorder:
                plagued = [asyncio.create_task(trouble(s3, uploading, seen, chance))]
                plagued.append(asyncio.create_task(watch(archive, seen)))
                await record(recorder, lessons, seconds, seen)
                for task in plagued:
                    task.cancel()
                await asyncio.gather(*plagued, return_exceptions=True)
                s3.kill()  # lessons end while it is away
                slowest = await close(recorder, lessons)
            seen.queue(read_status(archive))
            s3.start()
            caught_up = await catch_up(archive, lessons, s3)
        finally:
            uploading.kill()
        faults, sent = examine(archive, data / "elsewhere", s3, lessons, seconds)
    print(table(lessons, seconds, seen, slowest, caught_up, faults, sent).text())
    if seen.behind_s > MOST_BEHIND:
        print(f"Not measured: this machine was too busy to send in real time ({seen.behind_s:.1f} s behind).")
        return 2
    return 1 if faults else 0


async def close(recorder: RecorderProcess, lessons: int) -> float:
    """Seconds the slowest of them took to be ready."""
    slowest = 0.0
    for number in range(lessons):
        asked = time.monotonic()
        reply = await recorder.client.request(CloseLesson(f"L{number}"))
        assert isinstance(reply, Closed), reply
        slowest = max(slowest, time.monotonic() - asked)
    await asyncio.sleep(2.5)  # the recorder's last sync
    return slowest


async def catch_up(archive: Path, lessons: int, s3: S3Server) -> float:
    """Seconds until the store has every manifest, which is sent last."""
    began = time.monotonic()
    store = s3.store(PREFIX)
    while time.monotonic() - began < CATCH_UP:
        if all(store.head(f"L{number}/manifest.json") for number in range(lessons)):
            return time.monotonic() - began
        await asyncio.sleep(0.5)
    raise SystemExit(f"after {CATCH_UP:.0f} s the store does not have everything: {read_status(archive)}")


def examine(archive: Path, elsewhere: Path, s3: S3Server, lessons: int, seconds: int) -> tuple[list[str], int]:
    """What a machine that knows only the store finds wrong, and the bytes the store has."""
    elsewhere.mkdir()
    place = StorePlace(elsewhere, s3.store(PREFIX))
    place.adopt()
    faults = []
    for number in range(lessons):
        lesson_id = f"L{number}"
        known = read_manifest(archive / lesson_id)
        with place.local(lesson_id) as folder:
            if read_manifest(folder) != known:
                faults.append(f"{lesson_id}: another manifest")
        faults += [f"{lesson_id}: {finding}" for finding in verify(place, lesson_id).findings]
        if known.status != "ready" or abs(known.duration_ms - 1000 * seconds) > 200:
            faults.append(f"{lesson_id}: {known.status}, {known.duration_ms} ms")
        faults += [f"{lesson_id}: gap {gap} in {track.folder}" for track in known.tracks for gap in track.gaps]
    return faults, sum(found.size for found in place.store.objects())


def table(
    lessons: int, seconds: int, seen: Seen, slowest: float, caught_up: float, faults: list[str], sent: int
) -> Table:
    rows = [(what, str(times)) for what, times in seen.troubles.items()]
    rows += [
        ("longest queue", f"{seen.most_files} files, {seen.most_bytes / 1e6:.1f} MB, {seen.oldest_s:.0f} s old"),
        ("slowest lesson from its end to ready, the store away", f"{slowest * 1000:.0f} ms"),
        ("all in the store after it came back", f"{caught_up:.1f} s"),
        ("our own sending behind real time", f"{seen.behind_s * 1000:.0f} ms at most"),
        ("in the store", f"{sent / 1e6:.1f} MB"),
        ("lost, damaged or missing", "; ".join(faults[:3]) + f" ({len(faults)})" if faults else "nothing"),
    ]
    return Table("store_outage", f"{lessons} lessons of {seconds} s, their store in trouble", ("", ""), tuple(rows))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.store_outage", description=__doc__)
    parser.add_argument("--lessons", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:
        return asyncio.run(run(options.data or Path(folder) / "run", options.lessons, options.seconds, options.seed))


if __name__ == "__main__":
    sys.exit(main())
