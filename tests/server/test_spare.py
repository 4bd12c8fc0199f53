"""Processes that wait, loaded, for their word to begin; and the supervisor that has one at hand."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from recorder.client import RecorderClient
from recorder.messages import ListOpen, Open
from server.supervisor import Child, Keeper

PATIENCE = 60.0  # seconds until a test gives up on a loaded machine


def spare(*program: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "server.spare", *program]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def arguments(pid: int) -> list[str]:
    """What a process is listed under, after the interpreter; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")[1:]
    except OSError:
        return []


async def until_listed(pid: int, expected: list[str]) -> None:
    async with asyncio.timeout(PATIENCE):
        while arguments(pid) != expected:
            await asyncio.sleep(0.02)


async def until_it_answers(path: Path) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                client = await RecorderClient.connect(path)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                assert await client.request(ListOpen()) == Open(())
                return await client.close()


def test_a_spare_does_its_programs_work_at_its_word() -> None:
    said, _ = spare("--load", "server.process", "server", "version").communicate("\n", timeout=PATIENCE)
    assert said == f"tongke {version('tongke')}\n"


def test_a_spare_that_is_not_wanted_any_more_ends_without_having_begun() -> None:
    process = spare("server", "version")
    said, _ = process.communicate("", timeout=PATIENCE)
    assert (process.returncode, said) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="what is listed is Linux's")
async def test_the_spare_takes_the_place_and_the_name_of_a_child_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keeper, "SPARE_AFTER", 0.0)
    named = {"--control": "control.sock", "--media": "media.sock", "--archive": "archive"}
    recorder = ["-m", "recorder", *(word for flag, name in named.items() for word in (flag, str(tmp_path / name)))]
    with (tmp_path / "log").open("w") as log:
        keeper = Keeper(Child("recorder", recorder, spare=True), lambda: None, log)
        keeping = asyncio.create_task(keeper.keep())
        try:
            async with asyncio.timeout(PATIENCE):
                while not (keeper.pid and keeper.spare_pid):
                    await asyncio.sleep(0.02)
            first, waiting = keeper.pid, keeper.spare_pid
            await until_listed(waiting, ["-m", "server.spare", *recorder[1:]])
            os.kill(first, signal.SIGKILL)
            await until_listed(waiting, recorder)
            assert keeper.pid == waiting
            await until_it_answers(tmp_path / "control.sock")
        finally:
            await keeper.end()
            await asyncio.wait_for(keeping, PATIENCE)
    assert not any(arguments(pid) for pid in (first, waiting, keeper.spare_pid) if pid)
