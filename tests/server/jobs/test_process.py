"""The real process, killed and ended; only what takes long in it is a stand-in that takes as long as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recorder.manifest import Manifest, read_manifest, write_manifest
from server.jobs.ledger import Job, Progress
from server.jobs.queue import FILE, Queue
from server.jobs.runner import MAKING
from server.jobs.service import Jobs

PATIENCE = 60.0  # seconds until a test gives up on a loaded machine

# A film that is not finished before the file `go` is there.
STAND_IN = """
import sys, time, types
from pathlib import Path
def render(folder, out, progress):
    out.write_bytes(b"half")
    while not (folder / "go").exists():
        progress(0.5)
        time.sleep(0.02)
    out.write_bytes(b"film")
module = types.ModuleType("recorder.rendering.movie")
module.render = render
sys.modules["recorder.rendering.movie"] = module
from server.jobs import runner
runner.LOOK_EVERY = 0.05
from server.jobs.__main__ import main
sys.exit(main())
"""


@contextlib.contextmanager
def process(data: Path, redis_url: str) -> Iterator[subprocess.Popen[bytes]]:
    # Whether serve takes a Redis is for its settings to say; jobs do.
    code = STAND_IN
    if redis_url:
        code = "import server.settings\nserver.settings._check = lambda settings: None\n" + code
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TONGKE_")}
    environment |= {"TONGKE_DATA": str(data), "TONGKE_REDIS_URL": redis_url}
    with (data / "log").open("ab") as log:
        running = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stderr=log, cwd=Path(__file__).parents[3]
        )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def lesson(data: Path) -> Path:
    folder = data / "archive" / "a"
    folder.mkdir(parents=True)
    write_manifest(folder, Manifest("a", 0, "草原", "ready"))
    return folder


def known(queue: Queue) -> Progress:
    return movie(queue).known


def movie(queue: Queue) -> Job:
    return queue.ledger.find("a", ("movie",))["movie"]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_a_job_killed_in_its_midst_is_run_again_after_a_restart(queue: Queue, tmp_path: Path, redis_url: str) -> None:
    folder = lesson(tmp_path)
    asyncio.run(Jobs(tmp_path, tmp_path / "archive", redis_url).request("a", "movie"))
    with process(tmp_path, redis_url) as running:
        until(lambda: known(queue).progress == 0.5)
        assert os.getpriority(os.PRIO_PROCESS, running.pid) == 19
        running.kill()
        running.wait()
        assert known(queue).state == "running"
    stale = tmp_path / "archive" / MAKING / "other-movie"  # of a job that was called off meanwhile
    stale.mkdir()
    with process(tmp_path, redis_url):
        until(lambda: known(queue).attempts == 2)
        assert not stale.exists()
        (folder / "go").touch()
        until(lambda: known(queue).state == "done")
    assert (folder / "export" / "movie.mp4").read_bytes() == b"film"
    assert [entry.path for entry in read_manifest(folder).derived] == ["export/movie.mp4"]
    assert not list((tmp_path / "archive" / MAKING).glob("*"))


def test_a_process_that_is_ended_leaves_its_job_to_the_next(queue: Queue, tmp_path: Path, redis_url: str) -> None:
    lesson(tmp_path)
    queue.put(queue.ledger.ask("a", "movie"))
    with process(tmp_path, redis_url) as running:
        until(lambda: known(queue).progress == 0.5)
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE) == 0
    assert (known(queue).state, known(queue).attempts) == ("waiting", 0)
    assert queue.ledger.owner(movie(queue).job_id) is None
    assert len(queue.waiting()) == 1
    assert not list((tmp_path / "archive" / MAKING).glob("*"))


def test_a_job_that_runs_is_called_off_from_another_process(queue: Queue, tmp_path: Path, redis_url: str) -> None:
    folder = lesson(tmp_path)
    queue.put(queue.ledger.ask("a", "movie"))
    with process(tmp_path, redis_url):
        until(lambda: known(queue).progress == 0.5)
        asyncio.run(Jobs(tmp_path, tmp_path / "archive", redis_url).cancel("a", "movie"))
        assert known(queue).state == "cancelled"
        until(lambda: queue.ledger.owner(movie(queue).job_id) is None)
    assert not (folder / "export").exists()
    assert not list((tmp_path / "archive" / MAKING).glob("*"))


def test_a_file_of_jobs_that_is_damaged_is_put_aside_and_jobs_go_on(tmp_path: Path) -> None:
    folder = lesson(tmp_path)
    (tmp_path / FILE).write_bytes(b"no database at all, and long enough to be seen not to be one" * 100)
    with process(tmp_path, ""):
        until((tmp_path / f"{FILE}.damaged").exists)
        until((tmp_path / FILE).exists)
        (folder / "go").touch()
        queue = Queue(tmp_path)
        queue.put(queue.ledger.ask("a", "movie"))
        until(lambda: known(queue).state == "done")
        queue.close()


@pytest.mark.parametrize("url", ["unix:///nowhere/redis.sock"])
def test_without_its_redis_it_waits_and_says_so(tmp_path: Path, url: str) -> None:
    with process(tmp_path, url) as running:
        until(lambda: "jobs cannot run" in (tmp_path / "log").read_text())
        assert running.poll() is None  # it does not come and go
        running.send_signal(signal.SIGTERM)
        running.wait(PATIENCE)
    assert "Traceback" not in (tmp_path / "log").read_text()
