"""What a decoder must know before the first frame, read from the frame itself: size, profile, parameter sets.

A `Format` is what an initialisation segment is made of. Two frames with equal formats share one.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.av1_sequence import SequenceHeader
from media.bits import BitReader, BitsError
from media.sps import Sps
from recorder.boxes import audio_entry, box, full_box, video_entry


@dataclass(frozen=True, slots=True)
class Format:
    """`entry` is the sample entry of an MP4 file, `codecs` its name for players (RFC 6381)."""

    codecs: str
    entry: bytes
    width: int = 0
    height: int = 0


class FormatError(ValueError):
    """A frame that says of itself what cannot be."""


# Opus in MP4: version 0, two channels at most, no pre-skip (the lesson clock already holds the encoder's delay),
# 48 kHz, gain 0, mapping family 0.
OPUS = Format("opus", audio_entry(b"Opus", 2, 48000, box(b"dOps", bytes.fromhex("00 02 0000 0000bb80 0000 00"))))


def h264(sequence_sets: tuple[bytes, ...], picture_sets: tuple[bytes, ...]) -> Format:
    """The format of H.264 with these parameter sets (whole NAL units). Raises FormatError.

    They also stand in the stream, before each key frame, and the sample entry says so (avc3, ISO/IEC 14496-15 section
    5.4): a list goes on through another size of the picture without a new initialisation segment, of which FFmpeg takes
    one only.
    """
    try:
        sps = Sps.parse(sequence_sets[0])
    except (BitsError, IndexError) as error:
        raise FormatError("a sequence parameter set that is none") from error
    record = b"\x01" + sequence_sets[0][1:4] + b"\xff" + bytes([0xE0 | len(sequence_sets)])
    record += b"".join(len(unit).to_bytes(2, "big") + unit for unit in sequence_sets)
    record += bytes([len(picture_sets)])
    record += b"".join(len(unit).to_bytes(2, "big") + unit for unit in picture_sets)
    if sps.high:
        record += bytes([0xFC | sps.chroma, 0xF8 | sps.luma_depth - 8, 0xF8 | sps.chroma_depth - 8, 0])
    entry = video_entry(b"avc3", sps.width, sps.height, box(b"avcC", record))
    return Format(f"avc3.{sequence_sets[0][1:4].hex()}", entry, sps.width, sps.height)


def vp8(key_frame: bytes) -> Format:
    """The format of VP8, which lives in WebM only: its size (RFC 6386 section 9.1). Raises FormatError."""
    if len(key_frame) < 10 or key_frame[3:6] != b"\x9d\x01\x2a":
        raise FormatError("a VP8 key frame without its start code")
    width = int.from_bytes(key_frame[6:8], "little") & 0x3FFF
    height = int.from_bytes(key_frame[8:10], "little") & 0x3FFF
    if not width or not height:
        raise FormatError("a VP8 picture of no size")
    return Format("vp8", b"", width, height)


def av1(sequence_header: bytes) -> Format:
    """The format of AV1 from a sequence header (the OBU's payload). Raises FormatError."""
    try:
        sequence = SequenceHeader.parse(sequence_header)
    except BitsError as error:
        raise FormatError("an AV1 sequence header that is none") from error
    horizontal, vertical = sequence.subsampling
    shape = (sequence.depth > 8) << 6 | (sequence.depth == 12) << 5 | sequence.monochrome << 4
    shape |= sequence.tier << 7 | horizontal << 3 | vertical << 2 | sequence.sample_position
    if len(sequence_header) > 127:
        raise FormatError("an AV1 sequence header with much behind it")
    # AV1 in ISOBMFF section 2.3: the header once more, as an OBU that says its size.
    record = bytes((0x81, sequence.profile << 5 | sequence.level, shape, 0, 0x0A, len(sequence_header)))
    entry = video_entry(b"av01", sequence.width, sequence.height, box(b"av1C", record + sequence_header))
    tier = "H" if sequence.tier else "M"
    codecs = f"av01.{sequence.profile}.{sequence.level:02}{tier}.{sequence.depth:02}"
    return Format(codecs, entry, sequence.width, sequence.height)


def vp9(key_frame: bytes, largest: tuple[int, int] = (0, 0)) -> Format:
    """The format of VP9 from the uncompressed header of a key frame (VP9 section 6.2). Raises FormatError.

    A scalable stream's key frame is its smallest layer; `largest` is the size of the largest one, where that is known.
    """
    try:
        bits = BitReader(key_frame[:32])
        if bits.read(2) != 2:
            raise BitsError("no VP9 frame marker")
        profile = bits.read(1) | bits.read(1) << 1
        if profile == 3:
            bits.read(1)
        if bits.read(1) or bits.read(1):  # show_existing_frame, frame_type
            raise BitsError("not a VP9 key frame")
        bits.read(2)
        if bits.read(24) != 0x498342:
            raise BitsError("no VP9 sync code")
        depth = (12 if bits.read(1) else 10) if profile >= 2 else 8
        subsampling = 1  # 4:2:0 collocated, the only one of profiles 0 and 2
        if bits.read(3) != 7:  # not RGB
            full_range = bits.read(1)
            if profile in (1, 3):
                subsampling = 3 - bits.read(1) - bits.read(1)
                bits.read(1)
        else:
            full_range, subsampling = 1, 3
            if profile in (1, 3):
                bits.read(1)
        width, height = max((bits.read(16) + 1, bits.read(16) + 1), largest)
    except BitsError as error:
        raise FormatError("a VP9 key frame whose header is none") from error
    level = _vp9_level(width * height)
    configuration = bytes([profile, level, depth << 4 | subsampling << 1 | full_range, 2, 2, 2, 0, 0])
    entry = video_entry(b"vp09", width, height, full_box(b"vpcC", 1, 0, configuration))
    return Format(f"vp09.{profile:02}.{level:02}.{depth:02}", entry, width, height)


def _vp9_level(pixels: int) -> int:
    """The lowest level whose picture is large enough (VP9 annex A); rates of lessons stay below its other limits."""
    for level, limit in ((10, 36864), (20, 122880), (21, 245760), (30, 552960), (31, 983040), (40, 2228224)):
        if pixels <= limit:
            return level
    return 51
