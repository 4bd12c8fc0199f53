"""Many datagrams, one system call: what leaves one of our sockets is put together in a `Batch` and flushed at once.

The fan-out writes packets straight into `memory` and protects them there. `Mmsg` hands the whole batch to Linux'
sendmmsg(2); a run of equally long packets to one viewer goes as one message with UDP_SEGMENT (udp(7)), which saves
half of the kernel's work. Where the platform lacks either, the same batch is sent more slowly.

Nothing waits here: what a full socket does not take is dropped and counted.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence, Set
from itertools import count, repeat
from typing import TYPE_CHECKING, Any

import cffi

from media import accelerator
from media.srtp import ffi

if TYPE_CHECKING:
    from media.accelerator import Packed

# A hundred packets for each system call: more cost as much CPU (measured from 64 KiB to 512 KiB), and the first viewers
# would wait for the last ones' packets to be written. Never below what fanout.py writes for one viewer at once.
CAPACITY = 128 * 1024  # bytes
MAX_MESSAGES = 1024  # UIO_MAXIOV: what sendmmsg takes in one call
MAX_SEGMENTS = 64  # UDP_MAX_SEGMENTS of the oldest kernels that know UDP_SEGMENT
MAX_RUN = 65_000  # bytes in one segmented message, headers fit below 64 KiB

_SOL_UDP, _UDP_SEGMENT = 17, 103
_NO_SEGMENTS = (errno.EIO, errno.EINVAL, errno.EMSGSIZE)  # how interfaces without checksum offload refuse
_FULL = (errno.EAGAIN, errno.ENOBUFS)
_IOVEC = struct.Struct("=QQ")
_HEADER = struct.Struct("=QI4xQQQQi4xI4x")  # struct mmsghdr on every 64-bit Linux
_CONTROL = struct.Struct("=QiiH6x")  # struct cmsghdr and the size of a segment

_c = cffi.FFI()
_c.cdef(
    """
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr { void *msg_name; unsigned int msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                    void *msg_control; size_t msg_controllen; int msg_flags; };
    struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
    int sendmmsg(int, struct mmsghdr *, unsigned int, int);
    """
)


class Name:
    """Where to send to, in the form the kernel wants; made once per path, not per packet."""

    __slots__ = ("_memory", "address", "length", "pointer", "sound")

    def __init__(self, address: tuple[Any, ...]) -> None:
        self.address = address
        self.sound: Set[int] = frozenset()  # SSRCs of ours that can be heard there; tcp.py lets them wait longer
        host, port = address[0], address[1]
        if ":" in host:
            family, scope = socket.AF_INET6, address[3] if len(address) > 3 else 0
            packed = (
                struct.pack("=H", family)
                + struct.pack("!HI16s", port, 0, socket.inet_pton(socket.AF_INET6, host.partition("%")[0]))
                + struct.pack("=I", scope)
            )
        else:
            packed = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(host))
        self._memory = _c.new("char[]", packed)
        self.pointer = int(_c.cast("size_t", self._memory))
        self.length = len(packed)


Put = tuple[Name, int, int, int]  # to whom, start, size, segment


class Batch(ABC):
    """Datagrams waiting for one flush. Writers use `memory` from `at` on, then `put` what they wrote and move `at`."""

    def __init__(self) -> None:
        self.base: Any = ffi.new("char[]", CAPACITY)
        self.memory = memoryview(ffi.buffer(self.base)).cast("B")
        self.at = 0
        self.sent = 0  # datagrams the kernel took
        self.dropped = 0  # datagrams a full socket did not take
        self.failed = 0  # datagrams to addresses that cannot be reached
        self._puts: list[Put] = []

    def name(self, address: tuple[Any, ...]) -> Name:
        """How an address is called that datagrams came from."""
        return Name(address)

    def release(self, address: tuple[Any, ...]) -> None:  # noqa: B027 - most kinds have nothing to let go of
        """Nothing more will go there after what was put already."""

    @property
    def segments(self) -> bool:
        """Whether runs of equally long packets should be put as one message."""
        return False

    @property
    def room(self) -> int:
        """How many messages may be put before the next flush."""
        return MAX_MESSAGES - len(self._puts)

    @abstractmethod
    def put(self, name: Name, start: int, size: int, segment: int) -> None:
        """`size` bytes of `memory` from `start` are for `name`, in datagrams of `segment` bytes (the last shorter)."""

    def put_rows(
        self, names: Sequence[Name], start: int, runs: Sequence[tuple[int, int]], rows: Packed, first: int
    ) -> None:
        """The same for each name: runs of (size, segment). The names are those of `rows` from the `first` on."""
        for name in names:
            for size, segment in runs:
                self.put(name, start, size, segment)
                start += size

    @abstractmethod
    def flush(self) -> None:
        """Send what was put, and start over."""

    def send(self, name: Name, data: bytes) -> None:
        """One datagram, copied; it leaves with the next flush, in order."""
        size = len(data)
        if self.at + size > CAPACITY or self.room == 0:
            self.flush()
        self.memory[self.at : self.at + size] = data
        self.put(name, self.at, size, size)
        self.at += size

    def _send_one_by_one(self, sock: socket.socket, put: Put) -> None:
        name, start, size, segment = put
        for at in range(start, start + size, segment):
            try:
                sock.sendto(self.memory[at : min(at + segment, start + size)], name.address)
                self.sent += 1
            except OSError as error:
                if error.errno in _FULL:
                    self.dropped += 1
                else:
                    self.failed += 1


class Mmsg(Batch):
    """By sendmmsg(2), straight from memory."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._socket = sock
        self._library: Any = _c.dlopen(None)
        self._start = int(ffi.cast("size_t", self.base))
        self._headers = _c.new("struct mmsghdr[]", MAX_MESSAGES)
        self._header_bytes = _c.buffer(self._headers)
        self._iovecs = _c.new("struct iovec[]", MAX_MESSAGES)
        self._iovec_bytes = _c.buffer(self._iovecs)
        self._iovec_start = int(_c.cast("size_t", self._iovecs))
        self._controls: dict[int, tuple[int, Any]] = {}  # segment size -> its control message: where, and the memory
        self._segments = _kernel_segments(sock)
        self._count = 0  # datagrams put since the last flush

    @property
    def segments(self) -> bool:
        return self._segments

    def put(self, name: Name, start: int, size: int, segment: int) -> None:
        puts = self._puts
        n = len(puts)
        puts.append((name, start, size, segment))  # for when it fails, and so that the name lives until the flush
        control, control_length = 0, 0
        if size > segment:
            control, control_length = self._control(segment), _CONTROL.size
            self._count += -(-size // segment)
        else:
            self._count += 1
        _IOVEC.pack_into(self._iovec_bytes, n * 16, self._start + start, size)
        _HEADER.pack_into(self._header_bytes, n * 64, name.pointer, name.length, self._iovec_start + n * 16, 1,
                          control, control_length, 0, 0)  # fmt: skip

    def put_rows(
        self, names: Sequence[Name], start: int, runs: Sequence[tuple[int, int]], rows: Packed, first: int
    ) -> None:
        hot = accelerator.hot
        if hot is None:
            super().put_rows(names, start, runs, rows, first)
            return
        n = len(self._puts)
        assert n + len(names) * len(runs) <= MAX_MESSAGES
        made = [
            (self._control(segment), _CONTROL.size, size) if size > segment else (0, 0, size) for size, segment in runs
        ]
        hot.address(rows, first, len(names), made, self._start + start, self._headers + n, self._iovecs + n)
        if len(runs) == 1:
            size, segment = runs[0]
            self._puts.extend(zip(names, count(start, size), repeat(size), repeat(segment)))
        else:
            for name in names:
                for size, segment in runs:
                    self._puts.append((name, start, size, segment))
                    start += size
        self._count += len(names) * sum(-(-size // segment) for size, segment in runs)

    def flush(self) -> None:
        puts, done, unsent = self._puts, 0, 0
        while done < len(puts):
            taken = self._library.sendmmsg(self._socket.fileno(), self._headers + done, len(puts) - done, 0)
            if taken > 0:
                done += taken
                continue
            code = _c.errno
            if code in _FULL:
                full = sum(map(_datagrams, puts[done:]))
                self.dropped += full
                unsent += full
                break
            if code == errno.EINTR:
                continue
            size, segment = puts[done][2:]
            unsent += _datagrams(puts[done])
            if size > segment and code in _NO_SEGMENTS:
                self._segments = False
                self._send_one_by_one(self._socket, puts[done])
            else:
                self.failed += _datagrams(puts[done])
            done += 1
        self.sent += self._count - unsent
        self._count = 0
        puts.clear()
        self.at = 0

    def _control(self, segment: int) -> int:
        known = self._controls.get(segment)
        if known is None:
            memory = _c.new("char[]", _CONTROL.pack(18, _SOL_UDP, _UDP_SEGMENT, segment))
            known = self._controls[segment] = int(_c.cast("size_t", memory)), memory
        return known[0]


class SendTo(Batch):
    """By sendto(2), one by one: where there is no sendmmsg."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._socket = sock

    def put(self, name: Name, start: int, size: int, segment: int) -> None:
        self._puts.append((name, start, size, segment))

    def flush(self) -> None:
        for put in self._puts:
            self._send_one_by_one(self._socket, put)
        self._puts.clear()
        self.at = 0


def batch_for(sock: socket.socket) -> Batch:
    """The fastest kind this platform has. The socket does not block."""
    if sys.platform == "linux" and sys.byteorder == "little" and _c.sizeof("struct mmsghdr") == _HEADER.size:
        return Mmsg(sock)
    return SendTo(sock)


def _datagrams(put: Put) -> int:
    return -(-put[2] // put[3])


def _kernel_segments(sock: socket.socket) -> bool:
    """Whether the kernel knows UDP_SEGMENT (4.18 and later)."""
    try:
        sock.getsockopt(_SOL_UDP, _UDP_SEGMENT)
    except OSError:
        return False
    return True
