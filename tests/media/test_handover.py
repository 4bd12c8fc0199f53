"""media/handover.py: connections that go from one process to another, and whose they are."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from media import handover
from media.ice import IceLite


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:
        yield Path(folder, "h.sock")


@pytest.mark.parametrize("number", [0, 1, 63, 9999])
def test_every_ufrag_says_whose_it_is_over_a_restart_too(number: int) -> None:
    ice = IceLite(time.monotonic(), handover.mark(number))
    before = ice.ufrag
    ice.restart()
    assert before != ice.ufrag
    assert [handover.worker_of(ufrag) for ufrag in (before, ice.ufrag)] == [number, number]


@pytest.mark.parametrize("ufrag", ["", "w", "wabc", "abc", "12", "12345wabc", "-1wabc", "1 wabc", "²wabc", "٣wabc"])
def test_what_is_no_ufrag_of_ours_is_nobodys(ufrag: str) -> None:
    assert handover.worker_of(ufrag) is None


async def test_a_socket_arrives_as_it_is_and_anything_else_is_passed_over(path: Path) -> None:
    came: asyncio.Queue[socket.socket] = asyncio.Queue()
    receiver = handover.Receiver(path, came.put_nowait)
    receiver.open()
    ours, theirs = socket.socketpair()
    read, write = os.pipe()
    with handover.sender() as by, ours, theirs:
        by.sendto(b"no connection in it", str(path))
        with os.fdopen(read) as no_socket:
            handover.hand_over(by, no_socket, path)  # type: ignore[arg-type]
        os.close(write)
        handover.hand_over(by, theirs, path)
        theirs.close()
        async with asyncio.timeout(10):
            sock = await came.get()
        with sock:
            sock.send(b"here")
            assert ours.recv(4) == b"here"
        assert came.empty()
    receiver.close()
    receiver.close()


async def test_a_worker_with_too_many_waiting_says_so_and_a_dead_one_is_told_from_it(path: Path) -> None:
    receiver = handover.Receiver(path, socket.socket.close)
    ours, theirs = socket.socketpair()
    with handover.sender() as by, ours, theirs:
        with pytest.raises(BlockingIOError):
            fill(by, ours, path)
        receiver.open()
        receiver.close()
        with pytest.raises(ConnectionRefusedError):
            handover.hand_over(by, ours, path)


def fill(by: socket.socket, sock: socket.socket, path: Path) -> None:
    for _ in range(100_000):
        handover.hand_over(by, sock, path)
