"""media/pictures.py: where VP8 and VP9 keep their picture numbers, and how a slot shifts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.pictures import Numbers, Shift, numbers


@pytest.mark.parametrize(
    ("codec", "payload", "found"),
    [
        ("VP8", "90e0 81ff 07 20 data", Numbers(2, 0x1FF, True, 4, 7)),
        ("VP8", "90c0 7f 08", Numbers(2, 0x7F, False, 3, 8)),
        ("VP8", "9080 05", Numbers(2, 5, False, 0, 0)),
        ("VP8", "9040 05", None),
        ("VP8", "10 00", None),
        ("VP8", "90e0 81", None),
        ("VP9", "ac 8123 00 55", Numbers(1, 0x123, True, 4, 0x55)),
        ("VP9", "bc 8123 00 55", Numbers(1, 0x123, True, 0, 0)),
        ("VP9", "8c 23", Numbers(1, 0x23, False, 0, 0)),
        ("VP9", "0c 23", None),
        ("H264", "ac 8123 00 55", None),
    ],
)
def test_numbers_are_found_where_the_codec_keeps_them(codec: str, payload: str, found: Numbers | None) -> None:
    assert numbers(codec, bytes.fromhex(payload.replace("data", "da7a"))) == found


@given(st.sampled_from(["VP8", "VP9"]), st.binary(max_size=12))
def test_no_payload_raises(codec: str, payload: bytes) -> None:
    found = numbers(codec, payload)
    assert found is None or found.picture_at < len(payload)


@pytest.mark.parametrize(
    ("payload", "shift", "becomes"),
    [
        ("90e0 ffff fe 20", Shift(2, 3), "90e0 8001 01 20"),
        ("90e0 8000 00 20", Shift(-1, -1), "90e0 ffff ff 20"),
        ("90c0 7f 08", Shift(1, 1), "90c0 00 09"),
    ],
)
def test_shifted_numbers_stay_within_their_bits(payload: str, shift: Shift, becomes: str) -> None:
    memory = bytearray(bytes.fromhex("aabb" + payload))
    found = numbers("VP8", bytes(memory[2:]))
    assert found is not None
    shift.write(memoryview(memory), 2, found)
    assert memory == bytes.fromhex("aabb" + becomes)
