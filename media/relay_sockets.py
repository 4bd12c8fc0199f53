"""The Unix sockets of a relay: where other workers come to pull, and the connections to those that are pulled from.

Reading is by protocol and not by stream: what came together is taken in at once, in the loop's own callback, and goes
on to viewers together.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from media.relay import Relay
from media.relay_link import RelayError
from media.relay_origin import Follower
from media.relay_pull import Source

RECONNECT = 0.1  # seconds between tries to reach a worker
BUFFER = 1024 * 1024  # bytes a socket may hold: a key frame of each of 20 cameras

log = logging.getLogger(__name__)


class RelaySockets:
    """`flush` sends what was received on to viewers."""

    def __init__(self, relay: Relay, flush: Callable[[float], None]) -> None:
        self._relay = relay
        self._flush = flush
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, path: str) -> None:
        """Let others pull at `path`; a socket file left there by a dead worker is replaced."""
        Path(path).unlink(missing_ok=True)  # noqa: ASYNC240 - once, at start
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: _FollowerProtocol(self._relay), path)
        self._relay.path = path
        self._relay.dial = self._dial

    async def close(self) -> None:
        """Closing twice is harmless."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _dial(self, source: Source) -> None:
        task = asyncio.get_running_loop().create_task(self._keep(source))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def _keep(self, source: Source) -> None:
        """A connection for as long as anything is pulled from there."""
        loop = asyncio.get_running_loop()
        while not source.empty:
            try:
                transport, protocol = await loop.create_unix_connection(
                    lambda: _SourceProtocol(source, self._flush), source.path
                )
            except OSError:
                await asyncio.sleep(RECONNECT)
                continue
            try:
                await protocol.lost
            finally:
                transport.close()
            await asyncio.sleep(RECONNECT)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a relay connection failed", exc_info=error)


class _FollowerProtocol(asyncio.Protocol):
    """Another worker that pulls from us."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._follower: Follower | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = made = cast(asyncio.Transport, transport)
        _widen(made)
        self._follower = self._relay.follow(made.write, made.get_write_buffer_size)

    def data_received(self, data: bytes) -> None:
        assert self._follower is not None
        assert self._transport is not None
        try:
            self._follower.receive(data, time.monotonic())
        except RelayError as error:
            log.warning("a relay connection is closed: %s", error)
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if self._follower is not None:
            self._relay.leave(self._follower, time.monotonic())


class _SourceProtocol(asyncio.Protocol):
    """A worker that we pull from."""

    def __init__(self, source: Source, flush: Callable[[float], None]) -> None:
        self.lost = asyncio.get_running_loop().create_future()
        self._source = source
        self._flush = flush
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = made = cast(asyncio.Transport, transport)
        _widen(made)
        self._source.connected(self._write)
        self._end_if_empty()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        try:
            self._source.receive(data, now)
        except RelayError as error:
            log.warning("a relay connection is closed: %s", error)
            assert self._transport is not None
            self._transport.abort()
        self._flush(now)
        self._end_if_empty()

    def connection_lost(self, error: Exception | None) -> None:
        self._source.lost()
        if not self.lost.done():
            self.lost.set_result(None)

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)
        self._end_if_empty()

    def _end_if_empty(self) -> None:
        if self._source.empty and self._transport is not None:
            self._transport.close()  # what was written is sent before


def _widen(transport: asyncio.Transport) -> None:
    sock = transport.get_extra_info("socket")
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)
