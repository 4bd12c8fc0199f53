"""media/heights.py: how tall the pictures of real and made key frames are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtp
from media.heights import height
from media.keyframes import starts_key_frame
from media.sdp import SessionDescription
from tests.support.captured import captured
from tests.support.flow import vp8_key


@pytest.mark.parametrize(("browser", "codec"), [("chromium", "H264"), ("firefox", "VP8"), ("ffmpeg", "H264")])
def test_a_real_key_frame_says_how_tall_it_is(browser: str, codec: str) -> None:
    rtpmaps = SessionDescription.parse(captured(browser).offer).sections[1].rtpmaps
    packets = [packet for data in captured(browser).rtp if (packet := rtp.parse(data)) is not None]
    payloads = [it.payload for it in packets if (of := rtpmaps.get(it.payload_type)) is not None and of.name == codec]
    first = next(payload for payload in payloads if starts_key_frame(codec, payload))
    assert height(codec, first) in (180, 270, 360, 480)
    assert height(codec, payloads[-1]) == 0


@pytest.mark.parametrize(
    ("codec", "payload", "expected"),
    [
        ("VP8", vp8_key(720).hex(), 720),
        ("VP8", "10 010000 9d012a 0005 d002", 0),  # no key frame
        ("VP8", "10 000000 9d012b 0005 d002", 0),  # no start code
        ("VP9", "0a 10 0500 02d0", 720),  # a scalability structure of one size
        ("VP9", "0a 30 0280 0168 0500 02d0", 720),  # of two
        ("VP9", "0a 00", 0),
        ("VP9", "08 8249 8342 0027 f02c f0", 720),
        ("VP9", "08 8649 8342 0027 f02c f0", 0),  # no key frame
        ("AV1", "18 32 0000", 0),  # another unit
        ("H264", "67", 0),
        ("opus", "67", 0),
    ],
)
def test_the_head_of_a_key_frame_says_it(codec: str, payload: str, expected: int) -> None:
    assert height(codec, bytes.fromhex(payload)) == expected


def test_av1_says_it_in_its_sequence_header() -> None:
    bits = "000000000000" + "0" * 12 + "00000" + "10101001" + f"{1279:011b}" + f"{719:010b}"
    header = int(bits.ljust(80, "0"), 2).to_bytes(10, "big")
    assert height("AV1", bytes((0x18, 0x0A, 10)) + header) == 720
    assert height("AV1", bytes((0x28, 11, 0x08)) + header + b"frame") == 720  # as Chromium sends it, with the frame


@given(st.sampled_from(["H264", "VP8", "VP9", "AV1"]), st.binary(max_size=40))
def test_no_payload_raises(codec: str, payload: bytes) -> None:
    assert 0 <= height(codec, payload) <= 1 << 16
