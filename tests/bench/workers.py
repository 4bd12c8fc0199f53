"""What a second worker costs: one lesson's viewers on one worker, and the same viewers spread over two.

The load is the same; with two, each track goes over the relay once, and what costs per packet and not per viewer comes
twice. Both are measured by turns, and what counts is the ratio of their CPU per forwarded packet. That depends on the
number of viewers: what is twice is the same for few and for many.
"""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from media.client import WorkerClient
from media.messages import Done, Held, ListHeld, Pull
from tests.bench.forwarding import Forwarding, forwarding
from tests.bench.lesson import Publisher, Viewer
from tests.bench.peer import own_address
from tests.bench.processes import RefusedError, worker
from tests.bench.servers import TONGKE, Kind, Tongke

BUDGET = 1.1  # CPU per forwarded packet of two workers, of that of one


@dataclass(frozen=True, slots=True)
class Workers:
    """One lesson on one worker and on two, medians of the rounds."""

    viewers: int
    seconds: float
    one_us_per_packet_out: float
    two_us_per_packet_out: float
    ratio: float
    ratio_least: float  # of the rounds
    ratio_most: float
    more_of_core: float  # CPU of the two less that of the one, as a share of a core
    one_dropped: int
    two_dropped: int
    others: float  # share of the machine used by others, at most


class TwoWorkers:
    """Publishers at the first worker; every other viewer at the second, which pulls."""

    def __init__(self, first: Tongke, second: Tongke, relay: str) -> None:
        self.pids = (*first.pids, *second.pids)
        self._first = first
        self._second = second
        self._relay = relay
        self._next = 0

    async def publish(self, lesson: str, publisher: Publisher) -> None:
        await self._first.publish(lesson, publisher)
        self._second.publications[lesson] = self._first.publications[lesson]
        for it in self._first.publications[lesson]:
            reply = await self._second.client.request(Pull(it.publication_id, it.kind, self._relay))
            if reply != Done():
                raise RefusedError(str(reply))

    async def watch(self, lesson: str, name: str, viewer: Viewer) -> None:
        self._next += 1
        await (self._first, self._second)[self._next % 2].watch(lesson, name, viewer)


@asynccontextmanager
async def two_workers() -> AsyncIterator[TwoWorkers]:
    async with (
        worker(own_address()) as (one, first),
        worker(own_address()) as (other, second),
    ):
        yield TwoWorkers(Tongke(one.pid, first), Tongke(other.pid, second), await _relay(first))


TWO_WORKERS = Kind("Tongke, two workers", "", two_workers)


async def workers(viewers: int, seconds: float, rounds: int = 3) -> Workers:
    """Both by turns, `rounds` times `seconds` each."""
    pairs: list[tuple[Forwarding, Forwarding]] = []
    for _ in range(rounds):
        one = await forwarding(viewers, seconds, kind=TONGKE)
        pairs.append((one, await forwarding(viewers, seconds, kind=TWO_WORKERS)))
    ratios = [two.us_per_packet_out / one.us_per_packet_out for one, two in pairs]
    return Workers(
        viewers=viewers,
        seconds=seconds,
        one_us_per_packet_out=statistics.median(one.us_per_packet_out for one, _ in pairs),
        two_us_per_packet_out=statistics.median(two.us_per_packet_out for _, two in pairs),
        ratio=statistics.median(ratios),
        ratio_least=min(ratios),
        ratio_most=max(ratios),
        more_of_core=statistics.median(two.cpu_share - one.cpu_share for one, two in pairs),
        one_dropped=sum(one.dropped for one, _ in pairs),
        two_dropped=sum(two.dropped for _, two in pairs),
        others=max(each.others for pair in pairs for each in pair),
    )


async def _relay(client: WorkerClient) -> str:
    held = await client.request(ListHeld())
    if not isinstance(held, Held) or held.relay is None:
        raise RefusedError("a worker that nobody can pull from")
    return held.relay
