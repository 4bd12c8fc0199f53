"""Where a worker meets the world: UDP and TCP sockets, the clock, the recorder's socket and the control socket.

Everything else in this folder is bytes in, bytes out; here is what waits. One event loop, one thread: nothing that
takes long may run in this process (design section 2).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from media.candidates import candidates, hosts
from media.certificate import Certificate
from media.control import Control
from media.garbage import Garbage
from media.handover import Receiver, mark
from media.messages import Reply, Request
from media.recorder_feed import RecorderFeed
from media.recording_link import LinkError
from media.recvmmsg import Inlet, inlet_for
from media.relay_sockets import RelaySockets
from media.sendmmsg import Batch, batch_for
from media.tcp import TcpBatch
from media.tcp_door import TcpDoor
from media.worker import CALM, TICK, TICKS_PER_SECOND, Worker

SOCKET_BUFFER = 4 * 1024 * 1024  # bytes; a key frame to 200 viewers is 8 MB, of which half is on its way meanwhile
RECORDER_UNSENT = 1024 * 1024  # bytes in the connection's own buffer; beyond, the feed keeps and bounds them
RECONNECT = 0.2  # seconds
ALONE = 30.0  # seconds a worker goes on without a server
PROMPT = 0.003  # seconds: what was taken in so soon came now

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Local:
    """A UDP socket, or one that listens for TCP, and the address browsers reach it by.

    That is "0.0.0.0" or "::" if the announced addresses have to say it.
    """

    sock: socket.socket
    host: str


class Endpoint:
    """Runs one worker until `stop`, or until no server has been there for 30 s."""

    def __init__(
        self,
        locals_: Sequence[Local],
        announced: Sequence[str],
        port: int,
        listeners: Sequence[Local] = (),
        handed: Sequence[tuple[str, int]] = (),
        number: int = 0,
    ) -> None:
        """`locals_` are its UDP sockets, `listeners` those for TCP, all of the same `port`.

        `handed` is where else, by TCP, browsers reach the process that hands connections over to worker `number`.
        """
        for local in locals_:
            _prepare(local.sock)
        self._sockets = [local.sock for local in locals_]
        batches: list[Batch] = [batch_for(sock) for sock in self._sockets]
        tcp = TcpBatch(time.monotonic)
        self.worker = Worker(
            Certificate.generate(),
            candidates(_hosts(locals_, announced), _hosts(listeners, announced), port, handed),
            [*batches, tcp],
            tell=lambda event: self.control.tell(event),
            wall_offset=time.time() - time.monotonic(),
            ufrag_mark=mark(number),
        )
        self._door = TcpDoor([it.sock for it in listeners], tcp, len(batches), self.worker, self._flush_link)
        self.control = Control(lambda request: self._handle(request), time.monotonic)
        self._link: RecorderLink | None = None
        self._relay = RelaySockets(self.worker.relay, self.worker.flush)
        self._stopped = False

    async def run(
        self,
        control_path: str,
        recorder_path: str | None,
        relay_path: str | None = None,
        handover_path: str | None = None,
    ) -> None:
        """Serve until stopped or left alone, then say goodbye to the browsers.

        Other workers of this machine pull tracks at `relay_path`; without one there is no way between them.
        """
        loop = asyncio.get_running_loop()
        if relay_path is not None:
            await self._relay.listen(relay_path)
        await self.control.listen(control_path)
        for via, sock in enumerate(self._sockets):
            loop.add_reader(sock, self._drain, inlet_for(sock, via))
        self._door.open()
        handover = None
        if handover_path is not None:
            handover = Receiver(handover_path, lambda sock: self._door.take(sock, time.monotonic()))
            handover.open()
        tasks = []
        if recorder_path is not None:
            self._link = RecorderLink(self.worker.recorder_feed, recorder_path)
            tasks.append(asyncio.create_task(self._link.run()))
        ticks, passed = 0, 1
        garbage = Garbage(time.monotonic())
        try:
            while not self._stopped:
                started = time.monotonic()
                self.worker.tick(started, passed)
                ticks += passed
                if ticks >= TICKS_PER_SECOND:
                    ticks = 0
                    self._door.tick(started)
                self._flush_link()
                garbage.tick(started, self.worker.transports)
                if self.control.alone_for(started) > ALONE:
                    log.warning("no server for %d s: this worker ends", ALONE)
                    break
                passed = CALM if self.worker.calm else 1
                # Not a wait for `_stopped` with a timeout, which costs half as much again at each tick.
                await asyncio.sleep(max(0.001, started + passed * TICK - time.monotonic()))
        finally:
            garbage.close()
            for sock in self._sockets:
                loop.remove_reader(sock)
            if handover is not None:
                handover.close()
            self.worker.close()
            self._door.close()
            self._flush_link()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._relay.close()
            await self.control.close()

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stopped = True

    def _handle(self, request: Request) -> Reply:
        now = time.monotonic()
        reply = self.worker.handle(request, now)
        self.worker.flush(now)
        return reply

    def _drain(self, inlet: Inlet) -> None:
        """A socket is readable. What came together goes on together, see fanout.py."""
        receive = self.worker.receive
        found = inlet.read()
        now = time.monotonic()
        if found and inlet.waited(0) > PROMPT:
            for number, (data, path) in enumerate(found):
                receive(data, path, now, inlet.waited(number))
        else:
            for data, path in found:
                receive(data, path, now)
        self.worker.flush(now)
        self._flush_link()

    def _flush_link(self) -> None:
        if self._link is not None:
            self._link.flush()


class RecorderLink:
    """The connection to the recorder: made again whenever it is lost, while the feed keeps what is to be sent."""

    def __init__(self, feed: RecorderFeed, path: str) -> None:
        self._feed = feed
        self._path = path
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Keep a connection for as long as this runs."""
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._path)
            except OSError:
                await asyncio.sleep(RECONNECT)
                continue
            try:
                writer.write(self._feed.connected())
                self._writer = writer
                self.flush()
                while data := await reader.read(65536):
                    self._feed.receive(data)
            except (ConnectionError, LinkError) as error:
                log.warning("recorder connection lost: %s", error)
            finally:
                self._writer = None
                writer.close()
            self._feed.disconnected()
            await asyncio.sleep(RECONNECT)

    def flush(self) -> None:
        """Hand over what the feed has, unless the recorder is slow: then it stays in the feed, which is bounded."""
        writer = self._writer
        if writer is None or writer.is_closing() or writer.transport.get_write_buffer_size() >= RECORDER_UNSENT:
            return
        data = self._feed.take()
        if data:
            writer.write(data)


def _hosts(locals_: Sequence[Local], announced: Sequence[str]) -> list[str]:
    return hosts(announced, [local.host for local in locals_]) if locals_ else []


def _prepare(sock: socket.socket) -> None:
    sock.setblocking(False)
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER)
