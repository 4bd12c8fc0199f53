"""The media workers of this node: keeps a connection to each, says when one died or came back, and places lessons.

A lost connection is no dead worker: it is tried again at once, and what the worker still holds is told to the rooms.
Only when nobody listens on the socket any more the worker is gone, with everything it held; the supervisor starts the
next.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from media import messages as media
from media.client import WorkerClient

RETRY = 0.05  # seconds between tries to connect, at first: a worker is back within half a second
EAGER = 40  # tries at that pace
SLOW_RETRY = 0.5  # seconds between tries to connect to one that has stayed away
PATIENCE = 3.0  # seconds an offer waits for a worker; a new process needs about one

log = logging.getLogger(__name__)


class MediaUnavailableError(ConnectionError):
    """No media worker can serve at the moment."""


class WorkerListener(Protocol):
    """Who is told what workers do. Calls come on the event loop and must not block."""

    def worker_up(self, worker: Worker, held: media.Held) -> None:
        """Connected; `held` is all it has. What it had before and is not there is lost."""

    def worker_down(self, worker: Worker) -> None:
        """The worker is gone, and with it all it held."""

    def worker_event(self, worker: Worker, event: media.Event) -> None:
        """Something happened to a transport or publication."""


class Worker:
    """One media worker, over all of its lives."""

    def __init__(self, number: int, path: Path) -> None:
        self.number = number
        self.path = path
        self.lessons: set[str] = set()  # placed here
        self._client: WorkerClient | None = None

    @property
    def alive(self) -> bool:
        return self._client is not None and not self._client.gone

    async def request(self, message: media.Request) -> media.Reply:
        """The worker's reply. Raises MediaUnavailableError when it is gone or does not reply."""
        if self._client is None:
            raise MediaUnavailableError(f"media worker {self.number} is gone")
        try:
            return await self._client.request(message)
        except (ConnectionError, TimeoutError) as error:
            raise MediaUnavailableError(f"media worker {self.number} does not reply") from error

    async def serve(self, listener: WorkerListener, up: asyncio.Event) -> None:
        """Keep connected until cancelled."""
        known = False  # the listener believes it is there
        failures = 0
        while True:
            connected = await self._connect()
            if connected is None:
                if known:
                    known = False
                    log.info("media worker %d is gone", self.number)
                    self._safely(listener.worker_down, self)
                failures += 1
                await asyncio.sleep(RETRY if failures < EAGER else SLOW_RETRY)
                continue
            client, held = connected
            known, failures = True, 0
            self._client = client
            log.info("media worker %d is here with %d transports", self.number, len(held.transports))
            self._safely(listener.worker_up, self, held)
            up.set()
            try:
                async for event in client.events():
                    self._safely(listener.worker_event, self, event)
            finally:
                self._client = None
                await client.close()

    async def _connect(self) -> tuple[WorkerClient, media.Held] | None:
        """A connection and what the worker holds, or None while it is not there."""
        try:
            client = await WorkerClient.connect(self.path)
        except OSError:
            return None
        try:
            held = await client.request(media.ListHeld())
            if isinstance(held, media.Held):
                return client, held
        except (ConnectionError, TimeoutError):
            pass  # it went away again, or is stuck
        await client.close()
        return None

    def _safely(self, call: Callable[..., None], *arguments: object) -> None:
        try:
            call(*arguments)
        except Exception:  # a bug in one room must not cut all the others off from the worker
            log.exception("what media worker %d told was not understood", self.number)


class Workers:
    """All workers of this node. `paths` are their control sockets, in the order of their media ports."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.all = tuple(Worker(number, path) for number, path in enumerate(paths))
        self._tasks: list[asyncio.Task[None]] = []
        self._up = asyncio.Event()

    @property
    def connected(self) -> int:
        """How many serve now."""
        return sum(worker.alive for worker in self.all)

    def start(self, listener: WorkerListener) -> None:
        """Connect to the workers, and again whenever one is lost."""
        self._tasks = [asyncio.create_task(worker.serve(listener, self._up)) for worker in self.all]

    async def close(self) -> None:
        """Leave the workers to themselves; they go on. Closing twice is harmless."""
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("the task of a worker failed", exc_info=result)
        self._tasks = []

    async def choose(self) -> Worker:
        """The living worker with the fewest lessons; waits a little for one. Raises MediaUnavailableError."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not self.connected:
                    self._up.clear()
                    await self._up.wait()
        living = [worker for worker in self.all if worker.alive]
        if not living:
            raise MediaUnavailableError("no media worker is there")
        return min(living, key=lambda worker: len(worker.lessons))

    async def measure(self) -> dict[int, dict[str, float]]:
        """The counters of every living worker, by its number."""
        living = [worker for worker in self.all if worker.alive]
        replies = await asyncio.gather(*(worker.request(media.Measure()) for worker in living), return_exceptions=True)
        return {
            worker.number: reply.counters
            for worker, reply in zip(living, replies, strict=True)
            if isinstance(reply, media.Measured)
        }
