"""What waits for one TCP connection whose other end reads slowly: bounded in time and in bytes.

A TCP connection delivers everything, late if it must be; a lesson would fall minutes behind. So pictures that would
come too late are dropped here, from a packet on to the end of its frame, for half a frame helps nobody; sound, which
is small, waits a little longer; STUN, DTLS and RTCP are dropped only when memory must end. Packets are protected, but
their RTP headers can be read. No socket and no clock in here: `now` is seconds, monotonic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Set

from media.rtp import is_rtcp
from media.stream_framing import framed

PICTURE_BEHIND = 0.5  # seconds; a class that sees the lesson later than this had better see less of it
SOUND_BEHIND = 1.0  # seconds; what comes later no jitter buffer of a page takes in
MOST = 512 * 1024  # bytes: half a second of 8 Mb/s, or the largest key frame three times


class Backlog:
    """See above."""

    __slots__ = ("_queue", "_skipping", "size")

    def __init__(self) -> None:
        self.size = 0  # bytes that wait
        self._queue: deque[tuple[float, bytes]] = deque()  # when it came, and the framed datagram or the rest of one
        self._skipping: dict[int, int] = {}  # SSRC -> timestamp of the frame whose rest is not wanted any more

    def __len__(self) -> int:
        return len(self._queue)

    def behind(self, now: float) -> float:
        """How many seconds the oldest datagram has waited."""
        return now - self._queue[0][0] if self._queue else 0.0

    def put(self, datagram: bytes, sound: Set[int], now: float) -> bool:
        """Take a datagram, or drop it and say False. `sound` are the SSRCs of what can be heard."""
        if len(datagram) >= 12 and 128 <= datagram[0] <= 191 and not is_rtcp(datagram):
            if not self._wanted(datagram, sound, now):
                return False
        elif self.size >= MOST:
            return False
        data = framed(datagram)
        self._queue.append((now, data))
        self.size += len(data)
        return True

    def take(self, most: int = 64 * 1024) -> list[bytes]:
        """The oldest data, about `most` bytes of it; they stay until they are `sent`."""
        found, size = [], 0
        for _, data in self._queue:
            found.append(data)
            size += len(data)
            if size >= most:
                break
        return found

    def sent(self, count: int) -> int:
        """The connection took `count` bytes; returns how many datagrams are completely on their way by that."""
        self.size -= count
        whole = 0
        while count:
            came, data = self._queue.popleft()
            if count < len(data):
                self._queue.appendleft((came, data[count:]))
                break
            count -= len(data)
            whole += 1
        return whole

    def _wanted(self, packet: bytes, sound: Set[int], now: float) -> bool:
        timestamp = int.from_bytes(packet[4:8], "big")
        ssrc = int.from_bytes(packet[8:12], "big")
        if self._skipping.get(ssrc) == timestamp:
            return False
        limit = SOUND_BEHIND if ssrc in sound else PICTURE_BEHIND
        if self.size >= MOST or self.behind(now) > limit:
            self._skipping[ssrc] = timestamp
            return False
        self._skipping.pop(ssrc, None)
        return True
