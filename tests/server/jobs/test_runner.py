from __future__ import annotations

import errno
import os
import sys
import threading
import time
import types
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from recorder import derived
from recorder.manifest import Manifest, read_manifest, write_manifest
from recorder.places.local import LocalPlace
from recorder.rendering.progress import NothingToRenderError, Progress
from server.jobs import runner as runner_module
from server.jobs.kinds import KINDS, KindName
from server.jobs.ledger import Job, JobsUnavailableError
from server.jobs.ledger import Progress as Known
from server.jobs.queue import Queue
from server.jobs.runner import ATTEMPTS, DEAD_AFTER, MAKING, Runner
from server.jobs.service import wanted_of
from tests.recorder.source import picture, sound
from tests.support.archived import Piece, Recorded, archived

Render = Callable[[Path, Path, Progress], None]


@dataclass
class Bench:
    """A queue, an archive with one lesson `a`, and one who runs jobs, in this thread."""

    queue: Queue
    archive: Path
    ending: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.lesson("a")
        self.runner = self.another("me")

    def another(self, owner: str) -> Runner:
        runner = Runner(self.queue, LocalPlace(self.archive), owner, self.ending.is_set)
        self.queue.serve(runner.run, lambda: None)
        return runner

    def lesson(self, lesson_id: str, ago_s: float = 0.0) -> Path:
        folder = self.archive / lesson_id
        folder.mkdir(parents=True)
        write_manifest(folder, Manifest(lesson_id, int((time.time() - ago_s) * 1e6), "草原", "ready"))
        return folder

    def ask(self, kind: KindName, lesson_id: str = "a") -> Job:
        job = self.queue.ledger.ask(lesson_id, kind)
        self.queue.put(job)
        return job

    def work(self) -> None:
        """Run what is in the queue now, one after the other."""
        for _ in range(len(self.queue.waiting())):
            task = self.queue.huey.dequeue()
            if task is not None:
                self.queue.huey.execute(task)

    def known(self, kind: KindName, lesson_id: str = "a") -> Known:
        return self.queue.ledger.find(lesson_id, (kind,))[kind].known


@pytest.fixture
def bench(queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(runner_module, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(runner_module, "LEAST_FREE", 0)
    return Bench(queue, tmp_path / "archive")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let some function stand where a rendering is: what a runner does with one does not depend on media."""

    def put(kind: str, render: Callable[..., None]) -> None:
        module = types.ModuleType(f"recorder.rendering.{kind}")
        module.render = render  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"recorder.rendering.{kind}", module)

    return put


def draw(folder: Path, out: Path, progress: Progress) -> None:
    progress(0.5)
    out.write_bytes(b"picture")


def test_what_a_job_makes_is_put_in_place_and_listed(bench: Bench, stand_in: Callable[..., None]) -> None:
    seen: list[float] = []

    def render(folder: Path, out: Path, progress: Progress) -> None:
        for fraction in (0.25, 0.1, 0.75, 2.0):
            progress(fraction)
            seen.append(bench.known("movie").progress)
        out.write_bytes(b"film")

    stand_in("movie", render)
    bench.ask("movie")
    bench.work()
    assert seen == [0.25, 0.25, 0.75, 1.0]  # never falls
    assert bench.known("movie").state == "done"
    folder = bench.archive / "a"
    assert (folder / "export" / "movie.mp4").read_bytes() == b"film"
    (entry,) = read_manifest(folder).derived
    assert (entry.path, entry.size) == ("export/movie.mp4", 4)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "export", "manifest.json"]
    assert bench.queue.ledger.tally()["movie", "done"][0] == 1
    assert bench.queue.ledger.owner(bench.queue.ledger.find("a", ("movie",))["movie"].job_id) is None


def test_a_job_that_is_called_off_leaves_nothing_behind(bench: Bench, stand_in: Callable[..., None]) -> None:
    def render(folder: Path, out: Path, progress: Progress) -> None:
        out.write_bytes(b"half")
        progress(0.5)
        bench.queue.ledger.cancel(job)
        progress(0.6)
        raise AssertionError("it goes on")

    stand_in("movie", render)
    job = bench.ask("movie")
    bench.work()
    assert bench.known("movie").state == "cancelled"
    assert sorted(path.name for path in (bench.archive / "a").iterdir()) == ["manifest.json"]


def test_one_called_off_or_asked_for_anew_before_its_turn_is_not_begun(
    bench: Bench, stand_in: Callable[..., None]
) -> None:
    begun: list[Path] = []

    def render(folder: Path, out: Path, progress: Progress) -> None:
        begun.append(out)
        out.write_bytes(b"film")

    stand_in("movie", render)
    bench.queue.ledger.cancel(bench.ask("movie"))
    bench.work()
    assert begun == []
    bench.ask("movie")
    bench.ask("movie")
    bench.work()
    assert len(begun) == 1


def test_what_takes_minutes_steps_aside_for_what_takes_seconds(bench: Bench, stand_in: Callable[..., None]) -> None:
    order: list[str] = []

    def film(folder: Path, out: Path, progress: Progress) -> None:
        bench.lesson("b")
        bench.ask("poster", "b")
        bench.ask("movie", "b")
        order.append("film begins")
        progress(0.5)
        order.append("film goes on")
        out.write_bytes(b"film")
        stand_in("movie", draw)

    def poster(folder: Path, out: Path, progress: Progress) -> None:
        draw(folder, out, progress)
        order.append("poster")

    stand_in("movie", film)
    stand_in("poster", poster)
    bench.ask("movie")
    bench.work()
    assert order == ["film begins", "poster", "film goes on"]
    assert (bench.known("movie").state, bench.known("poster", "b").state) == ("done", "done")
    assert bench.known("movie", "b").state == "waiting"


def test_a_job_of_a_process_that_ends_is_queued_again(bench: Bench, stand_in: Callable[..., None]) -> None:
    def render(folder: Path, out: Path, progress: Progress) -> None:
        bench.ending.set()
        progress(0.5)

    stand_in("movie", render)
    bench.ask("movie")
    bench.work()
    known = bench.known("movie")
    assert (known.state, known.attempts) == ("waiting", 0)
    assert len(bench.queue.waiting()) == 1
    bench.ending.clear()
    stand_in("movie", draw)
    bench.work()
    assert bench.known("movie").state == "done"


def test_what_was_lost_with_a_killed_process_is_run_again_but_not_for_ever(
    bench: Bench, stand_in: Callable[..., None]
) -> None:
    class KilledError(BaseException):
        pass

    def render(folder: Path, out: Path, progress: Progress) -> None:
        progress(0.5)
        raise KilledError

    stand_in("movie", render)
    job = bench.ask("movie")
    for number in range(1, ATTEMPTS + 1):
        with pytest.raises(KilledError):
            bench.work()
        bench.queue.ledger.claim(job.job_id, "me")  # whoever is killed releases nothing
        assert (bench.known("movie").state, bench.known("movie").attempts) == ("running", number)
        assert bench.queue.waiting() == []
        bench.runner.recover(begun=True)
        assert len(bench.queue.waiting()) == 1
    bench.work()
    assert (bench.known("movie").state, bench.known("movie").reason) == ("failed", "crashed")


def test_what_is_running_is_not_queued_again(bench: Bench, stand_in: Callable[..., None]) -> None:
    def render(folder: Path, out: Path, progress: Progress) -> None:
        bench.runner.recover()
        assert bench.queue.waiting() == []
        draw(folder, out, progress)

    stand_in("movie", render)
    bench.ask("movie")
    bench.work()
    assert bench.known("movie").state == "done"


def test_a_job_whose_end_could_not_be_written_down_is_run_again(
    bench: Bench, stand_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*arguments: object) -> None:
        raise JobsUnavailableError("the disk is full")

    stand_in("movie", draw)
    bench.ask("movie")
    with monkeypatch.context() as away:
        away.setattr(bench.queue.ledger, "count", unavailable)
        away.setattr(bench.queue.ledger, "release", unavailable)
        away.setattr(runner_module.Runner, "_outcome", lambda self, job, known: known)
        bench.work()
    assert bench.known("movie").state == "running"
    bench.runner.recover()  # ten minutes later, in the same process
    bench.work()
    assert bench.known("movie").state == "done"


def test_a_message_lost_between_queue_and_job_is_made_up_for(bench: Bench) -> None:
    bench.ask("movie")
    bench.queue.huey.dequeue()
    bench.runner.recover(begun=True)
    bench.runner.recover(begun=True)
    assert len(bench.queue.waiting()) == 1


def test_what_another_node_runs_is_left_to_it_until_it_is_dead(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.ask("movie")
    bench.queue.huey.dequeue()
    bench.queue.ledger.claim(job.job_id, "another node")
    bench.queue.ledger.note(job, Known("running", 0.5, attempts=1))
    bench.runner.recover(begun=True)
    assert bench.queue.waiting() == []
    monkeypatch.setattr(runner_module, "DEAD_AFTER", -DEAD_AFTER)
    bench.runner.recover()
    assert len(bench.queue.waiting()) == 1
    assert bench.queue.ledger.owner(job.job_id) is None


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (NothingToRenderError(), "nothing", ""),
        (OSError(errno.ENOSPC, "full"), "failed", "disk_full"),
        (FileNotFoundError(), "failed", "damaged"),
        (KeyError("a bug"), "failed", "internal"),
    ],
)
def test_why_a_job_came_to_nothing_is_known(
    bench: Bench, stand_in: Callable[..., None], error: Exception, state: str, reason: str
) -> None:
    def render(folder: Path, out: Path, progress: Progress) -> None:
        out.write_bytes(b"half")
        raise error

    stand_in("movie", render)
    bench.ask("movie")
    bench.work()
    assert (bench.known("movie").state, bench.known("movie").reason) == (state, reason)
    assert not (bench.archive / "a" / "export").exists()


def test_a_job_stops_long_before_the_disk_is_full(
    bench: Bench, stand_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in("movie", draw)
    room = os.statvfs(bench.archive)
    monkeypatch.setattr(runner_module, "LEAST_FREE", room.f_blocks * room.f_frsize)
    bench.ask("movie")
    bench.work()
    assert (bench.known("movie").state, bench.known("movie").reason) == ("failed", "disk_full")


@pytest.mark.parametrize("kind", ["movie", "poster"])
@pytest.mark.parametrize("told", [True, False])
def test_a_lesson_that_is_deleted_under_a_job_does_not_come_back(
    bench: Bench, stand_in: Callable[..., None], kind: KindName, told: bool
) -> None:
    def render(folder: Path, out: Path, progress: Progress) -> None:
        out.write_bytes(b"film")
        if told:
            bench.queue.ledger.forget("a")
        LocalPlace(bench.archive).delete("a")

    stand_in(kind, render)
    bench.ask(kind)
    bench.work()
    assert not (bench.archive / "a").exists()
    assert not list((bench.archive / MAKING).iterdir())
    if told:
        assert bench.queue.ledger.find("a", (kind,)) == {}
        assert bench.queue.ledger.tally()[kind, "cancelled"][0] == 1
    else:
        assert bench.known(kind).state == "failed"


def test_a_lesson_that_is_being_recorded_again_waits_for_its_next_end(
    bench: Bench, stand_in: Callable[..., None]
) -> None:
    stand_in("poster", draw)
    folder = bench.archive / "a"
    write_manifest(folder, replace(read_manifest(folder), status="recording"))
    bench.ask("poster")
    bench.work()
    assert (bench.known("poster").state, bench.known("poster").reason) == ("failed", "recording_open")
    bench.runner.make_up()
    assert bench.queue.waiting() == []
    write_manifest(folder, replace(read_manifest(folder), status="ready"))
    bench.runner.make_up()
    assert [kind for _, kind, _ in bench.queue.waiting()] == ["poster", "speech", "storyboard"]


def test_what_nobody_asked_for_is_made_up_for_once(bench: Bench) -> None:
    old, untouched = bench.lesson("old", ago_s=30 * 86400), bench.lesson("untouched")
    (old / "poster.jpg").write_bytes(b"picture")
    derived.add(old, ["poster.jpg"])  # and its storyboard was removed to make room
    os.utime(untouched / "manifest.json", (0, 0))
    bench.ask("speech")
    bench.work()
    bench.runner.make_up()
    assert sorted((lesson, kind) for lesson, kind, _ in bench.queue.waiting()) == [("a", "poster"), ("a", "storyboard")]
    bench.runner.make_up()
    assert len(bench.queue.waiting()) == 2
    bench.lesson("imported", ago_s=3000 * 86400)
    bench.runner.make_up()
    assert [lesson for lesson, _, _ in bench.queue.waiting()].count("imported") == 3


@pytest.mark.parametrize("redis_url", ["sqlite"], indirect=True)
def test_everything_there_is_to_make_is_made_of_a_real_lesson(bench: Bench) -> None:
    camera = Recorded("c-1", "H264", [Piece(1_000, picture("H264", 4))])
    pupils = Recorded("c-2", "VP8", [Piece(2_000, picture("VP8", 2))], participant="c-1", lead=False)
    microphone = Recorded("m-1", "opus", [Piece(1_000, sound(4))], "microphone")
    folder = archived(bench.archive / "b", [camera, pupils, microphone])
    for kind in KINDS:
        bench.ask(kind, "b")
    bench.work()
    assert {kind: bench.known(kind, "b").state for kind in KINDS} == dict.fromkeys(KINDS, "done")
    manifest = read_manifest(folder)
    made = {name for kind in KINDS.values() for name in kind.files}
    assert {entry.path for entry in manifest.derived} == made
    for entry in manifest.derived:
        assert (folder / entry.path).stat().st_size == entry.size > 0
    assert {track.codec for track in manifest.tracks} == {"H264", "opus"}
    assert not list((bench.archive / MAKING).iterdir())
    assert wanted_of(folder) == []
