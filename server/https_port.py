"""The HTTPS port: TLS for the pages, and ICE-TCP (RFC 6544) for browsers in whose network no other port is open.

Both speak first, so a glance at the first bytes (MSG_PEEK) tells which it is, and takes nothing from them: a framed
STUN check (RFC 4571) names by its ufrag the worker that gets the connection; all else goes to TLS, which knows what to
do with it. A glance waits for nothing that TLS would not have to wait for as well. Who says too little for ten seconds
is dropped, and of those who have not said enough the oldest when there are too many.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from ssl import SSLContext
from typing import Literal

from aiohttp import web

from media import handover
from media.accepting import Accepting
from media.stream_framing import MAX_FRAME
from media.stun import ufrag_of

UNDECIDED = 10.0  # seconds until it must be clear who is there
MAX_UNDECIDED = 1024  # connections of which it is not
_PIECES = 0.05  # seconds between looks at a check that comes in pieces
_TRIES = 20  # at giving a connection to a worker that has many waiting
_LENGTH = 2  # bytes, RFC 4571
_HEADER = _LENGTH + 20
_COOKIE = b"\x21\x12\xa4\x42"

Kind = Literal["tls", "media", "stranger", "no_worker", "silent"]

_log = logging.getLogger("tongke.https")


class HttpsPort(web.BaseSite):
    """A site of aiohttp's that hands over what is not for it. `workers` are the paths they take connections at."""

    __slots__ = ("_accepting", "_count", "_hand", "_sock", "_tasks", "_undecided", "_workers")

    def __init__(
        self,
        runner: web.AppRunner,
        sock: socket.socket,
        context: SSLContext,
        workers: Sequence[Path],
        count: Callable[[Kind], None],
    ) -> None:
        """`count` is told of each connection what it was."""
        super().__init__(runner, ssl_context=context)
        self._count = count
        self._sock = sock
        self._workers = workers
        self._accepting = Accepting([sock], self._take)
        self._hand = handover.sender()
        self._undecided: dict[asyncio.Task[None], None] = {}  # oldest first
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        host, port = self._sock.getsockname()[:2]
        return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"

    async def start(self) -> None:
        await super().start()
        self._accepting.open()

    async def stop(self) -> None:
        await super().stop()
        self._accepting.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._sock.close()
        self._hand.close()

    def _take(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        if len(self._undecided) >= MAX_UNDECIDED:
            next(iter(self._undecided)).cancel()
        task = asyncio.create_task(self._serve(sock))
        self._undecided[task] = None
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._undecided.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a connection to the HTTPS port failed", exc_info=error)

    async def _serve(self, sock: socket.socket) -> None:
        """One connection until TLS or a worker has it, or it is closed."""
        try:
            async with asyncio.timeout(UNDECIDED):
                check = await _first_check(sock)
        except BaseException as error:
            sock.close()
            self._count("silent")
            if isinstance(error, OSError):  # a timeout is one too
                return
            raise
        finally:
            self._undecided.pop(asyncio.current_task(), None)  # type: ignore[arg-type]
        if check is None:
            await self._serve_tls(sock)
        else:
            with sock:
                self._count(await self._hand_over(sock, check))

    async def _serve_tls(self, sock: socket.socket) -> None:
        self._count("tls")
        server = self._runner.server
        if server is None:  # it ends
            sock.close()
            return
        # Handshakes fail for many reasons, and none of them is ours.
        with suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(server, sock, ssl=self._ssl_context)

    async def _hand_over(self, sock: socket.socket, check: bytes) -> Kind:
        """What has become of it."""
        ufrag = ufrag_of(check)
        number = handover.worker_of(ufrag) if ufrag is not None else None
        if number is None or number >= len(self._workers):
            return "stranger"
        for _ in range(_TRIES):
            try:
                handover.hand_over(self._hand, sock, self._workers[number])
            except BlockingIOError:
                await asyncio.sleep(_PIECES)
            except OSError:
                break
            else:
                return "media"
        return "no_worker"


async def _first_check(sock: socket.socket) -> bytes | None:
    """The STUN check a connection begins with; None if it begins with anything else, TLS for one. Takes no byte.

    Raises OSError when the other end has gone.
    """
    while True:
        await _readable(sock)
        try:
            data = sock.recv(_LENGTH + MAX_FRAME, socket.MSG_PEEK)
        except BlockingIOError:
            continue
        if not data:
            raise ConnectionResetError
        if not may_be_check(data):
            return None
        end = _LENGTH + int.from_bytes(data[:_LENGTH], "big")
        if len(data) >= max(end, _HEADER):
            return data[_LENGTH:end]
        await asyncio.sleep(_PIECES)  # what is there stays readable


def may_be_check(data: bytes) -> bool:
    """Whether a connection that begins so may begin with a framed binding request (RFC 8489 section 5)."""
    if data[0] > MAX_FRAME >> 8:  # a TLS record begins with 20 to 23
        return False
    length = int.from_bytes(data[:_LENGTH], "big") if len(data) >= _LENGTH else None
    if length is not None and not _HEADER - _LENGTH <= length <= MAX_FRAME:
        return False
    return b"\x00\x01".startswith(data[2:4]) and _COOKIE.startswith(data[6:10])


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    readable = loop.create_future()
    loop.add_reader(sock, _set, readable)
    try:
        await readable
    finally:
        loop.remove_reader(sock)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
