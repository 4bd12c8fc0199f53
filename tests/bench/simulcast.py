"""What simulcast costs: one publisher with three layers, and viewers who show its picture large, middling and small."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from media.messages import Shown, Survey, Surveyed, View
from tests.bench import stream
from tests.bench.forwarding import SETTLE, join, leave
from tests.bench.lesson import Publisher
from tests.bench.machine import Meter
from tests.bench.peer import Peer, own_address
from tests.bench.processes import RefusedError
from tests.bench.servers import tongke

LAYERS_WITHIN = 6.0  # seconds until everybody has the layer that fits


@dataclass(frozen=True, slots=True)
class Simulcast:
    """One lesson in three layers on one worker."""

    viewers: int
    seconds: float
    packets_in: int
    packets_out: int
    cpu_share: float  # of one core
    us_per_packet_out: float
    heights: dict[str, int]  # height of the layer carried -> viewers
    load_share: float  # of one core
    others: float  # share of the machine used by others


async def simulcast(viewers: int, seconds: float) -> Simulcast:
    """A third of the viewers each at the height of one layer."""
    async with tongke() as server:
        publisher = Publisher(Peer(own_address()), stream.SIMULCAST)
        await server.publish("lesson-0", publisher)
        publishing = asyncio.create_task(publisher.run())
        await asyncio.sleep(1.0)
        classes = await join(server, [publisher], viewers)
        for number in range(viewers):
            height = stream.SIMULCAST[number % len(stream.SIMULCAST)].height
            await server.client.request(View(f"lesson-0-class-{number}", (Shown(server.picture, height),)))
        await asyncio.gather(*(viewer.key_frame for viewer in classes))
        await asyncio.sleep(LAYERS_WITHIN + SETTLE)
        meter = Meter(*server.pids)
        before, counted = publisher.packets, (await server.counters())["packets_out"]
        await asyncio.sleep(seconds)
        cost, packets = meter.cost(), publisher.packets - before
        delivered = int((await server.counters())["packets_out"] - counted)
        surveyed = await server.client.request(Survey(tuple(f"lesson-0-class-{n}" for n in range(viewers))))
        await leave([publishing], [publisher], classes)
    if not isinstance(surveyed, Surveyed):
        raise RefusedError(str(surveyed))
    heights: dict[str, int] = {}
    for transport in surveyed.transports:
        for slot in transport.slots:
            if slot.mid == server.picture:
                heights[str(slot.height)] = heights.get(str(slot.height), 0) + 1
    return Simulcast(
        viewers=viewers,
        seconds=cost.seconds,
        packets_in=packets,
        packets_out=delivered,
        cpu_share=cost.cpu / cost.seconds,
        us_per_packet_out=cost.cpu / delivered * 1e6,
        heights=heights,
        load_share=cost.ours / cost.seconds,
        others=cost.others,
    )
