"""The asking end of a control socket (framing.py): requests with their replies, and what the other side tells unasked.

A client is one connection. When it is lost, every waiting request fails and `events()` ends; whoever owns it connects
again and asks what the other side still holds. `client.py` has the one for media workers, `recorder/client.py` the
recorder's.
"""

from __future__ import annotations

import asyncio
import itertools
import typing
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from media import framing
from media.wire import WireError

MAX_WAITING_EVENTS = 10_000  # whoever is this far behind no longer knows the other side's state and must ask again

RequestT = TypeVar("RequestT")
ReplyT = TypeVar("ReplyT")
EventT = TypeVar("EventT")


class ControlClient(Generic[RequestT, ReplyT, EventT]):
    """One connection. Made by `connect`, ended by `close`."""

    PATIENCE: ClassVar[float]  # seconds a request waits for its reply
    GONE: ClassVar[type[ConnectionError]]  # raised once the connection is lost

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[ReplyT]] = {}
        self._events: asyncio.Queue[EventT | None] = asyncio.Queue(MAX_WAITING_EVENTS + 1)
        self._gone = False
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, path: str | Path) -> Self:
        """Connect to the control socket at `path`. Raises OSError while nobody listens there."""
        return cls(*await asyncio.open_unix_connection(str(path)))

    @property
    def gone(self) -> bool:
        """Whether the connection is lost or closed."""
        return self._gone

    async def request(self, message: RequestT, timeout: float | None = None) -> ReplyT:
        """The reply. Raises `GONE`, or TimeoutError after `timeout` seconds, `PATIENCE` if not given."""
        if self._gone:
            raise self._lost()
        number = next(self._ids)
        future: asyncio.Future[ReplyT] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._writer.write(framing.pack({"id": number, **self._dump(message)}))
            async with asyncio.timeout(self.PATIENCE if timeout is None else timeout):
                return await future
        finally:
            self._waiting.pop(number, None)

    async def events(self) -> AsyncIterator[EventT]:
        """The other side's events in order, for one reader; ends when the connection is gone."""
        while (event := await self._events.get()) is not None:
            yield event

    async def close(self) -> None:
        """End the connection; the other side goes on without us. Closing twice is harmless."""
        self._end()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)  # lets a cancellation of our own caller through

    def _dump(self, message: RequestT) -> dict[str, Any]:
        raise NotImplementedError

    def _load(self, value: dict[str, Any]) -> object:
        """The message a JSON object stands for. Raises WireError."""
        raise NotImplementedError

    def _lost(self) -> ConnectionError:
        return self.GONE("the control connection is lost")

    async def _read(self) -> None:
        try:
            while (value := await framing.read(self._reader)) is not None:
                number = value.pop("re", None)
                message = self._load(value)
                if number is not None:
                    future = self._waiting.get(number)
                    if future is not None and not future.done():
                        future.set_result(typing.cast(ReplyT, message))
                elif self._events.qsize() >= MAX_WAITING_EVENTS:
                    break
                else:
                    self._events.put_nowait(typing.cast(EventT, message))
        except (framing.FramingError, WireError):
            pass  # another version is running there; its owner replaces it
        finally:
            self._end()

    def _end(self) -> None:
        if self._gone:
            return
        self._gone = True
        self._writer.close()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._lost())
        self._events.put_nowait(None)  # the queue keeps one place free for it
