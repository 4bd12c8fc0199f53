"""Accepts browsers' TCP connections, reads datagrams from them, and ends those that are of no use.

Whoever connects has ten seconds to pass a check (RFC 6544 section 7.2); until then it has a few hundred bytes of our
memory and one of a bounded number of places. A connection whose other end takes nothing for ten seconds is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence

from media.accepting import Accepting
from media.ice import Path
from media.stream_framing import FrameTooLongError
from media.tcp import Connection, TcpBatch
from media.worker import Worker

UNPROVEN = 10.0  # seconds until a connection must have passed a check
MAX_UNPROVEN = 256  # connections that have not; beyond, the oldest goes
MAX_CONNECTIONS = 8192
STALLED = 10.0  # seconds a datagram may wait before nobody believes any more that the other end reads
_PIECE = 64 * 1024  # bytes read per wake-up


class TcpDoor:
    """All TCP connections of one worker."""

    def __init__(
        self, listeners: Sequence[socket.socket], batch: TcpBatch, via: int, worker: Worker, flushed: Callable[[], None]
    ) -> None:
        """`via` is the number of the batch in paths; `flushed` is called after something was received."""
        self._accepting = Accepting(listeners, lambda sock: self.take(sock, time.monotonic()))
        self._batch = batch
        self._via = via
        self._worker = worker
        self._flushed = flushed
        self._counters: Counter[str] = worker.counters
        self._numbers = itertools.count(1)
        self._unproven: dict[Connection, None] = {}  # oldest first
        self._writing: set[Connection] = set()
        batch.blocked = self._blocked
        batch.broken = self._close

    def open(self) -> None:
        """Accept from now on."""
        self._accepting.open()

    def close(self) -> None:
        """End everything. Closing twice is harmless."""
        self._accepting.close()
        for connection in list(self._batch.connections.values()):
            self._close(connection)

    def take(self, sock: socket.socket, now: float) -> None:
        """A connection that was accepted, here or by another process; it is ours from now on."""
        try:
            host, port = sock.getpeername()[:2]
        except OSError:  # gone already
            sock.close()
            return
        if len(self._batch.connections) >= MAX_CONNECTIONS:
            self._counters["dropped_tcp_connections"] += 1
            sock.close()
            return
        connection = Connection(sock, Path(self._via, (host, port, next(self._numbers)), "tcp"), now)
        connection.prepare()
        self._batch.connections[connection.address] = connection
        self._unproven[connection] = None
        self._counters["tcp_connections"] += 1
        if len(self._unproven) > MAX_UNPROVEN:
            self._drop(next(iter(self._unproven)))
        asyncio.get_running_loop().add_reader(sock, self._readable, connection)

    def tick(self, now: float) -> None:
        """Every second or so: end what proved nothing, and what takes nothing."""
        for connection in list(self._unproven):
            if self._worker.knows(connection.path):
                del self._unproven[connection]
            elif now - connection.since > UNPROVEN:
                self._drop(connection)
        for connection in list(self._writing):
            if connection.backlog.behind(now) > STALLED:
                self._counters["dropped_tcp_stalled"] += 1
                self._close(connection)

    def _readable(self, connection: Connection) -> None:
        now = time.monotonic()
        try:
            data = connection.sock.recv(_PIECE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        try:
            datagrams = connection.frames.feed(data)
        except FrameTooLongError:
            self._drop(connection)
            return
        for datagram in datagrams:
            self._worker.receive(datagram, connection.path, now)
        self._worker.flush(now)
        self._flushed()

    def _blocked(self, connection: Connection) -> None:
        if connection not in self._writing:
            self._writing.add(connection)
            asyncio.get_running_loop().add_writer(connection.sock, self._writable, connection)

    def _writable(self, connection: Connection) -> None:
        self._batch.drain(connection)
        if not connection.backlog:
            self._unwatch(connection)

    def _unwatch(self, connection: Connection) -> None:
        if connection in self._writing:
            self._writing.discard(connection)
            asyncio.get_running_loop().remove_writer(connection.sock)

    def _drop(self, connection: Connection) -> None:
        self._counters["dropped_tcp_strangers"] += 1
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        if self._batch.connections.pop(connection.address, None) is None:
            return
        self._unproven.pop(connection, None)
        self._unwatch(connection)
        asyncio.get_running_loop().remove_reader(connection.sock)
        with contextlib.suppress(OSError):
            connection.sock.close()
        self._worker.path_lost(connection.path)
