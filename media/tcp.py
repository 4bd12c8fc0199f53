"""Browsers that reach us by TCP only (ICE-TCP, RFC 6544): their connections, and the batch that sends to all of them.

To a transport a connection is one more path, and `TcpBatch` one more batch: datagrams are put and flushed as they are
for UDP, and framed on the way. What the kernel does not take at once waits in the connection's backlog, which is
bounded. Who accepts connections and waits until they can be read and written is tcp_door.py.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any

from media.backlog import Backlog
from media.ice import Path
from media.sendmmsg import Batch, Name
from media.stream_framing import Frames

_TCP_NOTSENT_LOWAT = 25
# Bytes the kernel may hold that are not on their way yet: 90 ms of 1.5 Mb/s. The rest waits in the backlog, where it
# can still be dropped; with the kernel's usual megabytes a slow class would be minutes behind before we noticed.
_UNSENT = 16 * 1024


class Connection(Name):
    """A browser's TCP connection, and what is on its way in either direction."""

    __slots__ = ("_closing", "backlog", "frames", "path", "since", "sock")

    def __init__(self, sock: socket.socket, path: Path, now: float) -> None:
        super().__init__(path.address)
        self.sock = sock
        self.path = path
        self.since = now
        self.frames = Frames()
        self.backlog = Backlog()
        self._closing = False  # once everything is sent

    def prepare(self) -> None:
        """Send at once, and only as much as the other end takes."""
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, _UNSENT)

    def close_when_sent(self) -> None:
        self._closing = True

    @property
    def over(self) -> bool:
        """Whether it is to be closed now."""
        return self._closing and not self.backlog

    def send(self) -> int:
        """As much of the backlog as the kernel takes; how many datagrams that completes. Raises OSError."""
        whole = 0
        while self.backlog:
            data = self.backlog.take()
            try:
                count = self.sock.send(data[0] if len(data) == 1 else b"".join(data))
            except BlockingIOError:
                break
            whole += self.backlog.sent(count)
        return whole


class TcpBatch(Batch):
    """Datagrams for all TCP connections of a worker. `clock` gives seconds, monotonic.

    `blocked` is told of connections that did not take everything, and `broken` of those that are to be closed; both
    are called by `flush` and by nothing else.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self.connections: dict[tuple[Any, ...], Connection] = {}  # by the address in their path
        self.blocked: Callable[[Connection], None] = lambda connection: None
        self.broken: Callable[[Connection], None] = lambda connection: None
        self._clock = clock
        self._touched: dict[Connection, None] = {}

    def name(self, address: tuple[Any, ...]) -> Name:
        """The connection; for one that is gone a name under which nothing is sent."""
        return self.connections.get(address) or Name(address)

    def release(self, address: tuple[Any, ...]) -> None:
        connection = self.connections.get(address)
        if connection is not None:
            connection.close_when_sent()
            self._touched[connection] = None

    def put(self, name: Name, start: int, size: int, segment: int) -> None:
        now = self._clock()
        for at in range(start, start + size, segment):
            if not isinstance(name, Connection) or name.address not in self.connections:
                self.failed += 1
            elif name.backlog.put(bytes(self.memory[at : min(at + segment, start + size)]), name.sound, now):
                self._touched[name] = None
            else:
                self.dropped += 1

    def flush(self) -> None:
        self.at = 0
        if self._touched:
            touched, self._touched = self._touched, {}
            for connection in touched:
                self.drain(connection)

    def drain(self, connection: Connection) -> None:
        """What waits for one connection, as far as it goes."""
        try:
            self.sent += connection.send()
        except OSError:
            self.broken(connection)
            return
        if connection.over:
            self.broken(connection)
        elif connection.backlog:
            self.blocked(connection)
