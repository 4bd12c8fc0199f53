"""SRTP (RFC 3711, AES-GCM by RFC 7714) on the libsrtp inside pylibsrtp: protect in place, unprotect a datagram.

pylibsrtp's public `Session` copies each packet three times, which doubles the cost of the fan-out; its compiled
`_binding` protects in place. The binding is private, so only this module touches it: where it no longer looks as we
know it (tests/media/test_srtp.py notices), the same functions run on the public `Session`, slower.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Any, Literal

import cffi
import pylibsrtp

_binding: Any
try:
    _binding = importlib.import_module("pylibsrtp._binding")
except ImportError:
    _binding = None

Profile = Literal["AEAD_AES_128_GCM", "AES128_CM_SHA1_80"]

RTP_OVERHEAD = {"AEAD_AES_128_GCM": 16, "AES128_CM_SHA1_80": 10}  # bytes that protection adds to an RTP packet
MAX_PACKET = 2048  # bytes, protected; larger datagrams are none of ours
MAX_REORDERING = 1024  # packets: two seconds of a full-size picture; what comes later counts as replayed
MAX_LATE = 256  # packets that one of ours may be behind; libsrtp shifts this many bits for each packet it protects
MAX_SOURCES = 64  # SSRCs a peer may send with; each costs libsrtp memory and a step in its search

_NEEDED = ("srtp_create", "srtp_dealloc", "srtp_protect", "srtp_protect_rtcp", "srtp_unprotect", "srtp_unprotect_rtcp")
_REPLAYED = (9, 10)  # srtp_err_status_replay_fail, srtp_err_status_replay_old

log = logging.getLogger(__name__)


class SrtpError(Exception):
    """A packet that is not from our peer (reason "unauthentic"), has come before ("replayed") or is "too_long"."""

    def __init__(self, reason: Literal["unauthentic", "replayed", "too_long"]) -> None:
        super().__init__(reason)
        self.reason = reason


def has_binding() -> bool:
    """Whether the compiled binding looks as we know it."""
    return _binding is not None and all(hasattr(_binding.lib, name) for name in _NEEDED)


def _policy(profile: Profile, key: bytes, inbound: bool) -> pylibsrtp.Policy:
    policy = pylibsrtp.Policy(
        key=key,
        ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND if inbound else pylibsrtp.Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=getattr(pylibsrtp.Policy, f"SRTP_PROFILE_{profile}"),
    )
    policy.window_size = MAX_REORDERING if inbound else MAX_LATE
    policy.allow_repeat_tx = not inbound  # a lost audio packet is sent once more as it was
    return policy


class _BindingSession:
    """A libsrtp session through the compiled binding."""

    __slots__ = ("_owner", "_rtcp", "_rtp", "handle")

    def __init__(self, policy: pylibsrtp.Policy, inbound: bool) -> None:
        handle = ffi.new("srtp_t *")
        if _binding.lib.srtp_create(handle, policy._policy):
            raise ValueError("libsrtp does not take this policy")
        self._owner = ffi.gc(handle, lambda it: _binding.lib.srtp_dealloc(it[0]))
        self.handle: Any = handle[0]

        lib = _binding.lib
        self._rtp = lib.srtp_unprotect if inbound else lib.srtp_protect
        self._rtcp = lib.srtp_unprotect_rtcp if inbound else lib.srtp_protect_rtcp

    def rtp(self, data: bytes) -> bytes:
        return self._process(self._rtp, data)

    def rtcp(self, data: bytes) -> bytes:
        return self._process(self._rtcp, data)

    def _process(self, function: Callable[[Any, Any, Any], int], data: bytes) -> bytes:
        if len(data) > MAX_PACKET:
            raise SrtpError("too_long")
        _scratch_bytes[: len(data)] = data
        length_cell[0] = len(data)
        if status := function(self.handle, _scratch, length_cell):
            raise SrtpError("replayed" if status in _REPLAYED else "unauthentic")
        return _scratch_bytes[: length_cell[0]]  # type: ignore[no-any-return]  # a copy


class _PublicSession:
    """The same through pylibsrtp's public class."""

    def __init__(self, policy: pylibsrtp.Policy, inbound: bool) -> None:
        self.handle: Any = pylibsrtp.Session(policy)
        self._rtp = self.handle.unprotect if inbound else self.handle.protect
        self._rtcp = self.handle.unprotect_rtcp if inbound else self.handle.protect_rtcp

    def rtp(self, data: bytes) -> bytes:
        return self._process(self._rtp, data)

    def rtcp(self, data: bytes) -> bytes:
        return self._process(self._rtcp, data)

    def _process(self, function: Callable[[bytes], bytes], data: bytes) -> bytes:
        try:
            return function(data)
        except pylibsrtp.Error as error:
            raise SrtpError("replayed" if "replay" in str(error) else "unauthentic") from error
        except ValueError as error:  # too long for its buffer
            raise SrtpError("unauthentic") from error


def _protect_by_session(session: pylibsrtp.Session, pointer: Any, length: Any) -> int:
    """What `protect` is without the binding."""
    try:
        protected = session.protect(bytes(ffi.buffer(pointer, length[0])))
    except (pylibsrtp.Error, ValueError):
        return 1
    ffi.memmove(pointer, protected, len(protected))
    length[0] = len(protected)
    return 0


ffi: Any  # makes the memory that `protect` works on
protect: Callable[[Any, Any, Any], int]
"""`protect(outbound.handle, pointer, length_cell)` protects one RTP packet in place; 0 means it did."""

_Session: type[_BindingSession] | type[_PublicSession]
if has_binding():
    ffi, protect, _Session = _binding.ffi, _binding.lib.srtp_protect, _BindingSession
else:
    log.warning("pylibsrtp has changed inside: forwarding works, but slower")
    ffi, protect, _Session = cffi.FFI(), _protect_by_session, _PublicSession


def protect_address() -> int | None:
    """Where libsrtp's own function is, for accelerator.py; None if it is not what we know, or not there."""
    if not has_binding():
        return None
    known = "<ctype 'srtp_err_status_t(*)(struct srtp_ctx_t_ *, void *, int *)'>"
    try:
        is_known = str(ffi.typeof(_binding.lib.srtp_protect)) == known
        return address(ffi.addressof(_binding.lib, "srtp_protect")) if is_known else None
    except (AttributeError, TypeError):
        return None


def address(pointer: Any) -> int:
    """Where a handle of the binding's points to."""
    return int(ffi.cast("uintptr_t", pointer))


length_cell: Any = ffi.new("int *")  # shared: everything here is one thread
_scratch: Any = ffi.new("char[]", MAX_PACKET + 256)
_scratch_bytes = ffi.buffer(_scratch)


class Outbound:
    """Our direction of a peer's SRTP. `handle` is for `protect`; for RTCP and single packets there are methods."""

    __slots__ = ("_session", "handle", "overhead")

    def __init__(self, profile: Profile, key: bytes) -> None:
        self._session = _Session(_policy(profile, key, inbound=False), inbound=False)
        self.handle: Any = self._session.handle
        self.overhead = RTP_OVERHEAD[profile]  # bytes

    def rtp(self, data: bytes) -> bytes:
        """The packet, protected. Raises SrtpError if libsrtp refuses, or the packet is longer than `MAX_PACKET`."""
        return self._session.rtp(data)

    def rtcp(self, data: bytes) -> bytes:
        """The compound packet, protected. Raises SrtpError as `rtp` does."""
        return self._session.rtcp(data)


class Inbound:
    """The peer's direction."""

    __slots__ = ("_session", "_sources")

    def __init__(self, profile: Profile, key: bytes) -> None:
        self._session = _Session(_policy(profile, key, inbound=True), inbound=True)
        self._sources: set[bytes] = set()

    def rtp(self, data: bytes) -> bytes:
        """The plain packet. Raises SrtpError."""
        if not 12 <= len(data) <= MAX_PACKET:
            raise SrtpError("unauthentic")
        plain = self._session.rtp(data)
        if plain[8:12] not in self._sources:
            self._admit(plain[8:12])
        return plain

    def rtcp(self, data: bytes) -> bytes:
        """The plain compound packet. Raises SrtpError."""
        if not 8 <= len(data) <= MAX_PACKET:
            raise SrtpError("unauthentic")
        plain = self._session.rtcp(data)
        self._admit(plain[4:8])
        return plain

    def _admit(self, ssrc: bytes) -> None:
        # libsrtp clones its template for each new source that authenticates and never forgets one.
        if ssrc not in self._sources:
            if len(self._sources) >= MAX_SOURCES:
                raise SrtpError("unauthentic")
            self._sources.add(ssrc)
