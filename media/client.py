"""The server's end of a worker's control socket: requests with their replies, and the worker's events.

A client is one connection. When it is lost, every waiting request fails with WorkerGoneError and `events()` ends; the
owner connects again and asks `ListHeld` what the worker still has (signaling/workers.py does).
"""

from __future__ import annotations

import asyncio
import itertools
import typing
from collections.abc import AsyncIterator
from pathlib import Path

from media import framing
from media.messages import Event, Reply, Request, WireError, from_wire, to_wire

MAX_WAITING_EVENTS = 10_000  # a server this far behind no longer knows the worker's state; it must ask again


class WorkerGoneError(ConnectionError):
    """The worker has ended, or another server process has taken it over, or it speaks another protocol."""


class WorkerClient:
    """One connection to one worker. Made by `connect`, ended by `close`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(MAX_WAITING_EVENTS + 1)
        self._gone = False
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, path: str | Path) -> WorkerClient:
        """Connect to the control socket at `path`. Raises OSError while nobody listens there."""
        return cls(*await asyncio.open_unix_connection(str(path)))

    @property
    def gone(self) -> bool:
        """Whether the connection is lost or closed."""
        return self._gone

    async def request(self, message: Request, timeout: float = 5.0) -> Reply:
        """The worker's reply. Raises WorkerGoneError, or TimeoutError after `timeout` seconds."""
        if self._gone:
            raise WorkerGoneError("the worker is gone")
        number = next(self._ids)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._writer.write(framing.pack({"id": number, **to_wire(message)}))
            async with asyncio.timeout(timeout):
                return await future
        finally:
            self._waiting.pop(number, None)

    async def events(self) -> AsyncIterator[Event]:
        """The worker's events in order, for one reader; ends when the connection is gone."""
        while (event := await self._events.get()) is not None:
            yield event

    async def close(self) -> None:
        """End the connection; the worker goes on without us. Closing twice is harmless."""
        self._end()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while (value := await framing.read(self._reader)) is not None:
                number = value.pop("re", None)
                message = from_wire(value)
                if number is not None:
                    future = self._waiting.get(number)
                    if future is not None and not future.done():
                        future.set_result(typing.cast(Reply, message))
                elif self._events.qsize() >= MAX_WAITING_EVENTS:
                    break
                else:
                    self._events.put_nowait(typing.cast(Event, message))
        except (framing.FramingError, WireError):
            pass  # another version of the worker is running; its owner replaces it
        finally:
            self._end()

    def _end(self) -> None:
        if self._gone:
            return
        self._gone = True
        self._writer.close()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(WorkerGoneError("the worker is gone"))
        self._events.put_nowait(None)  # the queue keeps one place free for it
