"""The row that matters most: what forwarding lessons of 720p costs a server, and what it adds in time."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.lesson import Publisher, Viewer
from tests.bench.machine import Meter
from tests.bench.peer import Peer, own_address
from tests.bench.processes import RefusedError
from tests.bench.servers import TONGKE, Kind, Server

SETTLE = 2.0  # seconds between the last join and the measurement
KEY_FRAMES_WITHIN = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Lessons of 720p and their viewers on one server."""

    server: str
    lessons: int
    viewers: int  # of all lessons together
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
    join_cpu_ms: float  # CPU of the server for each viewer that joined
    memory_kb_per_viewer: float
    load_share: float  # of one core, used by the load generator; near 1 the row measures the generator
    others: float  # share of the machine used by others


async def forwarding(viewers: int, seconds: float, *, lessons: int = 1, kind: Kind = TONGKE) -> Forwarding:
    """`lessons` publishers, `viewers` viewers spread over them that join at once, `seconds` of measurement."""
    async with kind.start() as server:
        publishers = [Publisher(Peer(own_address())) for _ in range(lessons)]
        for number, publisher in enumerate(publishers):
            await server.publish(f"lesson-{number}", publisher)
        publishing = [asyncio.create_task(publisher.run()) for publisher in publishers]
        await asyncio.sleep(1.0)
        meter = Meter(*server.pids)
        memory = meter.cost().memory
        meter.restart()
        begun = time.time_ns()
        classes = await join(server, publishers, viewers)
        async with asyncio.timeout(KEY_FRAMES_WITHIN):
            key_frames = await asyncio.gather(*(viewer.key_frame for viewer in classes))
        joined = meter.cost()
        await asyncio.sleep(SETTLE)
        for viewer in classes:
            viewer.measure()
        meter.restart()
        before = [publisher.packets for publisher in publishers]
        await asyncio.sleep(seconds)
        cost = meter.cost()
        published = [publisher.packets - start for publisher, start in zip(publishers, before, strict=True)]
        await leave(publishing, publishers, classes)
    if bad := sum(viewer.bad for viewer in classes):
        raise RefusedError(f"{bad} packets did not authenticate")
    if not all(viewer.seen for viewer in classes):
        raise RefusedError("viewers without packets")
    dropped = sum(viewer.dropped for viewer in classes)
    delivered = sum(published[number % lessons] for number in range(viewers)) - dropped
    if delivered < dropped:
        raise RefusedError("more was lost than came, which is no measurement")
    delays = sorted(delay for viewer in classes for delay in viewer.delays)
    cuts = statistics.quantiles(delays, n=100) if cost.quiet and len(delays) > 1 else None
    return Forwarding(
        server=kind.name,
        lessons=lessons,
        viewers=viewers,
        seconds=cost.seconds,
        packets_in=sum(published),
        packets_out=delivered,
        dropped=dropped,
        cpu_share=cost.cpu / cost.seconds,
        us_per_packet_out=cost.cpu / delivered * 1e6,
        us_per_packet_in=cost.cpu / sum(published) * 1e6,
        latency_p50_ms=cuts[49] / 1e6 if cuts else None,
        latency_p99_ms=cuts[98] / 1e6 if cuts else None,
        join_all_s=(max(key_frames) - begun) / 1e9,
        join_cpu_ms=joined.cpu / viewers * 1e3,
        memory_kb_per_viewer=(cost.memory - memory) / viewers / 1e3,
        load_share=cost.ours / cost.seconds,
        others=cost.others,
    )


async def join(server: Server, publishers: Sequence[Publisher], viewers: int) -> list[Viewer]:
    """That many viewers at once, spread evenly over the lessons."""
    made = [Viewer(Peer(own_address()), publishers[number % len(publishers)]) for number in range(viewers)]
    await asyncio.gather(
        *(
            server.watch(f"lesson-{number % len(publishers)}", f"class-{number}", viewer)
            for number, viewer in enumerate(made)
        )
    )
    return made


async def leave(
    publishing: Sequence[asyncio.Task[None]], publishers: Sequence[Publisher], viewers: Sequence[Viewer]
) -> None:
    """Everybody stops."""
    for task in publishing:
        task.cancel()
    await asyncio.gather(*publishing, return_exceptions=True)
    for viewer in viewers:
        viewer.close()
    for publisher in publishers:
        publisher.peer.close()
