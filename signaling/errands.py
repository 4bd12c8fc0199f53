"""Tasks that nobody waits for: what a room or all of them ask of workers, and whose outcome changes nothing for us."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine

from media import messages as media
from signaling.workers import MediaUnavailableError, Worker

STOPPING = 1.0  # seconds a worker has, when this process ends, to hear the last things

log = logging.getLogger(__name__)


class Errands:
    """They belong to whoever `stop`s them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, worker: Worker, message: media.Request) -> None:
        """Tell a worker something."""
        self.start(_ask(worker, message))

    def start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def stop(self) -> None:
        """Wait a little for those under way, then cancel them."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOPPING)
        for task in self._tasks:
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an errand to a media worker failed", exc_info=error)


async def _ask(worker: Worker, message: media.Request) -> None:
    try:
        reply = await worker.request(message)
    except MediaUnavailableError:
        return  # what it held is gone anyway
    if isinstance(reply, media.Refused):
        log.info("media worker %d refused %s: %s", worker.number, type(message).__name__, reply.code)
