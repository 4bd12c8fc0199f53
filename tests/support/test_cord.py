"""A cord passes what comes, holds it while it is pulled, and loses nothing."""

import asyncio
import contextlib

from tests.support.cord import Cord


async def test_what_comes_while_the_cord_is_pulled_comes_once_it_is_plugged_in() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            while some := await reader.read(100):
                writer.write(some)

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Cord(server.sockets[0].getsockname()) as cord:
        reader, writer = await asyncio.open_connection(*cord.address)
        with contextlib.closing(writer):
            writer.write(b"first")
            assert await reader.readexactly(5) == b"first"
            cord.pull()
            writer.write(b"second")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    assert await reader.read(1) == b"", "the cord was pulled"
            cord.plug()
            assert await reader.readexactly(6) == b"second"
            writer.write_eof()
            assert await reader.read() == b""
