"""media/srtp.py: the binding as we know it, and the same with the public class."""

from __future__ import annotations

import os
from typing import get_args

import pytest

from media import rtp, srtp
from media.srtp import Inbound, Outbound, Profile, SrtpError

PACKET = rtp.HEADER.pack(0x80, 96, 7, 90000, 0xCAFE) + b"a picture" * 20
REPORT = bytes.fromhex("80c90001 0000cafe".replace(" ", ""))


@pytest.fixture(params=["binding", "public"])
def sessions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "public":
        monkeypatch.setattr(srtp, "_Session", srtp._PublicSession)
        monkeypatch.setattr(srtp, "protect", srtp._protect_by_session)
    return str(request.param)


def pair(profile: Profile = "AEAD_AES_128_GCM") -> tuple[Outbound, Inbound]:
    key = os.urandom(28 if profile == "AEAD_AES_128_GCM" else 30)
    return Outbound(profile, key), Inbound(profile, key)


def test_the_binding_of_pylibsrtp_looks_as_we_know_it() -> None:
    assert srtp.has_binding()
    assert srtp.protect is srtp._binding.lib.srtp_protect


@pytest.mark.parametrize("profile", get_args(Profile))
def test_a_packet_protected_in_place_is_the_one_the_peer_reads(profile: Profile, sessions: str) -> None:
    outbound, inbound = pair(profile)
    memory = srtp.ffi.new("char[]", 2048)
    srtp.ffi.memmove(memory + 100, PACKET, len(PACKET))
    srtp.length_cell[0] = len(PACKET)
    assert srtp.protect(outbound.handle, memory + 100, srtp.length_cell) == 0
    assert srtp.length_cell[0] == len(PACKET) + outbound.overhead
    protected = bytes(srtp.ffi.buffer(memory + 100, srtp.length_cell[0]))
    assert protected != PACKET
    assert inbound.rtp(protected) == PACKET


@pytest.mark.parametrize("profile", get_args(Profile))
def test_reports_come_through(profile: Profile, sessions: str) -> None:
    outbound, inbound = pair(profile)
    assert inbound.rtcp(outbound.rtcp(REPORT)) == REPORT


def test_a_replayed_packet_is_told_from_a_forged_one(sessions: str) -> None:
    outbound, inbound = pair()
    protected = outbound.rtp(PACKET)
    assert inbound.rtp(protected) == PACKET
    with pytest.raises(SrtpError, match="replayed"):
        inbound.rtp(protected)
    with pytest.raises(SrtpError, match="unauthentic"):
        inbound.rtp(outbound.rtp(rtp.HEADER.pack(0x80, 96, 8, 0, 0xCAFE))[:-1] + b"\0")


def test_a_lost_audio_packet_may_be_protected_once_more(sessions: str) -> None:
    outbound, _ = pair()
    assert outbound.rtp(PACKET) == outbound.rtp(PACKET)


def test_a_peer_cannot_fill_our_memory_with_sources(sessions: str) -> None:
    outbound, inbound = pair()
    for ssrc in range(srtp.MAX_SOURCES):
        inbound.rtp(outbound.rtp(rtp.HEADER.pack(0x80, 96, 1, 0, ssrc)))
    with pytest.raises(SrtpError):
        inbound.rtp(outbound.rtp(rtp.HEADER.pack(0x80, 96, 1, 0, srtp.MAX_SOURCES)))


@pytest.mark.parametrize("size", [0, 1, 11, 12, 27, 1500, srtp.MAX_PACKET, 65_000])
def test_bytes_of_any_length_that_are_no_packet_raise_only_our_error(size: int, sessions: str) -> None:
    _, inbound = pair()
    with pytest.raises(SrtpError):
        inbound.rtp(b"\x80" * size)
    with pytest.raises(SrtpError):
        inbound.rtcp(b"\x80" * size)


def test_what_is_too_long_to_be_protected_raises_only_our_error(sessions: str) -> None:
    outbound, _ = pair()
    for size in (srtp.MAX_PACKET + 300, 65_000):
        with pytest.raises(SrtpError):
            outbound.rtp(PACKET + bytes(size))
        with pytest.raises(SrtpError):
            outbound.rtcp(REPORT + bytes(size))
