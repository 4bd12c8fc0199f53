"""media/stream.py: where a packet stands among those that came before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import ntp, rtp
from media.codecs import Codec
from media.rtcp import SenderReport
from media.sender_clock import SenderClock
from media.stream import RING_PACKETS, Order, Stream

H264 = Codec("H264", 102, 90000, 0, "packetization-mode=1", 103, ("nack", "nack pli"))
OPUS = Codec("opus", 111, 48000, 2, "", None, ("nack",))


def stream(codec: Codec = H264) -> Stream:
    return Stream(7, "audio" if codec is OPUS else "video", codec, {}, SenderClock())


def packet(sequence: int, timestamp: int | None = None, payload: bytes = b"\x41") -> rtp.Packet:
    timestamp = (sequence * 3000 if timestamp is None else timestamp) & 0xFFFFFFFF
    made = rtp.parse(rtp.HEADER.pack(0x80, 102, sequence & 0xFFFF, timestamp, 7) + payload)
    assert made is not None
    return made


def test_a_packet_is_next_late_stale_or_repeated() -> None:
    it = stream()
    assert it.receive(packet(65534), 1.0) is Order.NEXT
    assert it.receive(packet(65538), 1.0) is Order.NEXT
    assert it.receive(packet(65536), 1.0) is Order.LATE
    assert it.receive(packet(65536), 1.0) is Order.REPEATED
    assert it.receive(packet(65534), 1.0) is Order.REPEATED
    assert it.receive(packet(65580), 2.5) is Order.NEXT
    assert it.receive(packet(65537), 2.5) is Order.STALE  # more than a second of RTP time behind the newest


def test_one_packet_numbered_like_nothing_before_is_left_out() -> None:
    it = stream()
    it.receive(packet(5000, timestamp=0), 1.0)
    for odd in (5000 - RING_PACKETS, 9000, 40000):
        assert it.receive(packet(odd, timestamp=0), 1.0) is Order.ODD
    assert it.receive(packet(5001, timestamp=-2 * 90000 & 0xFFFFFFFF), 1.0) is Order.ODD
    assert it.receive(packet(5001, timestamp=11 * 90000), 1.0) is Order.ODD
    assert it.receive(packet(5001, timestamp=0), 1.0) is Order.NEXT
    assert it.receive(packet(5001 - RING_PACKETS, timestamp=0), 1.0, repaired=True) is Order.REPEATED
    assert it.receive(packet(5002 - RING_PACKETS, timestamp=0), 1.0) is Order.LATE


def test_two_in_a_row_that_follow_from_nothing_before_begin_it_anew() -> None:
    it = stream()
    it.receive(packet(5000, timestamp=0), 1.0)
    assert it.receive(packet(40000, timestamp=7), 1.0) is Order.ODD
    assert it.receive(packet(40001, timestamp=8), 1.0) is Order.ANEW
    assert it.odd is not None
    assert it.odd.sequence == 40000


def test_after_a_pause_timestamps_may_be_as_much_later() -> None:
    it = stream()
    it.receive(packet(1, timestamp=0), 1.0)
    assert it.receive(packet(2, timestamp=3600 * 90000), 3601.0) is Order.NEXT


@given(st.lists(st.integers(0, 0xFFFF), max_size=200))
def test_no_number_is_let_through_twice(sequences: list[int]) -> None:
    it = stream()
    through = []
    for sequence in sequences:
        it_is = packet(sequence, timestamp=0)
        if it.receive(it_is, 1.0) in (Order.NEXT, Order.LATE):
            through.append(it_is.index)
    assert len(set(through)) == len(through)


def test_a_stream_forgets_how_late_a_repaired_packet_is() -> None:
    it = stream()
    for sequence in range(10):
        it.receive(packet(sequence), 1.0 + sequence / 30)
    it.receive(packet(12), 1.4)
    it.receive(packet(10), 1.4, repaired=True)
    it.receive(packet(11), 1.4, repaired=True)
    block = it.reception.block(2.0)
    assert block is not None
    assert block.cumulative_lost == 2  # lost on the way, though we have them


def test_only_what_went_out_may_be_asked_for_again() -> None:
    it = stream()
    one = packet(1)
    it.receive(one, 1.0)
    assert it.whole.ring.get(1, 1.0) is None
    it.forward([one], 1.0)
    assert it.whole.ring.get(1, 1.0) is one
    assert (it.whole.packets, it.whole.octets, it.whole.last) == (1, 1, one)


def test_sound_may_start_anywhere_and_a_picture_with_a_key_frame() -> None:
    assert stream(OPUS).starts_key_frame(packet(1))
    assert not stream().starts_key_frame(packet(1))
    assert stream().starts_key_frame(packet(1, payload=b"\x67"))


def test_the_present_instant_is_told_from_the_last_sender_report() -> None:
    it = stream()
    assert it.instant(100.0) is None
    it.sender_report(SenderReport(7, ntp.from_wall(4.0), 90_000, 0, 0), now=1.0, wall=100.0)
    assert it.instant(101.5) == (ntp.from_wall(101.5), 90_000 + 135_000)


def test_a_publishers_clock_is_known_by_the_fastest_of_its_reports() -> None:
    clock = SenderClock()
    assert clock.observe(SenderReport(7, ntp.from_wall(10.0), 0, 0, 0), wall=100.2) == pytest.approx(100.2)
    assert clock.observe(SenderReport(8, ntp.from_wall(11.0), 0, 0, 0), wall=101.05) == pytest.approx(101.05)
    assert clock.observe(SenderReport(7, ntp.from_wall(12.0), 0, 0, 0), wall=102.9) == pytest.approx(102.05)


def test_a_clock_that_drifts_is_followed_within_two_windows() -> None:
    clock = SenderClock()
    for second in range(300):
        clock.observe(SenderReport(7, ntp.from_wall(second), 0, 0, 0), wall=1000 + second * 1.001)
    assert 0.15 < clock.offset - 1000 < 0.3
