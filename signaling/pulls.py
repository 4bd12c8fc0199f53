"""Which publications of a room its workers pull from each other: those that slots of viewers elsewhere carry.

A worker is told what to pull before anything is placed there, and to release it once no slot of the room carries it.
What is said to one worker is said in turn, so that a release never overtakes the pull that came after it was decided.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping

from media import messages as media
from signaling.state import RoomState
from signaling.transport import Transport
from signaling.workers import MediaUnavailableError, Worker

log = logging.getLogger(__name__)


class Pulls:
    """`holders` are the sending transports by publication, `viewers` gives the receiving ones, `start` runs a task."""

    def __init__(
        self,
        state: RoomState,
        holders: Mapping[str, Transport],
        viewers: Callable[[], Iterable[Transport]],
        start: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._state = state
        self._holders = holders
        self._viewers = viewers
        self._start = start
        self._held: dict[Worker, set[str]] = {}
        self._coming: dict[Worker, Counter[str]] = {}  # about to be placed
        self._locks: dict[Worker, asyncio.Lock] = {}

    async def place(self, worker: Worker, request: media.Place) -> media.Reply:
        """Have placed what is placed, pulled before if it is another worker's. Raises MediaUnavailableError."""
        ids = [it.publication_id for it in request.placements if it.publication_id is not None]
        foreign = Counter(id for id in ids if self._origin(id) not in (None, worker))
        coming = self._coming.setdefault(worker, Counter())
        coming += foreign  # from now on nobody releases it
        try:
            if foreign:
                await self._pull(worker, foreign)
            return await worker.request(request)
        finally:
            coming -= foreign

    def tidy(self) -> None:
        """Slots or transports have changed: release what nobody carries any more."""
        for worker, held in self._held.items():
            if held - self._needed(worker):
                self._start(self._release(worker))

    def adopt(self, worker: Worker, held: media.Held) -> set[str]:
        """Take back what a worker pulls for this room; those ids."""
        ours = self._needed(worker) | self._state.publications.keys()
        self._held[worker] = {id for id in held.pulled if id in ours}
        return self._held[worker]

    def lost(self, worker: Worker) -> None:
        """The worker is gone, and all it pulled."""
        self._held.pop(worker, None)

    async def _pull(self, worker: Worker, publication_ids: Iterable[str]) -> None:
        async with self._locks.setdefault(worker, asyncio.Lock()):
            for publication_id in publication_ids:
                held = self._held.setdefault(worker, set())
                origin = self._origin(publication_id)
                publication = self._state.publications.get(publication_id)
                if publication_id in held or publication is None or origin is None or origin.relay is None:
                    continue  # what has gone meanwhile cannot be placed, which the worker will say
                held.add(publication_id)
                reply = await worker.request(media.Pull(publication_id, publication.kind, origin.relay))
                if isinstance(reply, media.Refused):
                    log.info("media worker %d does not pull a track: %s", worker.number, reply.code)
                    held.discard(publication_id)

    async def _release(self, worker: Worker) -> None:
        async with self._locks.setdefault(worker, asyncio.Lock()):
            held = self._held.get(worker, set())
            for publication_id in list(held):
                if publication_id in self._needed(worker):
                    continue
                held.discard(publication_id)
                try:
                    await worker.request(media.Release(publication_id))
                except MediaUnavailableError:
                    return  # its loss is told separately; if it was only slow, it is asked what it holds

    def _origin(self, publication_id: str) -> Worker | None:
        holder = self._holders.get(publication_id)
        return holder.worker if holder is not None else None

    def _needed(self, worker: Worker) -> set[str]:
        slots = (slot for transport in self._viewers() if transport.worker is worker for slot in transport.slots)
        carried = {slot.publication_id for slot in slots if slot.publication_id is not None}
        return carried | {id for id, count in self._coming.get(worker, Counter()).items() if count > 0}
