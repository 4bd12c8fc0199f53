"""The control socket, with both of its ends: media/control.py and media/client.py."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media import framing
from media.client import WorkerClient, WorkerGoneError
from media.control import Control
from media.messages import (
    Done,
    Event,
    Held,
    ListHeld,
    Measure,
    Measured,
    PublicationFlowing,
    Refused,
    Reply,
    Request,
    RequestKeyFrame,
    TransportChanged,
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def handle(request: Request) -> Reply:
    match request:
        case Measure():
            return Measured({"packets_in": 7.0})
        case ListHeld():
            return Held((), (), (), ())
        case RequestKeyFrame(publication_id="broken"):
            raise RuntimeError("a bug")
        case _:
            return Done()


class Bench:
    def __init__(self, control: Control, path: Path, clock: Clock) -> None:
        self.control, self.path, self.clock = control, path, clock


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    clock = Clock()
    control = Control(handle, clock)
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:  # Unix socket paths are short
        path = Path(folder) / "worker-0.sock"
        await control.listen(path)
        yield Bench(control, path, clock)
        await control.close()


async def test_every_request_gets_its_own_reply(bench: Bench) -> None:
    client = await WorkerClient.connect(bench.path)
    replies = await asyncio.gather(
        client.request(Measure()), client.request(ListHeld()), client.request(RequestKeyFrame("p"))
    )
    assert list(replies) == [Measured({"packets_in": 7.0}), Held((), (), (), ()), Done()]
    await client.close()


async def test_events_arrive_in_order_and_end_with_the_worker(bench: Bench) -> None:
    client = await WorkerClient.connect(bench.path)
    await client.request(ListHeld())
    told: list[Event] = [
        TransportChanged("t", "connected"),
        PublicationFlowing("t-0", "opus"),
        TransportChanged("t", "lost"),
    ]
    for event in told:
        bench.control.tell(event)
    await client.request(ListHeld())
    await bench.control.close()
    assert [event async for event in client.events()] == told
    assert client.gone


async def test_a_request_fails_at_once_when_the_worker_is_gone(bench: Bench) -> None:
    client = await WorkerClient.connect(bench.path)
    await client.request(ListHeld())
    await bench.control.close()
    with pytest.raises(WorkerGoneError):
        await client.request(Measure())


async def test_a_new_server_supersedes_the_old_one(bench: Bench) -> None:
    old = await WorkerClient.connect(bench.path)
    await old.request(ListHeld())
    new = await WorkerClient.connect(bench.path)
    assert await new.request(Measure()) == Measured({"packets_in": 7.0})
    assert [event async for event in old.events()] == []
    bench.control.tell(TransportChanged("t", "closed"))
    assert await anext(new.events()) == TransportChanged("t", "closed")
    await new.close()


async def test_a_worker_knows_how_long_it_has_been_alone(bench: Bench) -> None:
    bench.clock.now += 5
    assert bench.control.alone_for(bench.clock.now) == 5
    client = await WorkerClient.connect(bench.path)
    await client.request(ListHeld())
    assert bench.control.alone_for(bench.clock.now + 60) == 0
    await client.close()
    while bench.control.alone_for(bench.clock.now + 1) == 0:
        await asyncio.sleep(0)
    assert bench.control.alone_for(bench.clock.now + 31) == 31


async def test_a_bug_in_one_request_is_refused_and_the_next_is_served(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    client = await WorkerClient.connect(bench.path)
    reply = await client.request(RequestKeyFrame("broken"))
    assert isinstance(reply, Refused)
    assert reply.code == "internal"
    assert "a bug" in caplog.text
    assert await client.request(RequestKeyFrame("whole")) == Done()
    await client.close()


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff\xff",
        b"\0\0\0\x02xx",
        b"\0\0\0\x02[]",
        framing.pack({"type": "Surprise"}),
        framing.pack({"id": 1}),
    ],
)
async def test_a_connection_that_speaks_something_else_is_closed(bench: Bench, frame: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(str(bench.path))
    writer.write(frame)
    assert await reader.read() == b""
    writer.close()
