"""What tests of the media plane share."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from media import accelerator, fanout
from media.transport import Transport
from media.worker import Worker


@pytest.fixture(params=["Python", "C"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test twice: without the accelerator, and with it for however few viewers."""
    if request.param == "Python":
        monkeypatch.setattr(accelerator, "hot", None)
    elif accelerator.hot is None:
        pytest.skip(f"the accelerator is {accelerator.state}")
    monkeypatch.setattr(fanout, "ACCELERATED", 1)
    return str(request.param)


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two UDP sockets of one kind on the loopback interface; the first never blocks, the second for 5 s at most."""
    host = "127.0.0.1" if request.param == socket.AF_INET else "::1"
    with (
        socket.socket(request.param, socket.SOCK_DGRAM) as here,
        socket.socket(request.param, socket.SOCK_DGRAM) as there,
    ):
        try:
            here.bind((host, 0))
            there.bind((host, 0))
        except OSError:
            pytest.skip(f"no {host} here")
        here.setblocking(False)
        there.settimeout(5)
        for each in (here, there):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        yield here, there


@pytest.fixture(autouse=True)
def bugs_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker outlives a bug that meets one transport; a test must not."""

    def raise_it(self: Worker, transport: Transport) -> None:
        raise

    monkeypatch.setattr(Worker, "_broken", raise_it)
