"""server/https_port.py: pages by TLS and media by framed STUN at one port, over real connections."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from media import handover, stun
from media.stream_framing import framed
from server import https_port, tls
from server.https_port import HttpsPort, may_be_check
from server.settings import Settings


def check(ufrag: str) -> bytes:
    name = f"{ufrag}:peer"
    return framed(stun.request(name, b"p" * 24, secrets.token_bytes(12), priority=1, use_candidate=True))


class House:
    """The port, and two workers that note what they are given."""

    def __init__(self, folder: Path, site: HttpsPort, address: tuple[str, int], counts: Counter[str]) -> None:
        self.address = address
        self.counts = counts
        self.given: list[tuple[int, socket.socket]] = []
        self.came = asyncio.Event()
        self.paths = [folder / f"{number}" for number in range(2)]
        self.workers = [
            handover.Receiver(path, lambda sock, number=number: self._take(number, sock))  # type: ignore[misc]
            for number, path in enumerate(self.paths)
        ]

    def _take(self, number: int, sock: socket.socket) -> None:
        self.given.append((number, sock))
        self.came.set()

    async def arrived(self, count: int = 1) -> None:
        """Wait until the workers have so many connections."""
        async with asyncio.timeout(10):
            while len(self.given) < count:
                self.came.clear()
                await self.came.wait()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.address)

    async def page(self) -> str:
        """By TLS, on a connection of its own."""
        async with aiohttp.ClientSession() as session:
            host, port = self.address
            async with session.get(f"https://{host}:{port}/", ssl=False) as answer:
                return await answer.text()

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        for _, sock in self.given:
            sock.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tongke-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return tls.server_context(Settings(data=tmp_path_factory.mktemp("data")), ["127.0.0.1"])


@pytest.fixture
async def house(folder: Path, context: ssl.SSLContext) -> AsyncIterator[House]:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="a page")

    app = web.Application()
    app.add_routes([web.get("/", hello)])
    runner = web.AppRunner(app)
    await runner.setup()
    counts: Counter[str] = Counter()
    listener = socket.create_server(("127.0.0.1", 0))
    paths = [folder / f"{number}" for number in range(2)]
    site = HttpsPort(runner, listener, context, paths, lambda kind: counts.update([kind]))
    found = House(folder, site, listener.getsockname(), counts)
    for worker in found.workers:
        worker.open()
    await site.start()
    yield found
    await runner.cleanup()
    found.close()


async def closed(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(10):
            return await reader.read() == b""
    except ConnectionError:
        return True


async def test_pages_come_by_tls(house: House) -> None:
    assert await house.page() == "a page"
    assert house.counts == {"tls": 1}


@pytest.mark.parametrize("number", [0, 1])
async def test_a_connection_that_begins_with_a_check_goes_unread_to_the_worker_of_its_ufrag(
    house: House, number: int
) -> None:
    reader, writer = await house.connect()
    begun = check(handover.mark(number) + "abcdefgh")
    writer.write(begun)
    await house.arrived()
    [(given, sock)] = house.given
    assert given == number
    assert sock.getpeername() == writer.get_extra_info("sockname")
    assert sock.recv(4096) == begun
    sock.send(b"from the worker")
    assert await reader.readexactly(15) == b"from the worker"
    writer.close()


async def test_a_check_may_come_in_pieces_of_one_byte(house: House) -> None:
    _, writer = await house.connect()
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    begun = check("1wabcdefgh")
    for at in range(len(begun)):
        writer.write(begun[at : at + 1])
        await writer.drain()
        await asyncio.sleep(0)
    await house.arrived()
    assert house.given[0][0] == 1
    writer.close()


@pytest.mark.parametrize(
    "ufrag", ["7wabcdefgh", "99999wabcdefgh", "abcdefgh", "wabcdefgh", "-1wabcdefgh", "²wabcdefgh"]
)
async def test_a_check_for_no_worker_of_ours_is_closed_and_counted(house: House, ufrag: str) -> None:
    reader, writer = await house.connect()
    writer.write(check(ufrag))
    assert await closed(reader)
    assert house.counts == {"stranger": 1}
    assert not house.given
    writer.close()


async def test_a_check_without_a_name_is_closed_and_counted(house: House) -> None:
    reader, writer = await house.connect()
    writer.write(framed(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)))
    assert await closed(reader)
    assert house.counts == {"stranger": 1}
    writer.close()


async def test_the_connections_of_a_dead_worker_are_closed_and_counted(house: House) -> None:
    house.workers[1].close()
    reader, writer = await house.connect()
    writer.write(check("1wabcdefgh"))
    assert await closed(reader)
    assert house.counts == {"no_worker": 1}
    writer.close()


async def test_a_worker_started_again_takes_connections_at_the_same_place(house: House) -> None:
    house.workers[1].close()
    house.workers[1] = handover.Receiver(house.paths[1], lambda sock: house._take(1, sock))
    house.workers[1].open()
    _, writer = await house.connect()
    writer.write(check("1wabcdefgh"))
    await house.arrived()
    assert house.given[0][0] == 1
    writer.close()


async def test_more_connections_than_wait_for_a_worker_at_once_all_arrive(house: House) -> None:
    writers = [(await house.connect())[1] for _ in range(60)]
    for writer in writers:
        writer.write(check("0wabcdefgh"))
    await house.arrived(len(writers))
    assert house.counts == {"media": 60}
    for writer in writers:
        writer.close()


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"\xff" * 4096,
        b"\x00\x00",
        b"\x00\x10\x00\x01",
        b"\x00\x64\x00\x01\x00\x00\x21\x12\xa4\x43",
        b"\x00\x64\x01\x01\x00\x00",
    ],
)
async def test_what_is_neither_is_left_to_tls_which_refuses_it(
    house: House, begun: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await house.connect()
    writer.write(begun)
    writer.write_eof()
    async with asyncio.timeout(10):
        await reader.read()  # perhaps an alert
    writer.close()
    assert house.counts == {"tls": 1}
    assert await house.page() == "a page"
    assert not caplog.records


async def test_who_says_nothing_or_half_a_check_is_dropped_in_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(https_port, "UNDECIDED", 0.1)
    silent, half = await house.connect(), await house.connect()
    half[1].write(check("0wabcdefgh")[:40])
    assert await closed(silent[0])
    assert await closed(half[0])
    assert house.counts == {"silent": 2}
    silent[1].close()
    half[1].close()


async def test_the_silent_keep_nobody_out(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https_port, "MAX_UNDECIDED", 8)
    silent = [await house.connect() for _ in range(40)]
    assert await house.page() == "a page"
    assert await closed(silent[0][0])
    for _, writer in silent:
        writer.close()


async def test_who_leaves_before_it_is_clear_who_it_was_leaves_nothing_behind(house: House) -> None:
    reader, writer = await house.connect()
    writer.write_eof()
    assert await closed(reader)
    writer.close()
    assert house.counts == {"silent": 1}


def test_a_check_is_told_from_tls_by_any_number_of_bytes() -> None:
    begun = check("0wabcdefgh")
    assert all(may_be_check(begun[:size]) for size in range(1, len(begun) + 1))
    assert not may_be_check(b"\x16")
    assert not may_be_check(b"\x00\x10")  # shorter than a check
    assert not may_be_check(b"\x09\x00")  # longer than any
