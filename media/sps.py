"""Sequence parameter sets of H.264 (section 7.3.2.1.1): the picture's size, and what the archive must say of it."""

from __future__ import annotations

from dataclasses import dataclass

from media.bits import BitReader, BitsError


@dataclass(frozen=True, slots=True)
class Sps:
    """What we need of a sequence parameter set (H.264 section 7.3.2.1.1)."""

    width: int
    height: int
    high: bool
    chroma: int
    luma_depth: int
    chroma_depth: int

    @classmethod
    def parse(cls, unit: bytes) -> Sps:
        """Read the NAL unit. Raises BitsError."""
        bits = BitReader(unit[1:].replace(b"\0\0\3", b"\0\0"))
        profile = bits.read(8)
        bits.read(16)  # constraints, level
        bits.ue()  # seq_parameter_set_id
        high = profile in (100, 110, 122, 244, 44, 83, 86, 118, 128)
        chroma, luma_depth, chroma_depth = 1, 8, 8
        if high:
            chroma = bits.ue()
            if chroma == 3:
                bits.read(1)
            luma_depth, chroma_depth = 8 + bits.ue(), 8 + bits.ue()
            bits.read(1)
            if bits.read(1):
                for index in range(8 if chroma != 3 else 12):
                    if bits.read(1):
                        cls._skip_scaling_list(bits, 16 if index < 6 else 64)
        bits.ue()  # log2_max_frame_num
        order = bits.ue()
        if order == 0:
            bits.ue()
        elif order == 1:
            bits.read(1)
            bits.se()
            bits.se()
            for _ in range(min(bits.ue(), 255)):
                bits.se()
        bits.ue()  # max_num_ref_frames
        bits.read(1)
        width, height = 16 * (bits.ue() + 1), 16 * (bits.ue() + 1)
        frames_only = bits.read(1)
        if not frames_only:
            height *= 2
            bits.read(1)
        bits.read(1)
        if bits.read(1):  # cropping, in units of chroma samples
            left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
            width -= (left + right) * (1 if chroma in (0, 3) else 2)
            height -= (top + bottom) * (2 if chroma == 1 else 1) * (2 - frames_only)
        if not (0 < width <= 16384 and 0 < height <= 16384 and chroma <= 3 and luma_depth <= 14 and chroma_depth <= 14):
            raise BitsError("a picture of impossible size")
        return cls(width, height, high, chroma, luma_depth, chroma_depth)

    @staticmethod
    def _skip_scaling_list(bits: BitReader, size: int) -> None:
        last = following = 8
        for _ in range(size):
            if following:
                following = (last + bits.se()) % 256
            last = following or last
