import contextlib

import aiortc.rtp
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from media import rtcp
from media.rtcp import (
    Bye,
    FullIntraRequest,
    LastReceiverReference,
    Nack,
    Packet,
    PictureLoss,
    ReceiverReferenceTime,
    ReceiverReport,
    Remb,
    ReportBlock,
    RtcpError,
    SenderReport,
    SourceDescription,
    TransportFeedback,
)
from tests.support.captured import CONNECTIONS, captured

ALL = [*CONNECTIONS, ("ffmpeg", "send")]
BLOCK = ReportBlock(7, 128, -3, 0x1_FFFF, 90, 0xAABBCCDD, 65536)

u32 = st.integers(0, 0xFFFF_FFFF)
u16 = st.integers(0, 0xFFFF)
u64 = st.integers(0, 2**64 - 1)
blocks = st.lists(
    st.builds(ReportBlock, u32, st.integers(0, 255), st.integers(-(2**23), 2**23 - 1), u32, u32, u32, u32), max_size=31
).map(tuple)
ssrcs = st.lists(u32, max_size=31).map(tuple)
packets: st.SearchStrategy[Packet] = st.one_of(
    st.builds(SenderReport, u32, u64, u32, u32, u32, blocks),
    st.builds(ReceiverReport, u32, blocks),
    st.builds(SourceDescription, st.lists(st.tuples(u32, st.text(max_size=40)), max_size=31).map(tuple)),
    st.builds(Bye, ssrcs),
    st.builds(PictureLoss, u32, u32),
    st.builds(FullIntraRequest, u32, st.lists(st.tuples(u32, st.integers(0, 255)), max_size=9).map(tuple)),
    st.builds(Remb, u32, st.integers(0, 0x3FFFF).map(lambda mantissa: mantissa << 8), ssrcs),
    st.builds(ReceiverReferenceTime, u32, u64),
    st.builds(LastReceiverReference, u32, st.lists(st.tuples(u32, u32, u32), max_size=9).map(tuple)),
)


@pytest.mark.parametrize(("browser", "direction"), ALL)
def test_every_report_of_a_real_browser_is_understood_and_written_back_alike(browser: str, direction: str) -> None:
    for data in captured(browser, direction).rtcp:
        parsed = rtcp.parse(data)
        assert parsed
        assert b"".join(map(bytes, parsed)) == data


@pytest.mark.parametrize(("browser", "direction"), ALL)
def test_reports_say_what_an_independent_reader_finds_in_them(browser: str, direction: str) -> None:
    for data in captured(browser, direction).rtcp:
        reports = [each for each in rtcp.parse(data) if isinstance(each, SenderReport)]
        others = [each for each in aiortc.rtp.RtcpPacket.parse(data) if isinstance(each, aiortc.rtp.RtcpSrPacket)]
        assert [(each.ssrc, each.ntp, each.rtp, each.packets, each.octets) for each in reports] == [
            (each.ssrc, info.ntp_timestamp, info.rtp_timestamp, info.packet_count, info.octet_count)
            for each in others
            for info in [each.sender_info]
        ]


def test_both_browsers_answer_our_reference_times_and_chromium_sends_its_own() -> None:
    for browser in ("chromium", "firefox"):
        sent = [each for data in captured(browser).rtcp for each in rtcp.parse(data)]
        assert any(isinstance(each, LastReceiverReference) for each in sent)
    watched = [each for data in captured("chromium", "receive").rtcp for each in rtcp.parse(data)]
    assert any(isinstance(each, ReceiverReferenceTime) for each in watched)


def test_chromium_asks_for_lost_sound_too() -> None:
    capture = captured("chromium", "receive")
    ssrc = next(int(line[7:].split()[0]) for line in capture.answer.splitlines() if line.startswith("a=ssrc:"))
    asked = [each for data in capture.rtcp for each in rtcp.parse(data) if isinstance(each, Nack)]
    assert any(each.media_ssrc == ssrc for each in asked)


@given(st.lists(packets, min_size=1, max_size=4))
def test_what_is_written_is_read_back(written: list[Packet]) -> None:
    assert rtcp.parse(b"".join(map(bytes, written))) == written


@given(u32, u32, u16, st.lists(st.integers(1, 40), max_size=60))
def test_any_set_of_lost_packets_can_be_asked_for(ssrc: int, media_ssrc: int, first: int, steps: list[int]) -> None:
    lost = [first]
    for step in steps:
        lost.append(lost[-1] + step & 0xFFFF)
    assert rtcp.parse(bytes(Nack(ssrc, media_ssrc, tuple(lost)))) == [Nack(ssrc, media_ssrc, tuple(lost))]


def test_neighbours_share_one_entry_of_a_nack_across_the_wrap() -> None:
    data = bytes(Nack(1, 2, (65534, 65535, 0, 14)))
    assert len(data) == 16
    assert rtcp.parse(data) == [Nack(1, 2, (65534, 65535, 0, 14))]


arrivals = st.lists(st.one_of(st.none(), st.integers(0, 300), st.integers(-2000, 2000)), min_size=1, max_size=400).map(
    tuple
)


@given(u32, u32, u16, st.integers(0, 0xFFFFFF), st.integers(0, 255), arrivals)
@example(1, 2, 3, 4, 5, (None,) * 20)
@example(1, 2, 3, 4, 5, (0,) * 4096)
@example(1, 2, 3, 4, 5, (0, None, 1, None, 400, *range(401, 500)))
def test_transport_wide_feedback_is_read_back(
    ssrc: int, media_ssrc: int, base: int, reference: int, count: int, arrivals: tuple[int | None, ...]
) -> None:
    feedback = TransportFeedback(ssrc, media_ssrc, base, reference, count, arrivals)
    data = bytes(feedback)
    assert len(data) % 4 == 0
    assert rtcp.parse(data) == [feedback]


def test_arrivals_too_far_apart_for_one_feedback_are_refused() -> None:
    with pytest.raises(RtcpError):
        bytes(TransportFeedback(1, 2, 3, 4, 5, (0, 32768)))


def test_a_bitrate_keeps_eighteen_significant_bits() -> None:
    (remb,) = rtcp.parse(bytes(Remb(1, 3_456_789, (5,))))
    assert isinstance(remb, Remb)
    assert 0 <= 3_456_789 - remb.bitrate < 3_456_789 / 2**17
    assert remb.ssrcs == (5,)


def test_loss_may_be_negative_and_padding_is_taken_off() -> None:
    data = bytes(ReceiverReport(1, (BLOCK,)))
    padded = bytes((data[0] | 0x20,)) + data[1:2] + (len(data) // 4).to_bytes(2, "big") + data[4:] + b"\0\0\0\4"
    assert rtcp.parse(padded) == [ReceiverReport(1, (BLOCK,))]


def test_unknown_packets_and_blocks_are_skipped() -> None:
    application = b"\x80\xcc\x00\x02" + bytes(8)
    unknown_block = b"\x80\xcf\x00\x02" + b"\0\0\0\1" + b"\x63\0\0\0"
    assert rtcp.parse(application + unknown_block + bytes(PictureLoss(1, 2))) == [PictureLoss(1, 2)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\xc9\x00",
        b"\x40\xc9\x00\x01\0\0\0\1",  # version 1
        b"\x80\xc9\x00\x09\0\0\0\1",  # longer than the datagram
        b"\x81\xc9\x00\x01\0\0\0\1",  # a block that is not there
        b"\xa0\xc9\x00\x01\0\0\0\x63",  # padding longer than the packet
        b"\xa0\xc9\x00\x01\0\0\0\0",  # padding of nothing
        b"\x80\xc8\x00\x01\0\0\0\1",  # a sender report without its numbers
        b"\x81\xca\x00\x02\0\0\0\1\1\x20ab",  # a name longer than the packet
        b"\x8f\xcd\x00\x04\0\0\0\1\0\0\0\2\0\0\xff\xff\0\0\0\0",  # feedback on 65535 packets
        b"\x8f\xcd\x00\x05\0\0\0\1\0\0\0\2\0\0\0\x08\0\0\0\0\0\0\0\0",  # runs of nothing
        b"\x8f\xce\x00\x03\0\0\0\1\0\0\0\0REMB",
        b"\x80\xcf\x00\x02\0\0\0\1\x04\0\0\x02",
    ],
)
def test_malformed_bytes_are_said_to_be_malformed(data: bytes) -> None:
    with pytest.raises(RtcpError):
        rtcp.parse(data)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(RtcpError):
        rtcp.parse(data)


@given(st.integers(200, 207), st.integers(0, 31), st.binary(max_size=120))
def test_no_body_of_a_known_type_makes_it_raise_anything_else(type_: int, count: int, body: bytes) -> None:
    body = body[: len(body) & ~3]
    with contextlib.suppress(RtcpError):
        rtcp.parse(bytes((0x80 | count, type_)) + (len(body) // 4).to_bytes(2, "big") + body)


def test_a_datagram_full_of_feedback_on_thousands_of_packets_is_not_read_through() -> None:
    claimed = bytes.fromhex("8fcd0005 00000001 00000002 00000fff 00000000 0fff0000")  # 4095 that have not come
    (one,) = rtcp.parse(claimed)
    assert isinstance(one, TransportFeedback)
    assert one.arrivals == (None,) * 4095
    with pytest.raises(RtcpError, match="at once"):
        rtcp.parse(claimed * 50)
