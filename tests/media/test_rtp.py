"""media/rtp.py: reading, writing and numbering."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media import rtp
from media.rtp import Packet, Unwrapper


def parsed(data: bytes) -> Packet:
    packet = rtp.parse(data)
    assert packet is not None
    return packet


def build(payload: bytes, *, sequence: int = 1, extensions: list[tuple[int, bytes]] | None = None) -> bytes:
    head = bytearray(rtp.header(1, 96, extensions or []))
    rtp.HEADER.pack_into(head, 0, head[0], head[1], sequence, 3000, 0xCAFE)
    return bytes(head) + payload


def test_a_header_written_is_the_header_read() -> None:
    packet = parsed(build(b"payload", sequence=65535, extensions=[(1, b"\x7f"), (4, b"\1\2\3"), (14, b"a mid")]))
    assert (packet.marker, packet.payload_type, packet.sequence) == (1, 96, 65535)
    assert (packet.timestamp, packet.ssrc) == (3000, 0xCAFE)
    assert packet.extensions == {1: b"\x7f", 4: b"\1\2\3", 14: b"a mid"}
    assert packet.payload == b"payload"


def test_padding_and_contributing_sources_are_no_payload() -> None:
    data = bytes([0xB2]) + build(b"")[1:] + b"CSRCcsrc" + bytes.fromhex("bede0001 10aa0000") + b"payload" + b"\0\0\3"
    packet = parsed(data)
    assert packet.payload == b"payload"
    assert packet.extensions == {1: b"\xaa"}
    assert parsed(packet.plain()).payload == b"payload"
    assert parsed(packet.plain()).extensions == {}


def test_two_byte_extensions_are_read() -> None:
    data = bytes([0x90]) + build(b"")[1:] + bytes.fromhex("10000002 0300 0502aabb 0000") + b"x"
    assert parsed(data).extensions == {3: b"", 5: b"\xaa\xbb"}


def test_a_retransmission_becomes_the_packet_it_repeats() -> None:
    data = build(b"\xff\xfe" + b"payload", sequence=9, extensions=[(1, b"0")])
    packet = parsed(data).without_rtx(102, 0xBEEF)
    assert packet is not None
    assert (packet.sequence, packet.payload_type, packet.ssrc) == (0xFFFE, 102, 0xBEEF)
    assert (packet.marker, packet.timestamp, packet.payload) == (1, 3000, b"payload")
    assert parsed(build(b"")).without_rtx(102, 0xBEEF) is None


@given(st.binary(max_size=200))
def test_bytes_that_are_no_packet_are_none_and_raise_nothing(data: bytes) -> None:
    packet = rtp.parse(data)
    assert packet is None or 12 <= packet.start <= packet.end <= len(data)


@given(st.binary(max_size=100), st.integers(0, 15), st.booleans(), st.booleans(), st.sampled_from([0xBEDE, 0x1000, 7]))
def test_half_plausible_packets_raise_nothing(rest: bytes, count: int, x: bool, p: bool, profile: int) -> None:
    head = bytes([0x80 | p << 5 | x << 4 | count]) + build(b"")[1:] + bytes(4 * count)
    packet = rtp.parse(head + profile.to_bytes(2, "big") + rest)
    assert packet is None or packet.end <= len(head) + 2 + len(rest)


def test_indices_go_on_where_sequence_numbers_wrap() -> None:
    unwrapper = Unwrapper()
    first = unwrapper.index(65530)
    assert [unwrapper.index(n & 0xFFFF) - first for n in (65534, 65540, 65535, 65541, 65529)] == [4, 10, 5, 11, -1]
    assert unwrapper.highest - first == 11


@given(st.integers(0, 65535), st.lists(st.integers(-3000, 3000), max_size=50))
def test_an_index_is_the_sequence_number_and_a_number_of_turns(start: int, steps: list[int]) -> None:
    unwrapper, sequence = Unwrapper(), start
    first = at = unwrapper.index(start)
    for step in steps:
        if abs(at + step - unwrapper.highest) < 0x8000:
            sequence, at = (sequence + step) & 0xFFFF, at + step
            assert unwrapper.index(sequence) == at
            assert (at - first + start) & 0xFFFF == sequence


def test_abs_send_time_counts_seconds_in_24_bits() -> None:
    assert rtp.abs_send_time(0.5) == b"\x02\x00\x00"
    assert rtp.abs_send_time(64.0) == rtp.abs_send_time(0.0)
