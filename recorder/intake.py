"""The socket media workers send to: framed RTP of `media/recording_link.py`, handed to the recorder packet by packet.

Nobody watches a recording live, so the socket is looked at four times a second at most instead of at every packet:
waking up costs more than all that is done with the packet. What waits meanwhile is kept well below the socket's
buffer by looking sooner the faster it comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from media.recording_link import MAX_FRAME, Frame, FrameType, LinkError, pack
from recorder.levels import SILENT
from recorder.recorder import Feed, Recorder

REST_S = 0.25  # between two looks at the socket, when little comes
# Bytes to find at a look. A Unix socket counts what its pieces occupy, so of packets sent one by one it holds some
# 100 kB, and wakes a sender it has made wait only when three quarters are taken.
_AIM = 40 * 1024
_MEMORY_S = 0.5  # over which the rate is taken: packets come in bursts, and between two there is nothing
_READ = 64 * 1024  # bytes; larger blocks would be mapped into memory and out of it each time
_TURN = 1024 * 1024  # bytes, then others have their turn
_DRAIN_TURNS = 16  # at once, when a lesson is closed; a worker that sends on and on must not hold it up
_LEAVE_S = 15  # after its worker is gone a track is ended; a worker that comes back does so within 10 s

_HEAD = struct.Struct("!IBI")
# The frame's head, the arrival time and the RTP header (RFC 3550 5.1) in one go.
_PACKET = struct.Struct("!IBIQBBHII")

# One-byte header (RFC 8285) of the audio level (RFC 6464): the worker puts it first, as extension 1.
_LEVEL = 0x10

logger = logging.getLogger(__name__)


class Intake:
    """Listens at `path`; create it within a running loop."""

    def __init__(self, path: Path, recorder: Recorder) -> None:
        self._path = path
        self._recorder = recorder
        self._links: set[Link] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen. Raises OSError."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.setblocking(False)
        self._path.unlink(missing_ok=True)
        listener.bind(str(self._path))
        listener.listen(16)
        self._task = asyncio.create_task(self._accept(listener))

    def drain(self) -> None:
        """Take what is in the sockets now, before recordings are closed."""
        for link in list(self._links):
            for _ in range(_DRAIN_TURNS):
                if link.take() < _TURN:
                    break

    async def close(self) -> None:
        """Stop listening and end the connections. Closing twice is harmless."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for link in list(self._links):
            link.close()
        self._path.unlink(missing_ok=True)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                connection, _ = await loop.sock_accept(listener)
                connection.setblocking(False)
                link = Link(connection, self._recorder, loop, self._links.discard)
                self._links.add(link)
                link.look()


class Link:
    """One worker's connection."""

    def __init__(
        self,
        connection: socket.socket,
        recorder: Recorder,
        loop: asyncio.AbstractEventLoop,
        on_end: Callable[[Link], None],
    ) -> None:
        self._socket = connection
        self._recorder = recorder
        self._loop = loop
        self._on_end = on_end
        self._feeds: dict[int, Feed] = {}
        self._rest = b""
        self._looked = loop.time()
        self._rate = 0.0  # bytes per second, of late
        self._closed = False

    def look(self) -> None:
        """Take what has come and come back in a while."""
        if self._closed:
            return
        taken = self.take()
        if not self._closed:
            now = self._loop.time()
            passed, self._looked = max(1e-4, now - self._looked), now
            self._rate += (taken / passed - self._rate) * min(1.0, passed / _MEMORY_S)
            self._loop.call_later(0 if taken >= _TURN else min(REST_S, _AIM / max(1.0, self._rate)), self.look)

    def take(self) -> int:
        """Take what has come; gives how many bytes that was."""
        taken = 0
        try:
            while taken < _TURN:
                data = self._socket.recv(_READ)
                if not data:
                    self.close()
                    break
                taken += len(data)
                self._rest = self._frames(self._rest + data if self._rest else data)
                if len(data) < _READ:
                    break  # that was all
        except BlockingIOError:
            pass
        except (LinkError, OSError) as error:
            logger.warning("a media worker's connection ends: %s", error)
            self.close()
        return taken

    def close(self) -> None:
        """End the connection; its tracks wait a while for the worker to come back. Harmless when repeated."""
        if self._closed:
            return
        self._closed = True
        self._socket.close()
        self._on_end(self)
        for feed in self._feeds.values():
            self._loop.call_later(_LEAVE_S, feed.leave, time.time_ns() // 1000)

    def _frames(self, data: bytes) -> bytes:
        """Hand on the frames in `data`; gives the beginning of one at its end. Raises LinkError."""
        at, size = 0, len(data)
        feeds = self._feeds
        unpack = _PACKET.unpack_from
        while size - at >= 29:
            length, kind, handle, arrival_us, first, second, sequence, timestamp, ssrc = unpack(data, at)
            end = at + 4 + length
            if end > size:
                if length > MAX_FRAME:
                    raise LinkError(f"a frame of {length} bytes")
                return data[at:]
            if kind != 2 or length < 25:
                at = self._frame(data, at)
                continue
            begin = at + 29
            at = end
            level = SILENT
            feed = feeds.get(handle)
            if feed is None:
                continue
            if first & 0x3F:  # padding, extension, contributing sources
                begin += (first & 0x0F) * 4
                if first & 0x10 and begin + 8 <= end:
                    if data[begin + 4] == _LEVEL:
                        level = data[begin + 5]
                    begin += 4 + 4 * (data[begin + 2] << 8 | data[begin + 3])
                if first & 0x20:
                    end -= data[end - 1]
            feed.packet(arrival_us, sequence, timestamp, ssrc, second > 127, data[begin:end], level)
        while size - at >= _HEAD.size:  # what is left holds no packet, but perhaps the end of a track
            length = _HEAD.unpack_from(data, at)[0]
            if at + 4 + length > size:
                break
            at = self._frame(data, at)
        return data[at:]

    def _frame(self, data: bytes, at: int) -> int:
        """Take a frame that is no packet; gives where the next one begins. Raises LinkError."""
        length, kind, handle = _HEAD.unpack_from(data, at)
        if not 5 <= length <= MAX_FRAME:
            raise LinkError(f"a frame of {length} bytes")
        end = int(at + 4 + length)
        try:
            frame = Frame(FrameType(kind), handle, data[at + _HEAD.size : end])
        except ValueError as error:
            raise LinkError(f"a frame of type {kind}") from error
        if frame.type is FrameType.TRACK:
            self._feeds[handle] = self._recorder.feed(frame.track(), partial(self._ask_key_frame, handle))
        elif frame.type is FrameType.RTP:
            raise LinkError("an RTP frame without a packet")
        elif feed := self._feeds.get(handle):
            if frame.type is FrameType.REPORT:
                feed.report(frame.report())
            elif frame.type is FrameType.END:
                del self._feeds[handle]
                feed.end()
        return end

    def _ask_key_frame(self, handle: int) -> None:
        if not self._closed:
            # A worker that does not read misses a request; the track asks again.
            with contextlib.suppress(OSError):
                self._socket.send(pack(FrameType.KEYFRAME, handle))
