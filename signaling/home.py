"""Where a lesson lives: which worker takes what is sent, and which serves each of those who watch (placement.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from signaling.transport import Transport
from signaling.workers import Worker, Workers


class Home:
    """`viewers` gives the receiving transports of the lesson."""

    def __init__(self, lesson_id: str, workers: Workers, viewers: Callable[[], Iterable[Transport]]) -> None:
        self.worker: Worker | None = None  # who sends does so here; None: not chosen yet, or gone
        self._lesson_id = lesson_id
        self._workers = workers
        self._viewers = viewers

    async def for_sending(self) -> Worker:
        """The lesson's home, chosen now if it has none. Raises MediaUnavailableError."""
        while self.worker is None or not self.worker.alive:
            chosen = await self._workers.choose(self._parts())
            if self.worker is None or not self.worker.alive:
                self.move(chosen)
        return self.worker

    async def for_watching(self, transport_id: str) -> Worker:
        """The worker of one more who watches. Raises MediaUnavailableError."""
        worker = self._workers.for_viewer(await self.for_sending(), self._parts())
        worker.viewers.add(transport_id)  # those who come at the same time see it
        return worker

    def move(self, worker: Worker | None) -> None:
        """The lesson lives there from now on, or nowhere."""
        if self.worker is not None:
            self.worker.lessons.discard(self._lesson_id)
        self.worker = worker
        if worker is not None:
            worker.lessons.add(self._lesson_id)

    def _parts(self) -> set[Worker]:
        """The workers that serve viewers of the lesson."""
        return {transport.worker for transport in self._viewers() if transport.worker is not None}
