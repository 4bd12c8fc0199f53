"""A browser's media path without the browser: ICE checks, a DTLS handshake as client, SRTP, over one plain socket.

Cheap enough that hundreds fit on one core: nothing is decoded, and a kernel filter lets only a sample of the packets
reach us. Arrival times are the kernel's, so our own slowness is not measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import secrets
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pylibsrtp
from aioice import stun
from OpenSSL import SSL

from media.certificate import Certificate
from tests.bench.offers import Credentials, Remote

SAMPLE = 16  # one packet of so many reaches us, by sequence number
CONSENT_INTERVAL = 5.0  # seconds between checks, as browsers do them
RETRY = 0.1  # seconds until an unanswered check is repeated

_SO_TIMESTAMPNS, _SO_ATTACH_FILTER = 35, 26
_TIMESPEC = struct.Struct("@qq")
_PROFILES = {
    b"SRTP_AEAD_AES_128_GCM": (pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}

_SPARE = "192.0.2.2"  # what a machine without a network may have on its loopback interface (peers/README.md)

Media = Callable[[bytes, int], None]  # a protected RTP or RTCP packet and its arrival, ns since 1970


@dataclass(frozen=True, slots=True)
class Identity:
    context: SSL.Context
    fingerprint: str


@cache
def identity() -> Identity:
    """One certificate for all peers of the process: making them is not what is measured."""
    made = Certificate.generate()
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.use_certificate(made.x509)
    context.use_privatekey(made.key)
    context.set_tlsext_use_srtp(b":".join(_PROFILES))
    return Identity(context, made.fingerprint)


class Peer:
    """One peer connection. `credentials` go into the offer, `connect` takes what the answer said."""

    def __init__(self, host: str = "127.0.0.1", setup: str = "active") -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((host, 0))
        self.credentials = Credentials(
            secrets.token_hex(2), secrets.token_hex(12), identity().fingerprint, self.socket.getsockname(), setup
        )
        self.on_media: Media = lambda packet, arrival: None
        self.connected = asyncio.get_running_loop().create_future()
        self.inbound: pylibsrtp.Session | None = None
        self.outbound: pylibsrtp.Session | None = None
        self._remote: Remote | None = None
        self._dtls = SSL.Connection(identity().context, None)
        self._dtls.set_connect_state()
        self._dtls.set_ciphertext_mtu(1200)
        self._shaking = False
        self._timer: asyncio.TimerHandle | None = None

    async def connect(self, remote: Remote, timeout: float = 15.0) -> None:
        """Check, shake hands, derive keys. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        self._remote = remote
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        loop.add_reader(self.socket, self._readable)
        self._check()
        async with asyncio.timeout(timeout):
            await asyncio.shield(self.connected)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.socket)
        if self._timer is not None:
            self._timer.cancel()
        if not self.connected.done():
            self.connected.cancel()
        self.socket.close()

    def sample(self) -> None:
        """From now on the kernel drops all RTP but every SAMPLE-th packet of each stream, and all RTCP."""
        program = _filter()
        code = ctypes.create_string_buffer(program, len(program))
        self.socket.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
        )

    def send_rtp(self, packet: bytes) -> None:
        assert self.outbound is not None
        self._send(self.outbound.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        assert self.outbound is not None
        self._send(self.outbound.protect_rtcp(packet))

    def _send(self, datagram: bytes) -> None:
        assert self._remote is not None
        with contextlib.suppress(BlockingIOError):
            self.socket.sendto(datagram, self._remote.address)

    def _check(self) -> None:
        """A binding request now, and again: soon while connecting, every few seconds after that."""
        assert self._remote is not None
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._remote.ufrag}:{self.credentials.ufrag}"
        request.attributes["PRIORITY"] = 2122260223
        request.attributes["ICE-CONTROLLING"] = 1
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._remote.pwd.encode())
        self._send(bytes(request))
        if self._shaking and not self.connected.done():
            self._dtls.DTLSv1_handle_timeout()
            self._flush()
        # Spread a little, so that two hundred peers that joined together do not check together for ever.
        interval = CONSENT_INTERVAL * (0.9 + 0.2 * secrets.randbelow(100) / 100) if self.connected.done() else RETRY
        self._timer = asyncio.get_running_loop().call_later(interval, self._check)

    def _readable(self) -> None:
        for _ in range(64):
            try:
                datagram, ancillary, _, sender = self.socket.recvmsg(2048, 64)
            except (BlockingIOError, ConnectionError):
                return
            first = datagram[0] if datagram else 255
            if 128 <= first < 192:
                arrival = _TIMESPEC.unpack(ancillary[0][2][:16]) if ancillary else None
                self.on_media(datagram, arrival[0] * 10**9 + arrival[1] if arrival else time.time_ns())
            elif 20 <= first < 64:
                self._dtls.bio_write(datagram)
                self._shake()
            elif first < 4:
                self._stun(datagram, sender)

    def _stun(self, datagram: bytes, sender: tuple[str, int]) -> None:
        message = stun.parse_message(datagram)
        if message.message_class == stun.Class.REQUEST:  # a full ICE agent checks us too
            response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=message.transaction_id)
            response.attributes["XOR-MAPPED-ADDRESS"] = sender
            response.add_message_integrity(self.credentials.pwd.encode())
            self.socket.sendto(bytes(response), sender)
        elif message.message_class == stun.Class.RESPONSE and not self._shaking:
            self._shaking = True
            self._shake()

    def _shake(self) -> None:
        if self.connected.done():
            return
        try:
            self._dtls.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return
        except SSL.Error as error:
            self.connected.set_exception(ConnectionError(f"DTLS: {error}"))
            return
        self._flush()
        shown = self._dtls.get_peer_certificate()
        if self._remote is None or shown is None or shown.digest("sha256").decode() != self._remote.fingerprint:
            self.connected.set_exception(ConnectionError("the certificate is not the one the answer named"))
            return
        profile, key, salt = _PROFILES[self._dtls.get_selected_srtp_profile()]
        material = self._dtls.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        ours, theirs = material[:key], material[key : 2 * key]
        our_salt, their_salt = material[2 * key : 2 * key + salt], material[2 * key + salt :]
        self.outbound = pylibsrtp.Session(
            pylibsrtp.Policy(ours + our_salt, pylibsrtp.Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile)
        )
        self.inbound = pylibsrtp.Session(
            pylibsrtp.Policy(theirs + their_salt, pylibsrtp.Policy.SSRC_ANY_INBOUND, srtp_profile=profile)
        )
        self.connected.set_result(None)

    def _flush(self) -> None:
        """What OpenSSL wants to say. Its memory is a plain stream, so datagrams are cut at record boundaries here."""
        with contextlib.suppress(SSL.WantReadError):
            stream = self._dtls.bio_read(65536)
            datagram = b""
            while stream:
                size = 13 + int.from_bytes(stream[11:13], "big")
                if datagram and len(datagram) + size > 1200:
                    self._send(datagram)
                    datagram = b""
                datagram += stream[:size]
                stream = stream[size:]
            self._send(datagram)


def own_address() -> str:
    """The address by which others reach this machine, for answerers that leave loopback out; else loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))  # sends nothing, only asks the routing table
        except OSError:
            return _SPARE if _bindable(_SPARE) else "127.0.0.1"
        return str(probe.getsockname()[0])


def _bindable(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True


@cache
def _filter() -> bytes:
    """Classic BPF over a UDP datagram (its header is 8 bytes): pass what is no RTP, and every SAMPLE-th RTP packet."""
    load_byte, load_half, and_, equal, at_least, return_ = 0x30, 0x28, 0x54, 0x15, 0x35, 0x06
    program = (
        (load_byte, 0, 0, 8),
        (at_least, 0, 6, 128),  # below: STUN or DTLS
        (load_byte, 0, 0, 9),
        (at_least, 0, 1, 192),  # at least 192 in the second byte and
        (at_least, 0, 4, 224),  # below 224: RTCP
        (load_half, 0, 0, 10),
        (and_, 0, 0, SAMPLE - 1),
        (equal, 0, 1, 0),
        (return_, 0, 0, 0xFFFF),
        (return_, 0, 0, 0),
    )
    return b"".join(struct.pack("@HBBI", *step) for step in program)
