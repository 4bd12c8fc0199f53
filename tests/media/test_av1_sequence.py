"""media/av1_sequence.py: sequence headers as encoders write them, and as nobody should."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.av1_sequence import SequenceHeader
from media.bits import BitsError


class Bits:
    """A header put together field by field."""

    def __init__(self) -> None:
        self._text = ""

    def put(self, *fields: tuple[int, int]) -> Bits:
        """Values and how many bits they have."""
        for value, count in fields:
            self._text += f"{value:0{count}b}"
        return self

    def __bytes__(self) -> bytes:
        padded = self._text + "1" + "0" * (-(len(self._text) + 1) % 8)  # trailing bits (section 5.3.4)
        return int(padded, 2).to_bytes(len(padded) // 8, "big")


def header(profile: int = 0, level: int = 5, timed: bool = False, colour: tuple[tuple[int, int], ...] = ()) -> bytes:
    """Of 1280 x 720, with what `colour` says behind the tools; with timing and a decoder model if `timed`."""
    bits = Bits().put((profile, 3), (0, 1), (0, 1), (timed, 1))
    if timed:
        bits.put((1, 32), (30, 32), (1, 1), (1, 1), (1, 1), (9, 5), (1, 32), (4, 5), (4, 5))
    bits.put((1, 1), (1, 5))  # an initial display delay, and two operating points
    for index, each in enumerate((level, 4)):
        bits.put((index, 12), (each, 5))
        if each > 7:
            bits.put((1, 1))
        if timed:
            bits.put((1, 1), (1000, 10), (1000, 10), (0, 1))
        bits.put((1, 1), (3, 4))
    bits.put((10, 4), (9, 4), (1279, 11), (719, 10), (1, 1), (12, 4), (1, 3), (0, 3))
    bits.put((0, 4), (1, 1), (0, 2), (0, 1), (1, 1), (0, 1), (1, 1), (6, 3), (0, 3))
    return bytes(bits.put(*colour, (0, 1), (0, 1)))


PLAIN = ((0, 1), (0, 1), (0, 1), (0, 1), (1, 2))
DEEP = ((1, 1), (0, 1), (0, 1), (0, 1), (0, 2))
GREY = ((0, 1), (1, 1), (0, 1), (0, 1))
SRGB = ((0, 1), (1, 1), (1, 8), (13, 8), (0, 8))


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize(
    ("profile", "level", "colour", "found"),
    [
        (0, 5, PLAIN, (5, 0, 8, False, (1, 1), 1)),
        (0, 9, DEEP, (9, 1, 10, False, (1, 1), 0)),
        (0, 5, GREY, (5, 0, 8, True, (1, 1), 0)),
        (1, 5, SRGB, (5, 0, 8, False, (0, 0), 0)),
    ],
)
def test_size_level_and_colour_are_read_whatever_stands_before_them(
    profile: int,
    level: int,
    colour: tuple[tuple[int, int], ...],
    found: tuple[int, int, int, bool, tuple[int, int], int],
    timed: bool,
) -> None:
    it = SequenceHeader.parse(header(profile, level, timed, colour))
    assert (it.width, it.height, it.profile) == (1280, 720, profile)
    assert (it.level, it.tier, it.depth, it.monochrome, it.subsampling, it.sample_position) == found


@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_but_a_plain_error(data: bytes) -> None:
    with contextlib.suppress(BitsError):
        SequenceHeader.parse(data)
