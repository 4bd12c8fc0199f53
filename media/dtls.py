"""DTLS for one transport: a handshake that yields SRTP keys (RFC 5764), on OpenSSL memory BIOs.

Datagrams in, datagrams out; no socket, and `now` (seconds, monotonic) is an argument. We are the server wherever the
offer leaves it to us, as browsers do. FFmpeg's WHIP muxer offers setup:passive and waits: then we are the client and
`begin` has to be called once the first check was accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from media.certificate import Certificate

Profile = Literal["AEAD_AES_128_GCM", "AES128_CM_SHA1_80"]
Role = Literal["server", "client"]


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """What both directions of SRTP are made from; each is master key and salt in one."""

    profile: Profile
    local: bytes  # we protect with it
    remote: bytes  # the browser protects with it


class Dtls:
    """Our side of one handshake."""

    def __init__(
        self, certificate: Certificate, fingerprints: tuple[tuple[str, str], ...], role: Role = "server"
    ) -> None:
        """`fingerprints` are the browser's, as (algorithm, value) from its SDP."""
        self.connected: bool
        self.failed: bool  # for good: wrong fingerprint, no common profile, broken bytes in the handshake
        self.closed: bool  # the browser said goodbye, or we did
        raise NotImplementedError

    def begin(self, now: float) -> list[bytes]:
        """The first flight of a client; nothing for a server, and nothing the second time."""
        raise NotImplementedError

    def receive(self, datagram: bytes, now: float) -> list[bytes]:
        """Take a datagram whose first byte is 20…63; what is to be sent. Never raises."""
        raise NotImplementedError

    def poll(self, now: float) -> list[bytes]:
        """What is to be sent again because no answer came. Call it every 50 ms or so until `connected`."""
        raise NotImplementedError

    def keys(self) -> SrtpKeys:
        """The SRTP keys; only when `connected`."""
        raise NotImplementedError

    def close(self) -> list[bytes]:
        """Say goodbye. Harmless when repeated."""
        raise NotImplementedError
