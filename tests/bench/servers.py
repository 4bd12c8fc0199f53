"""What can be measured: a server that takes a lesson's publisher and hands its media to viewers.

Tongke and each peer it is compared with (peers/) do the same work behind the same few methods, for the same load.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from media import accelerator
from media.client import WorkerClient
from media.messages import Answer, Answered, Measure, Measured, Place, Placement, PublicationInfo, Reply
from tests.bench import offers
from tests.bench.lesson import Publisher, Viewer
from tests.bench.peer import own_address
from tests.bench.processes import RefusedError, worker

JOIN_WITHIN = 30.0  # seconds


class Server(Protocol):
    """One that runs, with all its processes."""

    @property
    def pids(self) -> tuple[int, ...]:
        """What counts as the server; children of these count too."""

    async def publish(self, lesson: str, publisher: Publisher) -> None:
        """Connect a microphone and a camera. Raises RefusedError."""

    async def watch(self, lesson: str, name: str, viewer: Viewer) -> None:
        """Connect a viewer that gets the lesson's sound and picture. Raises RefusedError."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A server that can be started, or the reason why it cannot be here."""

    name: str
    version: str
    start: Callable[[], AbstractAsyncContextManager[Server]]
    missing: str | None = None


class Tongke:
    """One media worker, told what to do as the server process tells it."""

    def __init__(self, pid: int, client: WorkerClient) -> None:
        self.pids: tuple[int, ...] = (pid,)
        self.client = client
        self.picture = ""  # the slot of everybody's picture
        self.publications: dict[str, tuple[PublicationInfo, ...]] = {}

    async def publish(self, lesson: str, publisher: Publisher) -> None:
        answered = await self._answered(Answer(f"{lesson}-teacher", "send", publisher.offer()))
        self.publications[lesson] = answered.publications
        await publisher.peer.connect(offers.remote(answered.answer), JOIN_WITHIN)

    async def watch(self, lesson: str, name: str, viewer: Viewer) -> None:
        """A class that takes part: offers its slots, gets microphone and camera placed in the first ones."""
        answered = await self._answered(Answer(f"{lesson}-{name}", "receive", offers.watching(viewer.peer.credentials)))
        placements = []
        for publication in self.publications[lesson]:
            slot = next(slot for slot in answered.slots if slot.kind == publication.kind)
            if slot.kind == "video":
                self.picture = slot.mid
            placements.append(Placement(slot.mid, publication.publication_id, rank=0))
        await self.client.request(Place(f"{lesson}-{name}", tuple(placements)), timeout=JOIN_WITHIN)
        await viewer.peer.connect(offers.remote(answered.answer), JOIN_WITHIN)

    async def counters(self) -> dict[str, float]:
        reply = await self.client.request(Measure())
        assert isinstance(reply, Measured)
        return reply.counters

    async def _answered(self, request: Answer) -> Answered:
        reply: Reply = await self.client.request(request, timeout=JOIN_WITHIN)
        if not isinstance(reply, Answered):
            raise RefusedError(str(reply))
        return reply


@asynccontextmanager
async def tongke(*, accelerated: bool = True) -> AsyncIterator[Tongke]:
    """A worker as the supervisor starts it."""
    async with worker(own_address(), accelerated=accelerated) as (process, client):
        yield Tongke(process.pid, client)


TONGKE = Kind("Tongke", accelerator.state, tongke)
PYTHON_ONLY = Kind(
    "Tongke, no C",
    "",
    partial(tongke, accelerated=False),
    missing=None
    if accelerator.hot is not None
    else f"Tongke has no other here: the accelerator is {accelerator.state}",
)
