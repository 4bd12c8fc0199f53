"""The row that matters most: what forwarding one lesson of 720p costs a media worker, and what it adds in time."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

from media.client import WorkerClient
from media.messages import Answer, Answered, Place, Placement, PublicationInfo, Reply
from tests.bench import offers
from tests.bench.lesson import Publisher, Viewer
from tests.bench.machine import Meter
from tests.bench.peer import Peer
from tests.bench.processes import RefusedError, worker

SETTLE = 2.0  # seconds between the last join and the measurement


@dataclass(frozen=True, slots=True)
class Forwarding:
    """One lesson of 720p and its viewers on one worker."""

    viewers: int
    seconds: float
    packets_in: int
    packets_out: int  # that reached viewers
    dropped: int
    cpu_share: float  # of one core
    us_per_packet_out: float
    us_per_packet_in: float
    latency_p50_ms: float | None  # None: others used too much of the machine for it to count
    latency_p99_ms: float | None
    join_all_s: float  # from the first offer to the last viewer's key frame, all at once
    join_cpu_ms: float  # CPU of the worker for each viewer that joined
    memory_kb_per_viewer: float
    load_share: float  # of one core, used by the load generator; near 1 the row measures the generator
    others: float  # share of the machine used by others


async def forwarding(viewers: int, seconds: float) -> Forwarding:
    """One publisher, `viewers` viewers that join at once, `seconds` of measurement."""
    async with worker() as (process, client):
        peer = Peer()
        publisher = Publisher(peer)
        offer = offers.publishing(peer.credentials, *publisher.ssrcs)
        answered = _answered(await client.request(Answer("teacher", "send", offer)))
        await peer.connect(offers.remote(answered.answer))
        publishing = asyncio.create_task(publisher.run())
        await asyncio.sleep(1.0)
        meter = Meter(process.pid)
        memory = meter.cost().memory
        meter.restart()
        begun = time.time_ns()
        classes = await asyncio.gather(
            *(_join(client, f"class-{number}", answered.publications, publisher) for number in range(viewers))
        )
        async with asyncio.timeout(30):
            key_frames = await asyncio.gather(*(viewer.key_frame for viewer in classes))
        joined = meter.cost()
        await asyncio.sleep(SETTLE)
        for viewer in classes:
            viewer.measure()
        meter.restart()
        before = publisher.packets
        await asyncio.sleep(seconds)
        cost = meter.cost()
        published = publisher.packets - before
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        for viewer in classes:
            viewer.close()
        peer.close()
    if bad := sum(viewer.bad for viewer in classes):
        raise RefusedError(f"{bad} packets did not authenticate")
    dropped = sum(viewer.dropped for viewer in classes)
    delivered = published * viewers - dropped
    delays = sorted(delay for viewer in classes for delay in viewer.delays)
    cuts = statistics.quantiles(delays, n=100) if cost.quiet and len(delays) > 1 else None
    return Forwarding(
        viewers=viewers,
        seconds=cost.seconds,
        packets_in=published,
        packets_out=delivered,
        dropped=dropped,
        cpu_share=cost.cpu / cost.seconds,
        us_per_packet_out=cost.cpu / delivered * 1e6,
        us_per_packet_in=cost.cpu / published * 1e6,
        latency_p50_ms=cuts[49] / 1e6 if cuts else None,
        latency_p99_ms=cuts[98] / 1e6 if cuts else None,
        join_all_s=(max(key_frames) - begun) / 1e9,
        join_cpu_ms=joined.cpu / viewers * 1e3,
        memory_kb_per_viewer=(cost.memory - memory) / viewers / 1e3,
        load_share=cost.ours / cost.seconds,
        others=cost.others,
    )


async def _join(
    client: WorkerClient, name: str, publications: tuple[PublicationInfo, ...], publisher: Publisher
) -> Viewer:
    """A class that takes part: offers its slots, gets microphone and camera placed in the first ones, connects."""
    peer = Peer()
    viewer = Viewer(peer, publisher)
    answered = _answered(await client.request(Answer(name, "receive", offers.watching(peer.credentials)), timeout=30))
    placements = []
    for publication in publications:
        slot = next(slot for slot in answered.slots if slot.kind == publication.kind)
        placements.append(Placement(slot.mid, publication.publication_id))
    await client.request(Place(name, tuple(placements)), timeout=30)
    await peer.connect(offers.remote(answered.answer), timeout=30)
    return viewer


def _answered(reply: Reply) -> Answered:
    if not isinstance(reply, Answered):
        raise RefusedError(str(reply))
    return reply
