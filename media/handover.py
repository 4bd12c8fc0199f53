"""How the server process hands a worker the TCP connections of browsers for which only the HTTPS port is open.

One datagram on a Unix socket, with the connection as ancillary data (SCM_RIGHTS); nothing of it has been read. Whose it
is stands in our ufrag, which begins with the worker's number: so the server process keeps no list of transports, and
one that was started again knows them all.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

_END = "w"  # of the number in a ufrag
_DIGITS = 4
_AT_ONCE = 32  # connections taken per wake-up
_WORD = b"c"  # a datagram has to say something


def mark(number: int) -> str:
    """What ufrags of this worker begin with."""
    return f"{number}{_END}"


def worker_of(ufrag: str) -> int | None:
    """The number of the worker a ufrag came from; None if it is none of ours."""
    number, end, _ = ufrag.partition(_END)
    if not end or len(number) > _DIGITS or not (number.isascii() and number.isdecimal()):
        return None
    return int(number)


def hand_over(by: socket.socket, sock: socket.socket, path: str | Path) -> None:
    """Send `sock` to the worker that listens at `path`; the caller closes its own end of it. `by`: see `sender`.

    Raises BlockingIOError while the worker has too many waiting, and OSError when it is gone.
    """
    # Not socket.send_fds(), which leaves out the address.
    connection = struct.pack("@i", sock.fileno())
    by.sendmsg([_WORD], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, connection)], 0, str(path))


def sender() -> socket.socket:
    """A socket to hand over by."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.setblocking(False)
    return sock


class Receiver:
    """The worker's end: gives what comes to `take`, whose it then is."""

    def __init__(self, path: str | Path, take: Callable[[socket.socket], None]) -> None:
        """Listens at `path`; a socket file left there by a dead worker is replaced."""
        Path(path).unlink(missing_ok=True)
        self._take = take
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._sock.bind(str(path))

    def open(self) -> None:
        asyncio.get_running_loop().add_reader(self._sock, self._readable)

    def close(self) -> None:
        """Closing twice is harmless."""
        if self._sock.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                _, descriptors, _, _ = socket.recv_fds(self._sock, 16, 1)
            except OSError:  # nothing more, or no file left for what came
                return
            for descriptor in descriptors:
                try:
                    sock = socket.socket(fileno=descriptor)
                except OSError:  # not a socket at all
                    with contextlib.suppress(OSError):
                        os.close(descriptor)
                    continue
                self._take(sock)
