"""Datagrams on a TCP connection: two bytes of length, then the datagram (RFC 4571 section 2, RFC 6544 section 10.1)."""

from __future__ import annotations

MAX_FRAME = 2048  # bytes of one datagram; a browser's are below 1500 here as well
_LENGTH = 2  # bytes


class FrameTooLongError(ValueError):
    """The other end announces a datagram that no browser sends: it does not speak our protocol."""


class Frames:
    """Puts together what comes in pieces; keeps no more than one unfinished datagram."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The datagrams that are complete now; empty ones, which keep a connection alive, are left out.

        Raises FrameTooLongError; what came before it in the same piece is lost, and the connection is to be closed.
        """
        data = self._rest + data
        found = []
        at, size = 0, len(data)
        while size - at >= _LENGTH:
            length = data[at] << 8 | data[at + 1]
            if length > MAX_FRAME:
                raise FrameTooLongError(f"a datagram of {length} bytes")
            end = at + _LENGTH + length
            if end > size:
                break
            if length:
                found.append(data[at + _LENGTH : end])
            at = end
        self._rest = data[at:]
        return found


def framed(datagram: bytes) -> bytes:
    """A datagram as it goes over a connection."""
    return len(datagram).to_bytes(_LENGTH, "big") + datagram
