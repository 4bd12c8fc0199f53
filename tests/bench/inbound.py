"""What it costs a server to take a packet in, when nobody watches: many lessons that only begin."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.bench.forwarding import SETTLE, leave
from tests.bench.lesson import Publisher
from tests.bench.machine import Meter
from tests.bench.peer import Peer, own_address
from tests.bench.servers import TONGKE, Kind


@dataclass(frozen=True, slots=True)
class Inbound:
    """Lessons of 720p that nobody watches."""

    server: str
    lessons: int
    seconds: float
    packets_in: int
    us_per_packet_in: float  # decryption, order, feedback to the publishers and all timers included
    load_share: float  # of one core
    others: float  # share of the machine used by others


async def inbound(lessons: int, seconds: float, kind: Kind = TONGKE) -> Inbound:
    """`lessons` publishers at real pace."""
    async with kind.start() as server:
        publishers = [Publisher(Peer(own_address())) for _ in range(lessons)]
        for number, publisher in enumerate(publishers):
            await server.publish(f"lesson-{number}", publisher)
        publishing = [asyncio.create_task(publisher.run()) for publisher in publishers]
        await asyncio.sleep(SETTLE)
        meter = Meter(*server.pids)
        before = sum(publisher.packets for publisher in publishers)
        await asyncio.sleep(seconds)
        cost = meter.cost()
        packets = sum(publisher.packets for publisher in publishers) - before
        await leave(publishing, publishers, [])
    return Inbound(
        server=kind.name,
        lessons=lessons,
        seconds=cost.seconds,
        packets_in=packets,
        us_per_packet_in=cost.cpu / packets * 1e6,
        load_share=cost.ours / cost.seconds,
        others=cost.others,
    )
