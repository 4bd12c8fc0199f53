"""How tall a picture is, read from the RTP payload that starts its key frame. Layers are told apart by it."""

from __future__ import annotations

from collections.abc import Callable

from media.av1_sequence import SequenceHeader
from media.bits import BitReader, BitsError
from media.keyframes import vp8_frame_at, vp9_descriptor_end
from media.sps import Sps

_SPS, _STAP_A = 7, 24
_AV1_SEQUENCE_HEADER = 1


def height(codec: str, payload: bytes) -> int:
    """In pixels; 0 where this payload does not say it. Never raises."""
    reader = _READERS.get(codec)
    try:
        return reader(payload) if reader is not None else 0
    except (IndexError, BitsError):
        return 0


def _h264(payload: bytes) -> int:
    """A sequence parameter set alone or in an aggregation (RFC 6184 section 5.7.1)."""
    kind = payload[0] & 31
    if kind == _SPS:
        return Sps.parse(payload).height
    at = 1
    while kind == _STAP_A and at + 2 < len(payload):
        size = payload[at] << 8 | payload[at + 1]
        if payload[at + 2] & 31 == _SPS:
            return Sps.parse(payload[at + 2 : at + 2 + size]).height
        at += 2 + size
    return 0


def _vp8(payload: bytes) -> int:
    """RFC 6386 section 9.1: three bytes of frame tag, the start code, width, height with two bits of scaling."""
    at = vp8_frame_at(payload)
    if payload[at] & 1 or payload[at + 3 : at + 6] != b"\x9d\x01\x2a":
        return 0
    return (payload[at + 8] | payload[at + 9] << 8) & 0x3FFF


def _vp9(payload: bytes) -> int:
    """The tallest of the scalability structure (RFC 9628 section 4.2.1), else the frame's own header (VP9 6.2)."""
    at = vp9_descriptor_end(payload)
    if payload[0] & 0x02:
        flags = payload[at]
        if flags & 0x10:
            sizes = range(at + 1, at + 1 + 4 * ((flags >> 5) + 1), 4)
            return max(payload[size + 2] << 8 | payload[size + 3] for size in sizes)
        return 0
    bits = BitReader(payload[at : at + 16])
    if bits.read(2) != 2 or bits.read(2) or bits.read(2):  # frame marker; profile 0; shown, a key frame
        return 0
    bits.read(2)
    if bits.read(24) != 0x498342:
        return 0
    if bits.read(3) == 7:
        return 0  # RGB, which profile 0 does not have
    bits.read(1)
    bits.read(16)
    return bits.read(16) + 1


def _av1(payload: bytes) -> int:
    """The sequence header OBU, which comes first (AV1 section 5.5; RTP aggregation header, section 4.4 of its own)."""
    count = payload[0] >> 4 & 3
    at = 1
    if count != 1:  # else the only element has no length
        while payload[at] & 0x80:
            at += 1
        at += 1
    header = payload[at]
    if header >> 3 & 15 != _AV1_SEQUENCE_HEADER:
        return 0
    at += 2 if header & 4 else 1
    if header & 2:
        while payload[at] & 0x80:
            at += 1
        at += 1
    return SequenceHeader.parse(payload[at : at + 40]).height


_READERS: dict[str, Callable[[bytes], int]] = {"H264": _h264, "VP8": _vp8, "VP9": _vp9, "AV1": _av1}
