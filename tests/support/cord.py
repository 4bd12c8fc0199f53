"""A TCP port before a server that can be pulled out: as behind a dead router, bytes wait and nobody is told."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

from tests.support.link import Address

_AT_ONCE = 65536  # bytes


class Cord:
    """`async with Cord(("127.0.0.1", port)) as cord:` — `cord.address` stands for the server."""

    def __init__(self, target: Address) -> None:
        self._target = target
        self._plugged = asyncio.Event()
        self._plugged.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._joined, self._target[0], 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def address(self) -> Address:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()
        return host, port

    def pull(self) -> None:
        self._plugged.clear()

    def plug(self) -> None:
        self._plugged.set()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError), contextlib.closing(writer):
            await self._plugged.wait()
            there, back = await asyncio.open_connection(*self._target)
            with contextlib.closing(back):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pass(reader, back))
                    group.create_task(self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while some := await reader.read(_AT_ONCE):
                await self._plugged.wait()
                writer.write(some)
                await writer.drain()
            writer.write_eof()
