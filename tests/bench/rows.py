"""The rows of the table: each starts what it measures as a process of its own, loads it, and tells what it cost."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from media.client import WorkerClient
from media.messages import Answer, Answered, Place, Placement, PublicationInfo, Reply
from tests.bench import offers
from tests.bench.lesson import Publisher, Viewer
from tests.bench.machine import Meter
from tests.bench.peer import Peer, own_address

SETTLE = 2.0  # seconds between the last join and the measurement
START_WITHIN = 10.0  # seconds


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
    others: float  # share of the machine used by others


@dataclass(frozen=True, slots=True)
class Naive:
    """The same with aiortc's MediaRelay, for as few viewers as it can carry."""

    viewers: int
    seconds: float
    packets_out: int
    cpu_share: float
    us_per_packet_out: float


class RefusedError(Exception):
    """The measured process does not do what the row needs."""


@asynccontextmanager
async def _process(*command: str, sockets: tuple[socket.socket, ...] = ()) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=PIPE, pass_fds=[each.fileno() for each in sockets]
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def _worker() -> AsyncIterator[tuple[Process, WorkerClient]]:
    """A media worker as the supervisor starts it, on loopback."""
    with (
        tempfile.TemporaryDirectory(prefix="tongke-") as run,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port,
    ):
        port.bind(("127.0.0.1", 0))
        control = Path(run) / "worker-0.sock"
        command = (
            *("-m", "media", "--control", str(control), "--recorder", str(Path(run) / "recorder-media.sock")),
            *("--udp", f"{port.fileno()}=127.0.0.1", "--port", str(port.getsockname()[1])),
        )
        async with _process(*command, sockets=(port,)) as process:
            client = await _connect(control, process)
            try:
                yield process, client
            finally:
                await client.close()


async def _connect(control: Path, process: Process) -> WorkerClient:
    async with asyncio.timeout(START_WITHIN):
        while True:
            with contextlib.suppress(OSError):
                return await WorkerClient.connect(control)
            if process.returncode is not None:
                raise RefusedError(f"the worker ended with {process.returncode}")
            await asyncio.sleep(0.02)


def _answered(reply: Reply) -> Answered:
    if not isinstance(reply, Answered):
        raise RefusedError(str(reply))
    return reply


async def forwarding(viewers: int, seconds: float) -> Forwarding:
    """One publisher, `viewers` viewers that join at once, `seconds` of measurement."""
    async with _worker() as (process, client):
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


async def naive(viewers: int, seconds: float) -> Naive:
    """aiortc decodes the publisher and encodes for each viewer."""
    async with _process("-m", "tests.bench.naive") as process, aiohttp.ClientSession() as http:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(await process.stdout.readline())}"
        peers = [Peer(own_address(), setup="active") for _ in range(viewers + 1)]
        publisher = Publisher(peers[0])

        async def post(path: str, offer: str) -> offers.Remote:
            async with http.post(url + path, data=offer) as response:
                return offers.remote(await response.text())

        await peers[0].connect(await post("/publish", offers.publishing(peers[0].credentials, *publisher.ssrcs)))
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
    return Naive(viewers, cost.seconds, delivered, cost.cpu / cost.seconds, cost.cpu / delivered * 1e6)
