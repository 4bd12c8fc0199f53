"""The server's end of the recorder's control socket."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

from media import framing
from recorder import messages
from recorder.messages import Event, Message, RecordingChanged, Reply, Request


class RecorderGoneError(ConnectionError):
    """The recorder's connection has ended; connect again."""


class RecorderClient:
    """One connection to the recorder. `await RecorderClient.connect(path)`, then `request` and `events`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        # Unbounded, because events are few: a handful per lesson.
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._closed = False
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, path: str | Path) -> RecorderClient:
        """Connect to the control socket at `path`. Raises OSError while no recorder listens there."""
        return cls(*await asyncio.open_unix_connection(str(path)))

    @property
    def closed(self) -> bool:
        return self._closed

    async def request(self, message: Request, timeout: float = 10.0) -> Reply:
        """Ask and wait for the reply, `timeout` seconds at most. Raises RecorderGoneError and TimeoutError."""
        if self._closed:
            raise RecorderGoneError("the recorder's connection has ended")
        number = next(self._ids)
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        try:
            self._writer.write(framing.pack({"id": number, **messages.to_wire(message)}))
            return await asyncio.wait_for(reply, timeout)
        finally:
            del self._waiting[number]

    async def events(self) -> AsyncIterator[Event]:
        """What the recorder tells by itself, until the connection ends."""
        while (event := await self._events.get()) is not None:
            yield event

    async def close(self) -> None:
        """End the connection. Closing twice is harmless."""
        self._writer.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)  # lets a cancellation of our own caller through

    async def _read(self) -> None:
        try:
            while (value := await framing.read(self._reader)) is not None:
                number = value.pop("re", None)
                message: Message = messages.from_wire(value)
                if number is None:
                    if isinstance(message, RecordingChanged):
                        self._events.put_nowait(message)
                elif (waiting := self._waiting.get(number)) and not waiting.done():
                    waiting.set_result(message)  # type: ignore[arg-type]  # a reply, or the pair disagrees altogether
        except (framing.FramingError, messages.WireError):
            pass  # a recorder of another version; ending the connection is all there is to do
        finally:
            self._closed = True
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(RecorderGoneError("the recorder's connection has ended"))
            self._events.put_nowait(None)
            self._writer.close()
