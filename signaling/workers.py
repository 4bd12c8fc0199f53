"""The media workers of this node: keeps a connection to each, says when one died or came back, and places lessons.

A lost connection is no dead worker: it is tried again at once, and what the worker still holds is told to the rooms.
Only when nobody listens on the socket any more the worker is gone, with everything it held; the supervisor starts the
next.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from media import messages as media
from media.client import WorkerClient
from signaling import placement
from signaling.placement import Load

RETRY = 0.05  # seconds between tries to connect, at first: a worker is back within half a second
EAGER = 40  # tries at that pace
SLOW_RETRY = 0.5  # seconds between tries to connect to one that has stayed away
PATIENCE = 3.0  # seconds an offer waits for a worker; a new process needs about one
LOOK = 2.0  # seconds between looks at how much each worker forwards

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
        self.lessons: set[str] = set()  # whose home it is
        self.viewers: set[str] = set()  # receiving transports of all lessons, those about to come included
        self.relay: str | None = None  # where other workers pull its tracks; None: they cannot
        self.packets = 0.0  # forwarded per second, as last measured
        self._client: WorkerClient | None = None

    @property
    def alive(self) -> bool:
        return self._client is not None and not self._client.gone

    @property
    def load(self) -> Load:
        return Load(len(self.lessons), len(self.viewers), self.packets)

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
                    known, self.packets = False, 0.0
                    log.info("media worker %d is gone", self.number)
                    self._safely(listener.worker_down, self)
                failures += 1
                await asyncio.sleep(RETRY if failures < EAGER else SLOW_RETRY)
                continue
            client, held = connected
            known, failures = True, 0
            self._client, self.relay = client, held.relay
            log.info("media worker %d is here with %d transports", self.number, len(held.transports))
            self._safely(listener.worker_up, self, held)
            up.set()
            try:
                async for event in client.events():
                    self._safely(listener.worker_event, self, event)
            finally:
                self._client = None
                await client.close()

    async def look(self) -> None:
        """Measure, for as long as it lives, how much it forwards."""
        loop = asyncio.get_running_loop()
        before: tuple[float, float] | None = None
        while True:
            await asyncio.sleep(LOOK)
            try:
                measured = await self.request(media.Measure())
            except MediaUnavailableError:
                before = None
                continue
            assert isinstance(measured, media.Measured)
            now, packets = loop.time(), measured.counters["packets_out"]
            if before is not None and packets >= before[1]:
                self.packets = (packets - before[1]) / (now - before[0])
            before = now, packets

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
    """All workers of this node. `paths` are their control sockets, in the order of their media ports.

    A worker that serves so many `viewers` has enough to do, see placement.py.
    """

    def __init__(self, paths: Sequence[Path], viewers: int = placement.VIEWERS) -> None:
        self.all = tuple(Worker(number, path) for number, path in enumerate(paths))
        self._viewers = viewers
        self._tasks: list[asyncio.Task[None]] = []
        self._up = asyncio.Event()

    @property
    def connected(self) -> int:
        """How many serve now."""
        return sum(worker.alive for worker in self.all)

    def start(self, listener: WorkerListener) -> None:
        """Connect to the workers, and again whenever one is lost."""
        self._tasks = [asyncio.create_task(worker.serve(listener, self._up)) for worker in self.all]
        if len(self.all) > 1:
            self._tasks += [asyncio.create_task(worker.look()) for worker in self.all]

    async def close(self) -> None:
        """Leave the workers to themselves; they go on. Closing twice is harmless."""
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("the task of a worker failed", exc_info=result)
        self._tasks = []

    async def choose(self, parts: Iterable[Worker] = ()) -> Worker:
        """The living worker where a lesson should begin; waits a little for one. Raises MediaUnavailableError.

        Or go on: `parts` serve viewers of it already.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not self.connected:
                    self._up.clear()
                    await self._up.wait()
        loads = {worker.number: worker.load for worker in self.all if worker.alive}
        if not loads:
            raise MediaUnavailableError("no media worker is there")
        return self.all[placement.home(loads, self._viewers, {one.number for one in parts})]

    def for_viewer(self, home: Worker, parts: Iterable[Worker]) -> Worker:
        """The worker for one more viewer of a lesson; `parts` serve viewers of it already."""
        loads = {worker.number: worker.load for worker in self.all if worker is home or _may_pull(worker, home)}
        return self.all[placement.viewer(loads, home.number, {one.number for one in parts}, self._viewers)]

    async def measure(self) -> dict[int, dict[str, float]]:
        """The counters of every living worker, by its number."""
        living = [worker for worker in self.all if worker.alive]
        replies = await asyncio.gather(*(worker.request(media.Measure()) for worker in living), return_exceptions=True)
        return {
            worker.number: reply.counters
            for worker, reply in zip(living, replies, strict=True)
            if isinstance(reply, media.Measured)
        }


def _may_pull(worker: Worker, home: Worker) -> bool:
    return worker.alive and worker.relay is not None and home.relay is not None
