"""A real recorder process, a connection as its worker and one as its server."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from media.recording_link import Frame, Reader
from recorder.client import RecorderClient
from tests.recorder.source import Timed


class RecorderProcess:
    def __init__(self, archive: Path, run: Path, largest_file: int | None, keep_free: int) -> None:
        self.archive = archive
        self._run = run
        self._largest_file = largest_file
        self._keep_free = keep_free
        self.process: subprocess.Popen[bytes] | None = None
        self.client: RecorderClient
        self.worker: socket.socket

    async def start(self) -> None:
        limit = self._largest_file

        def restrict() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        self.process = subprocess.Popen(
            [sys.executable, "-m", "recorder", *map(str, self._arguments())],
            preexec_fn=restrict,
            cwd=Path(__file__).parents[2],
        )
        self.client = await self._patiently(RecorderClient.connect(self._run / "c") for _ in iter(int, 1))
        self.worker = self.another_worker()

    def _arguments(self) -> list[object]:
        sockets = ["--control", self._run / "c", "--media", self._run / "m"]
        return [*sockets, "--archive", self.archive, "--keep-free", self._keep_free]

    async def _patiently(self, attempts) -> RecorderClient:  # type: ignore[no-untyped-def]
        deadline = time.monotonic() + 20
        for attempt in attempts:
            try:
                return await attempt  # type: ignore[no-any-return]
            except OSError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.02)
        raise AssertionError

    def another_worker(self) -> socket.socket:
        """One more connection to the media socket."""
        worker = socket.socket(socket.AF_UNIX)
        worker.connect(str(self._run / "m"))
        return worker

    async def send(self, *data: bytes) -> None:
        """All at once."""
        await asyncio.to_thread(self.worker.sendall, b"".join(data))

    async def play(self, timed: Iterable[Timed]) -> None:
        """In real time."""
        began = time.monotonic()
        for piece in timed:
            wait = piece.at_us / 1e6 - (time.monotonic() - began)
            if wait > 0.005:
                await asyncio.sleep(wait)
            self.worker.sendall(piece.data)

    def asked(self) -> list[Frame]:
        """What the recorder has sent to the worker so far."""
        reader, frames = Reader(), []
        with contextlib.suppress(BlockingIOError):
            while data := self.worker.recv(4096, socket.MSG_DONTWAIT):
                frames += reader.feed(data)
        return frames

    async def kill(self) -> None:
        """kill -9, and the next one may start."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.worker.close()
        await self.client.close()

    async def terminate(self) -> int:
        """SIGTERM; gives the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(self.process.wait, 20)
        self.worker.close()
        await self.client.close()
        return code


@contextlib.asynccontextmanager
async def recorder_process(
    archive: Path, largest_file: int | None = None, keep_free: int = 0
) -> AsyncIterator[RecorderProcess]:
    """A running recorder; Unix socket paths are short, so its sockets live in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="tongke-") as run:
        recorder = RecorderProcess(archive, Path(run), largest_file, keep_free)
        await recorder.start()
        try:
            yield recorder
        finally:
            if recorder.process is not None and recorder.process.poll() is None:
                await recorder.kill()
