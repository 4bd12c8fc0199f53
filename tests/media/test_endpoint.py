"""media/endpoint.py: the sockets, the recorder's connection, and a worker that is left alone."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from media import endpoint, rtp
from media.client import WorkerClient
from media.codecs import Codec
from media.endpoint import Endpoint, Local, RecorderLink
from media.messages import Measure, Measured, Record
from media.recorder_feed import RecorderFeed
from media.recording_link import Frame, FrameType, Reader, pack

H264 = Codec("H264", 102, 90000, 0, "packetization-mode=1", 103, ())
RECORD = Record("p", "lesson", "p-1", "camera", True, 0)


@pytest.fixture
def udp() -> Iterator[socket.socket]:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


@pytest.fixture
def run() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:
        yield Path(folder)


async def test_a_worker_takes_datagrams_and_requests_until_it_is_stopped(udp: socket.socket, run: Path) -> None:
    worker = Endpoint([Local(udp, "127.0.0.1")], [], udp.getsockname()[1])
    task = asyncio.create_task(worker.run(str(run / "c.sock"), None))
    await until((run / "c.sock").exists)
    client = await WorkerClient.connect(run / "c.sock")
    with socket.socket(type=socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"\x80 nobody knows me", udp.getsockname())
        while True:
            measured = await client.request(Measure())
            assert isinstance(measured, Measured)
            if measured.counters.get("dropped_unknown_source") == 1:
                break
    worker.stop()
    await task
    assert [event async for event in client.events()] == []


async def test_a_worker_without_a_server_ends(
    udp: socket.socket, run: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(endpoint, "ALONE", 0.05)
    await Endpoint([Local(udp, "127.0.0.1")], [], 7000).run(str(run / "c.sock"), str(run / "r.sock"))
    assert "no server" in caplog.text


async def test_the_recorders_connection_is_made_again_and_tracks_are_announced_again(run: Path) -> None:
    wanted: list[str] = []
    feed = RecorderFeed(0.0, lambda publication_id, _: wanted.append(publication_id), Counter())
    track = feed.track(RECORD, "video")
    track.announce(H264, 0)
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    server = await asyncio.start_unix_server(lambda *ends: accepted.put_nowait(ends), str(run / "r.sock"))
    link = RecorderLink(feed, str(run / "r.sock"))
    task = asyncio.create_task(link.run())

    reader, writer = await accepted.get()
    frames = Reader()
    (announced,) = frames.feed(await reader.read(65536))
    assert announced.type is FrameType.TRACK
    track.packet(packet(), 1.0)
    link.flush()
    assert [frame.type for frame in frames.feed(await reader.read(65536))] == [FrameType.RTP]
    writer.write(pack(FrameType.KEYFRAME, announced.handle))
    await until(lambda: wanted == ["p"])
    writer.close()

    reader, writer = await accepted.get()
    track.packet(packet(), 2.0)
    link.flush()
    again: list[Frame] = []
    frames = Reader()
    while len(again) < 2:
        again += frames.feed(await reader.read(65536))
    assert [frame.type for frame in again] == [FrameType.TRACK, FrameType.RTP]
    writer.write(b"\xff" * 20)  # not our protocol: it is dropped, and tried again
    reader, writer = await accepted.get()
    writer.close()
    task.cancel()
    server.close()


async def test_a_recorder_that_does_not_read_leaves_the_rest_with_the_feed(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "RECORDER_UNSENT", 1)
    feed = RecorderFeed(0.0, lambda *_: None, Counter())
    track = feed.track(RECORD, "video")
    track.announce(H264, 0)
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    server = await asyncio.start_unix_server(lambda *ends: accepted.put_nowait(ends), str(run / "r.sock"))
    link = RecorderLink(feed, str(run / "r.sock"))
    task = asyncio.create_task(link.run())
    _, writer = await accepted.get()
    for number in range(2000):
        track.packet(packet(1400), number / 2000)
        link.flush()
        await asyncio.sleep(0)
    assert len(feed.take()) > 1_000_000
    writer.close()
    task.cancel()
    server.close()


def packet(size: int = 100) -> rtp.Packet:
    parsed = rtp.parse(rtp.HEADER.pack(0x80, 102, 1, 0, 7) + bytes(size))
    assert parsed is not None
    return parsed


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)
