"""The processes that are measured, started as the supervisor starts them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from media.client import WorkerClient

START_WITHIN = 10.0  # seconds


class RefusedError(Exception):
    """The measured process does not do what the row needs."""


@asynccontextmanager
async def child(
    *command: str,
    sockets: tuple[socket.socket, ...] = (),
    python: bool = True,
    environment: dict[str, str] | None = None,
) -> AsyncIterator[Process]:
    """A process that ends with the block. `command` is for our Python, else it names the program itself."""
    process = await asyncio.create_subprocess_exec(
        *((sys.executable,) if python else ()),
        *command,
        stdin=PIPE,
        stdout=PIPE,
        pass_fds=[each.fileno() for each in sockets],
        env=environment,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def worker(
    address: str = "127.0.0.1", *, accelerated: bool = True
) -> AsyncIterator[tuple[Process, WorkerClient]]:
    """A media worker as the supervisor starts it, on one address of this machine."""
    with (
        tempfile.TemporaryDirectory(prefix="tongke-") as run,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port,
    ):
        port.bind((address, 0))
        control = Path(run) / "worker-0.sock"
        command = (
            *("-m", "media", "--control", str(control), "--recorder", str(Path(run) / "recorder-media.sock")),
            *("--relay", str(Path(run) / "relay-0.sock")),
            *("--udp", f"{port.fileno()}={address}", "--port", str(port.getsockname()[1])),
        )
        environment = None if accelerated else {**os.environ, "TONGKE_ACCELERATOR": "off"}
        async with child(*command, sockets=(port,), environment=environment) as process:
            client = await _connected(control, process)
            try:
                yield process, client
            finally:
                await client.close()


async def _connected(control: Path, process: Process) -> WorkerClient:
    async with asyncio.timeout(START_WITHIN):
        while True:
            with contextlib.suppress(OSError):
                return await WorkerClient.connect(control)
            if process.returncode is not None:
                raise RefusedError(f"the worker ended with {process.returncode}")
            await asyncio.sleep(0.02)
