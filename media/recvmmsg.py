"""Many datagrams, one system call: what waits in a socket of ours is taken out together, as sendmmsg.py puts it in.

`Mmsg` asks Linux' recvmmsg(2) for as many as we take at once; fewer mean that the socket is empty, so nothing has to be
asked twice. Each address is made a `Path` once, not per datagram. Elsewhere recvfrom(2) does the same, more slowly.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import sys
import time
from abc import ABC, abstractmethod
from typing import Any

import cffi

from media.ice import Path

AT_ONCE = 64  # datagrams taken in per wake-up; more would keep the timers waiting
MAX_DATAGRAM = 2048  # bytes; ours are below 1500, and a longer one authenticates as little as a shortened one
LONGEST_WAIT = 60.0  # seconds that a datagram may have waited for us; a clock that was set says more
MAX_PATHS = 10_000  # addresses remembered; who floods us from more makes us forget them all

_NAME = 28  # bytes of the longest address, struct sockaddr_in6
_HEADER_WORDS = 16  # of four bytes, in struct mmsghdr on every 64-bit Linux
_NAME_LENGTH, _LENGTH = 2, 14  # which of them
_CONTROL_LENGTH = 10
_CONTROL = struct.Struct("@QiiqQ")  # struct cmsghdr, and in it the time: seconds since 1970, nanoseconds
_SO_TIMESTAMPNS = 35
_WAIT = 0x40  # MSG_DONTWAIT
_ATTEMPTS = 8  # ICMP errors for what we sent come out of the same socket, one by one

_c = cffi.FFI()
_c.cdef(
    """
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr { void *msg_name; unsigned int msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                    void *msg_control; size_t msg_controllen; int msg_flags; };
    struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
    int recvmmsg(int, struct mmsghdr *, unsigned int, int, void *);
    """
)


class Inlet(ABC):
    """A UDP socket's way in."""

    @abstractmethod
    def read(self) -> list[tuple[bytes, Path]]:
        """What has come, oldest first, at most `AT_ONCE`; longer datagrams are cut. Does not wait, never raises."""

    def waited(self, number: int) -> float:
        """Seconds since the datagram of this number in the last `read` came to this machine; 0 where nobody says."""
        return 0.0


class Mmsg(Inlet):
    """By recvmmsg(2)."""

    def __init__(self, sock: socket.socket, via: int) -> None:
        self._socket = sock
        self._via = via
        self._library: Any = _c.dlopen(None)
        self._memory = _c.new("char[]", AT_ONCE * MAX_DATAGRAM)
        self._names = _c.new("char[]", AT_ONCE * _NAME)
        self._controls = _c.new("char[]", AT_ONCE * _CONTROL.size)
        self._vectors = _c.new("struct iovec[]", AT_ONCE)
        self._headers = _c.new("struct mmsghdr[]", AT_ONCE)
        for n in range(AT_ONCE):
            vector, header = self._vectors[n], self._headers[n].msg_hdr
            vector.iov_base, vector.iov_len = self._memory + n * MAX_DATAGRAM, MAX_DATAGRAM
            header.msg_name, header.msg_iov, header.msg_iovlen = self._names + n * _NAME, self._vectors + n, 1
            header.msg_control = self._controls + n * _CONTROL.size
            # The kernel writes over both lengths what it has used, which is the same for all that a socket gets.
            header.msg_namelen, header.msg_controllen = _NAME, _CONTROL.size
        self._bytes = _c.buffer(self._memory)
        self._name_bytes = _c.buffer(self._names)
        self._control_bytes = _c.buffer(self._controls)
        self._words = memoryview(_c.buffer(self._headers)).cast("B").cast("I")
        self._paths: dict[bytes, Path] = {}
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    def read(self) -> list[tuple[bytes, Path]]:
        for _ in range(_ATTEMPTS):
            count = self._library.recvmmsg(self._socket.fileno(), self._headers, AT_ONCE, _WAIT, _c.NULL)
            if count >= 0:
                break
            if _c.errno in (errno.EAGAIN, errno.EBADF):
                return []
        else:
            return []
        words, data, names, paths = self._words, self._bytes, self._name_bytes, self._paths
        found = []
        at = name_at = word = 0
        for _ in range(count):
            name = names[name_at : name_at + words[word + _NAME_LENGTH]]
            path = paths.get(name)
            if path is None:
                path = self._path(name)
            found.append((data[at : at + words[word + _LENGTH]], path))
            at, name_at, word = at + MAX_DATAGRAM, name_at + _NAME, word + _HEADER_WORDS
        return found

    def waited(self, number: int) -> float:
        if self._words[number * _HEADER_WORDS + _CONTROL_LENGTH] != _CONTROL.size:
            return 0.0
        _, _, kind, seconds, nanoseconds = _CONTROL.unpack_from(self._control_bytes, number * _CONTROL.size)
        waited = time.time() - seconds - nanoseconds * 1e-9
        return waited if kind == _SO_TIMESTAMPNS and 0.0 < waited < LONGEST_WAIT else 0.0

    def _path(self, name: bytes) -> Path:
        if len(self._paths) >= MAX_PATHS:
            self._paths.clear()
        path = self._paths[name] = Path(self._via, address(name))
        return path


class RecvFrom(Inlet):
    """By recvfrom(2), one by one: where there is no recvmmsg."""

    def __init__(self, sock: socket.socket, via: int) -> None:
        self._socket = sock
        self._via = via

    def read(self) -> list[tuple[bytes, Path]]:
        found = []
        for _ in range(AT_ONCE):
            try:
                data, name = self._socket.recvfrom(MAX_DATAGRAM)
            except BlockingIOError:
                break
            except OSError:  # an ICMP error for something we sent; the next datagram may be fine
                continue
            found.append((data, Path(self._via, name)))
        return found


def inlet_for(sock: socket.socket, via: int) -> Inlet:
    """The fastest kind this platform has. The socket does not block; `via` is how paths call it."""
    if sys.platform == "linux" and _c.sizeof("struct mmsghdr") == _HEADER_WORDS * 4:
        return Mmsg(sock, via)
    return RecvFrom(sock, via)


def address(name: bytes) -> tuple[Any, ...]:
    """A socket address as the kernel has it, in the form of recvfrom()."""
    (family,) = struct.unpack_from("=H", name)
    if family == socket.AF_INET6:
        port, flow, host = struct.unpack_from("!HI16s", name, 2)
        return socket.inet_ntop(socket.AF_INET6, host), port, flow & 0xFFFFF, struct.unpack_from("=I", name, 24)[0]
    port, host = struct.unpack_from("!H4s", name, 2)
    return socket.inet_ntoa(host), port
