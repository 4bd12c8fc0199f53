"""Sequence headers of AV1 (section 5.5): the picture's size, and what the archive must say of the stream."""

from __future__ import annotations

from dataclasses import dataclass

from media.bits import BitReader, BitsError

_SELECT = 2  # seq_force_screen_content_tools: each frame says it
_SRGB = (1, 13, 0)  # primaries, transfer, matrix that mean 4:4:4 without a bit of it


@dataclass(frozen=True, slots=True)
class SequenceHeader:
    """What we need of a sequence header; level and tier are of operating point 0, which is all layers together."""

    profile: int
    level: int
    tier: int
    width: int  # pixels, of the largest picture
    height: int
    depth: int  # bits per sample
    monochrome: bool
    subsampling: tuple[int, int]  # horizontal, vertical; (1, 1) is 4:2:0
    sample_position: int
    reduced: bool  # a still picture's, whose frames say no type

    @classmethod
    def parse(cls, payload: bytes) -> SequenceHeader:
        """Read an OBU's bytes behind its header. Raises BitsError."""
        bits = BitReader(payload)
        profile = bits.read(3)
        bits.read(1)  # still_picture
        reduced = bool(bits.read(1))
        if profile > 2:
            raise BitsError("an AV1 profile that is reserved")
        level, tier = (bits.read(5), 0) if reduced else cls._operating_points(bits)
        width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
        width, height = bits.read(width_bits) + 1, bits.read(height_bits) + 1
        if not reduced and bits.read(1):
            bits.read(4 + 3)  # lengths of frame ids
        bits.read(3)  # 128x128 superblocks, filter intra, intra edge filter
        if not reduced:
            cls._skip_tools(bits)
        bits.read(3)  # superres, cdef, restoration
        depth, monochrome, subsampling, position = cls._colour(bits, profile)
        return cls(profile, level, tier, width, height, depth, monochrome, subsampling, position, reduced)

    @staticmethod
    def _operating_points(bits: BitReader) -> tuple[int, int]:
        """Level and tier of the first one."""
        delay_bits = 0
        if bits.read(1):  # timing_info
            bits.read(64)
            if bits.read(1):
                bits.ue()  # num_ticks_per_picture_minus_1
            if bits.read(1):  # decoder_model_info
                delay_bits = bits.read(5) + 1
                bits.read(32 + 5 + 5)
        display_delay = bits.read(1)
        found: list[tuple[int, int]] = []
        for _ in range(bits.read(5) + 1):
            bits.read(12)  # which layers
            level = bits.read(5)
            found.append((level, bits.read(1) if level > 7 else 0))
            if delay_bits and bits.read(1):
                bits.read(2 * delay_bits + 1)
            if display_delay and bits.read(1):
                bits.read(4)
        return found[0]

    @staticmethod
    def _skip_tools(bits: BitReader) -> None:
        bits.read(4)  # interintra, masked compound, warped motion, dual filter
        order_hint = bits.read(1)
        if order_hint:
            bits.read(2)  # jnt_comp, ref_frame_mvs
        screen = _SELECT if bits.read(1) else bits.read(1)
        if screen and not bits.read(1):
            bits.read(1)  # seq_force_integer_mv
        if order_hint:
            bits.read(3)

    @staticmethod
    def _colour(bits: BitReader, profile: int) -> tuple[int, bool, tuple[int, int], int]:
        """color_config (5.5.2): depth, whether there is no colour, subsampling, where its samples lie."""
        high = bits.read(1)
        depth = 12 if profile == 2 and high and bits.read(1) else 10 if high else 8
        monochrome = bool(profile != 1 and bits.read(1))
        described = (bits.read(8), bits.read(8), bits.read(8)) if bits.read(1) else None
        if monochrome:
            bits.read(1)
            return depth, True, (1, 1), 0
        if described == _SRGB:
            return depth, False, (0, 0), 0
        bits.read(1)  # color_range
        if profile == 0:
            subsampling = 1, 1
        elif profile == 1:
            subsampling = 0, 0
        elif depth == 12:
            horizontal = bits.read(1)
            subsampling = horizontal, bits.read(1) if horizontal else 0
        else:
            subsampling = 1, 0
        return depth, False, subsampling, bits.read(2) if subsampling == (1, 1) else 0
