"""DTLS for one transport: a handshake that yields SRTP keys (RFC 5764), on OpenSSL memory BIOs.

Datagrams in, datagrams out; no socket, and `now` (seconds, monotonic) is an argument. We are the server wherever the
offer leaves it to us, as browsers do. FFmpeg's WHIP muxer offers setup:passive and waits: then we are the client and
`begin` has to be called once the first check was accepted.

Retransmission is ours in the first place: the same flight is sent again after 150 ms, 300 ms, … byte for byte, so a
record that had arrived is dropped by the other side's replay check. OpenSSL's own comes second, after a whole second of
a clock of its own. It numbers the records anew, which is what a server needs to see that its last flight was lost; the
same way our last flight is repeated when a browser repeats its own.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from typing import Literal

from OpenSSL import SSL, crypto

from media.certificate import Certificate, vouched_for

Profile = Literal["AEAD_AES_128_GCM", "AES128_CM_SHA1_80"]
Role = Literal["server", "client"]

TIMEOUT = 30.0  # seconds a handshake may take
FIRST_RETRANSMISSION = 0.15  # seconds: above the round trip to Lhasa, far below the one second of RFC 6347
LAST_RETRANSMISSION = 2.0  # seconds: the interval doubles no further
MTU = 1200  # bytes of UDP payload, as browsers assume for media

# In the server's order of preference; key and salt lengths in bytes (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
_PROFILES: dict[bytes, tuple[Profile, int, int]] = {
    b"SRTP_AEAD_AES_128_GCM": ("AEAD_AES_128_GCM", 16, 12),
    b"SRTP_AES128_CM_SHA1_80": ("AES128_CM_SHA1_80", 16, 14),
}
_CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:"
    b"ECDHE-RSA-AES128-GCM-SHA256"  # for a peer that insists on being the server and has an RSA key
)
_RECORD_HEADER = 13  # bytes (RFC 6347 section 4.1)


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """What both directions of SRTP are made from; each is master key and salt in one."""

    profile: Profile
    local: bytes  # we protect with it
    remote: bytes  # the browser protects with it


class Dtls:
    """Our side of one handshake."""

    __slots__ = (
        "_connection",
        "_deadline",
        "_flight",
        "_interval",
        "_keys",
        "_repeat_at",
        "_role",
        "closed",
        "failed",
    )

    def __init__(
        self, certificate: Certificate, fingerprints: tuple[tuple[str, str], ...], role: Role = "server"
    ) -> None:
        """`fingerprints` are the browser's, as (algorithm, value) from its SDP."""
        self.failed = False  # for good: wrong fingerprint, no common profile, broken handshake, or it took too long
        self.closed = False  # the browser said goodbye, or we did
        self._role: Role = role
        self._keys: SrtpKeys | None = None
        self._flight: list[bytes] = []
        self._interval = FIRST_RETRANSMISSION
        self._repeat_at = 0.0
        self._deadline: float | None = None
        self._connection = SSL.Connection(_context(certificate), None)
        self._connection.set_app_data(fingerprints)
        self._connection.set_ciphertext_mtu(MTU)
        if role == "server":
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()

    @property
    def connected(self) -> bool:
        """Whether the handshake is done and the peer is who its SDP says. Stays true after a goodbye."""
        return self._keys is not None

    def keys(self) -> SrtpKeys:
        """The SRTP keys; only when `connected`."""
        assert self._keys is not None
        return self._keys

    def begin(self, now: float) -> list[bytes]:
        """The first flight of a client; nothing for a server, and nothing the second time."""
        if self._role == "server" or self._deadline is not None:
            return []
        return self._handshake(now)

    def receive(self, datagram: bytes, now: float) -> list[bytes]:
        """Take a datagram whose first byte is 20…63; what is to be sent. Never raises."""
        if self.failed or self.closed:
            return []
        self._connection.bio_write(datagram)
        return self._handshake(now) if self._keys is None else self._read()

    def poll(self, now: float) -> list[bytes]:
        """What is to be sent again because no answer came. Call it every 50 ms or so until `connected`."""
        if self._keys is not None or self.failed or self.closed:
            return []
        if self._deadline is None:
            self._deadline = now + TIMEOUT  # a browser that passes its checks and never starts
        elif now >= self._deadline:
            self.failed = True
            return []
        try:
            if self._connection.DTLSv1_handle_timeout():
                self._flight = self._drain()
                return self._flight
        except SSL.Error:  # it has repeated itself a dozen times
            self.failed = True
            return []
        if not self._flight or now < self._repeat_at:
            return []
        self._interval = min(self._interval * 2, LAST_RETRANSMISSION)
        self._repeat_at = now + self._interval
        return self._flight

    def close(self) -> list[bytes]:
        """Say goodbye. Harmless when repeated."""
        if self.closed or self._keys is None:
            self.closed = True
            return []
        self.closed = True
        return self._goodbye()

    def _handshake(self, now: float) -> list[bytes]:
        if self._deadline is None:
            self._deadline = now + TIMEOUT
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error:
            self.failed = True  # OpenSSL has written the alert that tells why
            return self._drain()
        else:
            self._keys = self._export()
            if self._keys is None:
                self.failed = True
                return self._drain() + self._goodbye()
        flight = self._drain()
        if self._keys is not None:
            self._flight = []
            return flight + self._read()  # what came in the same datagram, behind the handshake
        if flight:
            self._flight = flight
            self._interval = FIRST_RETRANSMISSION
            self._repeat_at = now + self._interval
        return flight

    def _export(self) -> SrtpKeys | None:
        """The keys, if the peer knows an SRTP profile of ours and is, once more, who its SDP says."""
        certificate = self._connection.get_peer_certificate()
        profile = _PROFILES.get(self._connection.get_selected_srtp_profile())
        if certificate is None or profile is None or not vouched_for(certificate, self._connection.get_app_data()):
            return None
        name, key, salt = profile
        material = self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        client = material[:key] + material[2 * key : 2 * key + salt]
        server = material[key : 2 * key] + material[2 * key + salt :]
        return SrtpKeys(name, server, client) if self._role == "server" else SrtpKeys(name, client, server)

    def _read(self) -> list[bytes]:
        """After the handshake: repeated flights, a goodbye. Application data is not agreed on, so it is dropped."""
        try:
            while True:
                self._connection.recv(16384)
        except SSL.WantReadError:
            return self._drain()
        except SSL.Error:  # close_notify or a fatal alert, both authentic
            self.closed = True
            return self._drain() + self._goodbye()

    def _goodbye(self) -> list[bytes]:
        with contextlib.suppress(SSL.Error):  # it broke: then there is nothing to say
            self._connection.shutdown()
        return self._drain()

    def _drain(self) -> list[bytes]:
        """What OpenSSL wrote, as datagrams: a memory BIO runs records together, and each has to travel whole."""
        written = b""
        try:
            while True:
                written += self._connection.bio_read(65536)
        except SSL.Error:
            pass  # empty
        datagrams: list[bytes] = []
        at = 0
        while at < len(written):
            end = at + _RECORD_HEADER + int.from_bytes(written[at + 11 : at + 13], "big")
            record = written[at:end]
            if datagrams and len(datagrams[-1]) + len(record) <= MTU:
                datagrams[-1] += record
            else:
                datagrams.append(record)
            at = end
        return datagrams


@functools.lru_cache(maxsize=4)
def _context(certificate: Certificate) -> SSL.Context:
    """One context for all transports of a worker; it holds what is the same for each of them."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_max_proto_version(0xFEFD)  # DTLS 1.2
    context.set_min_proto_version(0xFEFD)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _verify)
    context.use_certificate(certificate.x509)
    context.use_privatekey(certificate.key)
    context.set_cipher_list(_CIPHERS)
    context.set_tlsext_use_srtp(b":".join(_PROFILES))
    return context


def _verify(connection: SSL.Connection, certificate: crypto.X509, _error: int, depth: int, _ok: int) -> bool:
    """No chain: the SDP vouches for the certificate that is shown, and for nothing behind it.

    Refused here, in the handshake, the peer learns from an alert why it is not connected.
    """
    return depth > 0 or vouched_for(certificate, connection.get_app_data())
