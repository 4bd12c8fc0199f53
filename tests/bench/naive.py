"""The row to compare with: the same lesson through aiortc's MediaRelay, for as few viewers as that can carry."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp

from tests.bench import offers
from tests.bench.forwarding import SETTLE
from tests.bench.lesson import Publisher
from tests.bench.machine import Meter
from tests.bench.peer import Peer, own_address
from tests.bench.processes import RefusedError, child


@dataclass(frozen=True, slots=True)
class Naive:
    """One lesson of 720p through MediaRelay."""

    viewers: int
    seconds: float
    packets_out: int
    cpu_share: float
    us_per_packet_out: float
    others: float  # share of the machine used by others


async def naive(viewers: int, seconds: float) -> Naive:
    """aiortc decodes the publisher and encodes for each viewer."""
    async with child("-m", "tests.bench.naive_server") as process, aiohttp.ClientSession() as http:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(await process.stdout.readline())}"
        peers = [Peer(own_address()) for _ in range(viewers + 1)]
        publisher = Publisher(peers[0])

        async def post(path: str, offer: str) -> offers.Remote:
            async with http.post(url + path, data=offer) as response:
                return offers.remote(await response.text())

        await peers[0].connect(await post("/publish", publisher.offer()))
        publishing = asyncio.create_task(publisher.run())
        await asyncio.sleep(1.0)
        counts = [0]

        def count(packet: bytes, _: int) -> None:
            counts[0] += not 192 <= packet[1] < 224

        for peer in peers[1:]:
            peer.on_media = count
            await peer.connect(await post("/watch", offers.watching(peer.credentials, audio=1, video=1)))
        await asyncio.sleep(SETTLE)
        counts[0] = 0
        meter = Meter(process.pid)
        await asyncio.sleep(seconds)
        cost, delivered = meter.cost(), counts[0]
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        for peer in peers:
            peer.close()
    if not delivered:
        raise RefusedError("aiortc sent nothing")
    return Naive(viewers, cost.seconds, delivered, cost.cpu / cost.seconds, cost.cpu / delivered * 1e6, cost.others)
