"""The control socket: requests of the server in, replies and events out. A new connection supersedes the old one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from media import framing
from recorder import messages
from recorder.messages import CloseLesson, Event, Message, Refused, Request, WireError
from recorder.recorder import Recorder

logger = logging.getLogger(__name__)


class Control:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._server: asyncio.Server | None = None
        self._recorder: Recorder | None = None
        self._drain_media: Callable[[], None] = lambda: None
        self._writer: asyncio.StreamWriter | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self, recorder: Recorder, drain_media: Callable[[], None]) -> None:
        """Begin to listen. `drain_media` takes what the workers have sent so far. Raises OSError."""
        self._recorder = recorder
        self._drain_media = drain_media
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self._path))

    def tell(self, event: Event) -> None:
        """Send an event to the server, if one is connected: one that connects later is told the state by itself."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(framing.pack(messages.to_wire(event)))

    async def close(self) -> None:
        """Stop listening and end the connection. Closing twice is harmless."""
        if self._writer is not None:
            self._writer.close()
        if self._server is not None:
            self._server.close()
        if self._serving:
            await asyncio.wait(self._serving, timeout=1)
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._recorder is not None
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        if self._writer is not None:
            self._writer.close()
        self._writer = writer
        for event in self._recorder.states():
            self.tell(event)
        try:
            while (value := await framing.read(reader)) is not None:
                number = value.pop("id", None)
                writer.write(framing.pack({"re": number, **messages.to_wire(self._reply(value))}))
                await writer.drain()
        except (framing.FramingError, WireError) as error:
            logger.warning("the server's connection ends: %s", error)
        except ConnectionError:
            pass  # superseded, or the server is gone
        finally:
            writer.close()
            if self._writer is writer:
                self._writer = None

    def _reply(self, value: dict[str, object]) -> Message:
        assert self._recorder is not None
        request = messages.from_wire(value)
        if not isinstance(request, Request):
            raise WireError(f"{type(request).__name__} is no request")
        try:
            if isinstance(request, CloseLesson):
                self._drain_media()  # the lesson's last words
            return self._recorder.handle(request)
        except Exception:
            # A bug in one lesson must not end the recording of all others.
            logger.exception("%s failed", type(request).__name__)
            return Refused("internal", f"{type(request).__name__} failed; the recorder's log says why")
