"""The processes that are measured, started as the supervisor starts them."""

from __future__ import annotations

import asyncio
import contextlib
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
async def child(*command: str, sockets: tuple[socket.socket, ...] = ()) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=PIPE, pass_fds=[each.fileno() for each in sockets]
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
async def worker() -> AsyncIterator[tuple[Process, WorkerClient]]:
    """A media worker as the supervisor starts it, on loopback."""
    with (
        tempfile.TemporaryDirectory(prefix="tongke-") as run,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port,
    ):
        port.bind(("127.0.0.1", 0))
        control = Path(run) / "worker-0.sock"
        command = (
            *("-m", "media", "--control", str(control), "--recorder", str(Path(run) / "recorder-media.sock")),
            *("--udp", f"{port.fileno()}=127.0.0.1", "--port", str(port.getsockname()[1])),
        )
        async with child(*command, sockets=(port,)) as process:
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
