"""The worker's end of its control socket: framing around `handle(message) -> reply`, and events to whoever listens.

One server process at a time: a new connection supersedes the old one, because a restarted server must not wait for the
kernel to notice that its predecessor died. Events with no server to hear them are dropped; a server that comes asks
`ListHeld` first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import typing
from collections.abc import Callable
from pathlib import Path

from media import framing
from media.messages import Event, Message, Refused, Reply, Request, WireError, from_wire, to_wire

MAX_UNSENT = 8 * 1024 * 1024  # bytes; a server that reads so little is stuck and is better off asking anew

log = logging.getLogger(__name__)


class Control:
    """Listens at a path and carries requests to `handle`. `clock` gives seconds, monotonic."""

    def __init__(self, handle: Callable[[Request], Reply], clock: Callable[[], float]) -> None:
        self._handle = handle
        self._clock = clock
        self._writer: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None
        self._alone_since = clock()

    async def listen(self, path: str | Path) -> None:
        """Start to accept connections at `path`; a socket file left there by a dead worker is replaced."""
        Path(path).unlink(missing_ok=True)  # noqa: ASYNC240 - once, at start
        self._server = await asyncio.start_unix_server(self._serve, str(path))

    async def close(self) -> None:
        """Stop listening and end the connection. Closing twice is harmless."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._server is not None:
            self._server.close()
            self._server = None

    def alone_for(self, now: float) -> float:
        """Seconds since a server was last connected; 0 while one is."""
        return 0.0 if self._writer is not None else now - self._alone_since

    def tell(self, event: Event) -> None:
        """Send an event to the server, if there is one."""
        if self._writer is not None:
            self._send(self._writer, to_wire(event))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = writer
        try:
            while (value := await framing.read(reader)) is not None:
                if self._writer is not writer:
                    break
                number = value.pop("id", None)
                self._send(writer, {"re": number, **to_wire(self._reply(from_wire(value)))})
        except (framing.FramingError, WireError) as error:
            log.warning("control connection closed: %s", error)
        finally:
            if self._writer is writer:
                self._writer = None
                self._alone_since = self._clock()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def _reply(self, message: Message) -> Reply:
        if not isinstance(message, typing.get_args(Request)):
            raise WireError(f"{type(message).__name__} is no request")
        try:
            return self._handle(typing.cast(Request, message))
        except Exception:  # a bug in one request must not end the lessons of all the others
            log.exception("request %s failed", type(message).__name__)
            return Refused("internal", f"{type(message).__name__} failed; the worker's log says why")

    def _send(self, writer: asyncio.StreamWriter, value: dict[str, object]) -> None:
        if writer.transport.get_write_buffer_size() > MAX_UNSENT:
            log.warning("control connection closed: the server does not read")
            writer.transport.abort()
            return
        if not writer.is_closing():
            writer.write(framing.pack(value))
