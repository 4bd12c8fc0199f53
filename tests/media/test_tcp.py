"""media/tcp.py and media/tcp_door.py over real connections on the loopback interface."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable

import pytest

from media import stun, tcp_door
from media.answer import candidate
from media.messages import Answer, Answered, Event
from media.stream_framing import Frames, framed
from media.tcp import TcpBatch
from media.tcp_door import MAX_UNPROVEN, STALLED, UNPROVEN, TcpDoor
from media.worker import Worker
from tests.bench import offers
from tests.support.flow import BROWSER, SERVER, Collected

pytestmark = pytest.mark.usefixtures("either_way")


class House:
    """A worker with nothing but a TCP port."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.batch = TcpBatch(time.monotonic)
        self.events: list[Event] = []
        self.worker = Worker(SERVER, [candidate("127.0.0.1", 9, 0)], [Collected(), self.batch], self.events.append, 0.0)
        self.door = TcpDoor([self.listener], self.batch, 1, self.worker, lambda: None)

    async def connect(self) -> Caller:
        reader, writer = await asyncio.open_connection(*self.listener.getsockname())
        return Caller(reader, writer)

    def remote(self, name: str = "class") -> offers.Remote:
        credentials = offers.Credentials("peer", "p" * 24, BROWSER.fingerprint)
        reply = self.worker.handle(Answer(name, "receive", offers.watching(credentials, 1, 1)), time.monotonic())
        assert isinstance(reply, Answered)
        return offers.remote(reply.answer)

    def dropped(self, reason: str) -> int:
        return self.worker.counters[f"dropped_{reason}"]


class Caller:
    """The browser's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._frames = Frames()
        self._came: list[bytes] = []

    def send(self, datagram: bytes) -> None:
        self.writer.write(framed(datagram))

    async def receive(self) -> bytes:
        while not self._came:
            data = await self.reader.read(65536)
            if not data:
                raise EOFError
            self._came += self._frames.feed(data)
        return self._came.pop(0)

    async def check(self, remote: offers.Remote) -> None:
        """Pass a check by this connection."""
        name, key = f"{remote.ufrag}:peer", remote.pwd.encode()
        self.send(stun.request(name, key, secrets.token_bytes(12), priority=1, use_candidate=True))
        reply = stun.parse(await self.receive())
        assert reply is not None
        assert reply.type == stun.BINDING_RESPONSE
        assert reply.is_signed_with(key)

    async def closed(self) -> bool:
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                await self.receive()
        return True


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    house.door.open()
    yield house
    house.worker.close()
    house.door.close()
    house.listener.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_check_by_tcp_is_answered_and_makes_the_connection_a_path(house: House) -> None:
    remote = house.remote()
    caller = await house.connect()
    await caller.check(remote)
    transport = house.worker._transports["class"]
    assert transport.protocol == "tcp"
    assert list(transport.ice.paths) == list(house.worker._by_path)


async def test_a_connection_that_ends_is_no_path_any_more_and_the_next_one_is(house: House) -> None:
    remote = house.remote()
    caller = await house.connect()
    await caller.check(remote)
    caller.writer.close()
    await until(lambda: not house.worker._by_path)
    assert not house.batch.connections
    again = await house.connect()
    await again.check(remote)
    assert house.worker._transports["class"].protocol == "tcp"


async def test_a_transport_that_is_closed_closes_its_connections(house: House) -> None:
    caller = await house.connect()
    await caller.check(house.remote())
    house.worker._forget(house.worker._transports["class"])
    house.worker.flush(time.monotonic())
    assert await caller.closed()


async def test_who_passes_no_check_in_ten_seconds_is_shown_the_door(house: House) -> None:
    proven, stranger = await house.connect(), await house.connect()
    await proven.check(house.remote())
    await until(lambda: len(house.batch.connections) == 2)
    house.door.tick(time.monotonic() + UNPROVEN + 1)
    assert await stranger.closed()
    assert house.dropped("tcp_strangers") == 1
    assert len(house.batch.connections) == 1


async def test_of_too_many_strangers_the_oldest_goes(house: House) -> None:
    callers = [await house.connect() for _ in range(MAX_UNPROVEN + 1)]
    await until(lambda: house.dropped("tcp_strangers") == 1)
    assert len(house.batch.connections) == MAX_UNPROVEN
    assert await callers[0].closed()
    for caller in callers:
        caller.writer.close()


async def test_beyond_the_bound_nobody_gets_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_door, "MAX_CONNECTIONS", 1)
    first = await house.connect()
    await until(lambda: len(house.batch.connections) == 1)
    second = await house.connect()
    assert await second.closed()
    assert house.dropped("tcp_connections") == 1
    await first.check(house.remote())


@pytest.mark.parametrize(
    "junk", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00" + bytes(512), b"\x23\x28" + bytes(9000)]
)
async def test_who_speaks_another_protocol_is_shown_the_door_at_once(house: House, junk: bytes) -> None:
    caller = await house.connect()
    caller.writer.write(junk)
    assert await caller.closed()
    assert house.dropped("tcp_strangers") == 1


async def test_datagrams_of_no_use_are_counted_and_disturb_nobody(house: House) -> None:
    remote = house.remote()
    caller = await house.connect()
    caller.send(b"\x16")  # one byte
    caller.send(b"\x16\xfe\xfd" + bytes(100))  # a handshake before any check
    caller.send(b"\x80\x60" + bytes(60))
    caller.send(stun.request("nobody:peer", b"x", bytes(12), priority=1, use_candidate=True))
    caller.send(stun.request(f"{remote.ufrag}:peer", b"x" * 24, bytes(12), priority=1, use_candidate=True))
    refusal = stun.parse(await caller.receive())
    assert refusal is not None
    assert refusal.type == stun.BINDING_ERROR
    assert house.dropped("unknown_protocol") == 1
    assert house.dropped("unknown_source") == 2
    assert house.dropped("stun_unknown") == house.dropped("stun_refused") == 1
    await caller.check(remote)


async def test_a_reader_that_stops_costs_a_bounded_memory_and_after_ten_seconds_its_connection(house: House) -> None:
    remote = house.remote()
    caller, other = await house.connect(), await house.connect()
    await caller.check(remote)
    await other.check(house.remote("other"))
    name = house.batch.name(next(iter(house.worker._transports["class"].ice.paths)).address)
    caller.reader._transport.pause_reading()  # type: ignore[attr-defined]
    packet = b"\x80\x60" + bytes(1000)
    async with asyncio.timeout(20):
        while house.batch.dropped < 1000:
            for number in range(100):
                house.batch.send(name, packet[:4] + number.to_bytes(4, "big") + packet[8:])
            house.batch.flush()
            await asyncio.sleep(0)
    (slow,) = house.door._writing
    assert slow.backlog.size < 1 << 20
    await other.check(house.remote("other"))  # others notice nothing
    house.door.tick(time.monotonic() + STALLED + 1)
    assert house.dropped("tcp_stalled") == 1
    assert slow.address not in house.batch.connections


async def test_a_reader_that_goes_on_gets_whole_datagrams_in_order(house: House) -> None:
    caller = await house.connect()
    await caller.check(house.remote())
    name = house.batch.name(next(iter(house.worker._transports["class"].ice.paths)).address)
    caller.reader._transport.pause_reading()  # type: ignore[attr-defined]
    number = 0
    async with asyncio.timeout(20):
        while not house.door._writing:
            house.batch.send(name, b"\x16\xfe\xfd" + number.to_bytes(4, "big") + bytes(1000))
            house.batch.flush()
            number += 1
    caller.reader._transport.resume_reading()  # type: ignore[attr-defined]
    sent = number - house.batch.dropped
    for expected in range(sent):
        assert int.from_bytes((await caller.receive())[3:7], "big") == expected
