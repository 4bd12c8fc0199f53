"""Accepts TCP connections: some at a time, so that nothing else waits, and not at all while no file is left."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

AT_ONCE = 32  # connections accepted per wake-up
PAUSE = 1.0  # seconds without accepting, after the system has no room for another connection


class Accepting:
    """Gives every connection that comes to one of the `listeners` to `take`, whose it then is."""

    def __init__(self, listeners: Sequence[socket.socket], take: Callable[[socket.socket], None]) -> None:
        self._listeners = listeners
        self._take = take
        self._open = False

    def open(self) -> None:
        """Accept from now on."""
        self._open = True
        for listener in self._listeners:
            listener.setblocking(False)
            self._listen(listener)

    def close(self) -> None:
        """Accept no more; the listeners stay as they are. Closing twice is harmless."""
        if self._open:
            self._open = False
            for listener in self._listeners:
                asyncio.get_running_loop().remove_reader(listener)

    def _listen(self, listener: socket.socket) -> None:
        if self._open and listener.fileno() >= 0:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                return
            except ConnectionError:  # it went away while it waited
                continue
            except OSError:  # no file left: else the loop would try for ever and do nothing else
                loop = asyncio.get_running_loop()
                loop.remove_reader(listener)
                loop.call_later(PAUSE, self._listen, listener)
                return
            self._take(sock)
