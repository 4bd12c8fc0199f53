"""A whole node with real children, on free ports."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.supervisor import Backoff

FLAGS = ("--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--media-port", "0", "--workers", "1")
PATIENCE = 60.0  # seconds until a test gives up on a loaded machine


@dataclass
class Node:
    process: subprocess.Popen[str]
    data: Path
    http: str
    https: str
    media: int

    def children(self) -> dict[str, int]:
        """Process ids by what they are: server, recorder, media; after a moment also server.jobs."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        found = {}
        for pid in map(int, listed):
            with contextlib.suppress(OSError, ValueError):  # has just ended
                words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                found[words[words.index("-m") + 1]] = pid
        return found

    def get(self, path: str) -> int:
        """The status of a plain GET; 0 while nobody answers."""
        try:
            with urllib.request.urlopen(self.http + path, timeout=5) as response:
                status: int = response.status
                return status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


@contextlib.contextmanager
def serving(data: Path, *more: str) -> Iterator[Node]:
    with (data.parent / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "serve", *FLAGS, "--data", str(data), *more],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        ready = re.fullmatch(r"ready http=(\S+) https=(\S+) media=(\d+)\n", line)
        assert ready, f"{line!r}: {(data.parent / 'log').read_text()}"
        yield Node(process, data, ready[1], ready[2], int(ready[3]))
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_child_that_dies_at_once_is_started_more_and_more_slowly() -> None:
    backoff = Backoff()
    assert [backoff.died(lived=0.1) for _ in range(7)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert [backoff.died(lived=60.0), backoff.died(lived=0.1)] == [0.0, 0.1]


def test_serve_says_when_it_is_ready_answers_and_ends_well_on_sigterm(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as node:
        assert node.get("/readyz") == 200
        context = ssl.create_default_context(cafile=str(tmp_path / "data" / "tls" / "cert.pem"))
        with urllib.request.urlopen(node.https + "/healthz", context=context, timeout=10) as response:
            assert response.status == 200
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, pytest.raises(OSError):
            probe.bind(("127.0.0.1", node.media))
        until(lambda: set(node.children()) == {"server", "recorder", "media", "server.jobs"})
        children = node.children()
        node.process.send_signal(signal.SIGTERM)
        assert node.process.wait(PATIENCE) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in children.values())
        assert not (tmp_path / "data" / "run.json").exists()


@pytest.mark.parametrize("which", ["server", "recorder", "media", "server.jobs"])
def test_a_child_that_is_killed_comes_back_on_the_same_port(tmp_path: Path, which: str) -> None:
    with serving(tmp_path / "data") as node:
        until(lambda: which in node.children())
        before = node.children()[which]
        os.kill(before, signal.SIGKILL)
        until(lambda: node.children().get(which, before) != before)
        until(lambda: node.get("/readyz") == 200)


def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as node:
        children = node.children()
        node.process.kill()
        until(lambda: not any(_alive(pid) for pid in children.values()))


def test_a_second_node_on_the_same_data_or_port_says_why_not(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as node:
        same_data = command("serve", *FLAGS, "--data", str(tmp_path / "data"))
        assert same_data.returncode == 1
        assert same_data.stderr == (
            f"The data folder {tmp_path / 'data'} is already used by another Tongke (process {node.process.pid}).\n"
        )
        port = node.http.rpartition(":")[2]
        same_port = command("serve", *FLAGS, "--http", f"127.0.0.1:{port}", "--data", str(tmp_path / "other"))
        assert same_port.returncode == 1
        assert same_port.stderr.startswith(f"TCP port {port} is already taken")
        assert same_port.stdout == ""


def test_a_database_that_cannot_be_reached_ends_serve_with_one_sentence(tmp_path: Path) -> None:
    url = "postgresql://tongke:geheim@127.0.0.1:1/tongke"
    ended = command("serve", *FLAGS, "--data", str(tmp_path), "--database-url", url)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("The database postgresql+asyncpg://tongke:***@127.0.0.1:1/tongke cannot be used")


def test_a_data_folder_that_cannot_be_written_ends_serve_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = command("serve", *FLAGS, "--data", str(tmp_path / "file" / "data"))
    assert ended.returncode == 1
    assert ended.stderr.endswith("is no folder: choose another with --data.\n")
    assert ended.stderr.count("\n") == 1


def test_a_folder_for_temporary_files_with_too_long_a_name_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    ended = command("serve", *FLAGS, "--data", str(tmp_path / "data"))
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.endswith("set TMPDIR.\n")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("port", ["--http", "--https", "--media-port"])
def test_a_port_that_is_taken_ends_serve_with_one_sentence(tmp_path: Path, port: str) -> None:
    kind = socket.SOCK_DGRAM if port == "--media-port" else socket.SOCK_STREAM
    with socket.socket(type=kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if port != "--media-port":
            taken.listen()
        number = str(taken.getsockname()[1])
        flags = (*FLAGS, port, number if port == "--media-port" else f"127.0.0.1:{number}")
        ended = command("serve", *flags, "--data", str(tmp_path / "data"))
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert f"port {number} is already taken on 127.0.0.1" in ended.stderr


def test_lessons_are_made_entered_and_ended_from_the_command_line_beside_a_running_node(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "data"))
    with serving(tmp_path / "data") as node:
        made = json.loads(command("lesson", "create", "--title", "草原", "--json", *data).stdout)
        assert set(made) == {"lesson_id", "class_code", "join_url"}
        token = command("token", "--lesson", made["lesson_id"], "--role", "observer", *data).stdout.strip()
        request = urllib.request.Request(
            f"{node.http}/api/lessons/{made['lesson_id']}", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request) as response:
            assert json.load(response)["status"] == "scheduled"
        assert command("lesson", "end", made["lesson_id"], *data).returncode == 0
        with urllib.request.urlopen(request) as response:
            assert json.load(response)["status"] == "ended"
        unknown = command("lesson", "end", "nothing", *data)
        assert (unknown.returncode, unknown.stderr) == (1, "There is no such lesson (lesson_unknown).\n")
    assert token not in (tmp_path / "log").read_text()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
