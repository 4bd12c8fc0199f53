"""media/publisher.py: whose a packet is, and what its sender is told."""

from __future__ import annotations

import contextlib

import pytest

from media import rtcp, rtp
from media.feedback import CEILING
from media.messages import Answer, Answered
from media.publisher import MAX_LIMITED, MAX_UNANNOUNCED, MOST_PICTURES
from media.srtp import SrtpError
from tests.bench import offers
from tests.bench.stream import AUDIO_TYPE, RTX_TYPE, VIDEO_TYPE
from tests.support.flow import AUDIO, H264_KEY, RTX, VIDEO, Browser, World


def test_a_hole_is_asked_for_and_filled_by_rtx() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid1="teacher-1")
    teacher.show(1, H264_KEY)
    teacher.show(4)
    world.pass_time(0.04)
    nacks = [it for it in teacher.told(rtcp.Nack) if isinstance(it, rtcp.Nack)]
    assert {nack.media_ssrc for nack in nacks} == {VIDEO}
    assert {lost for nack in nacks for lost in nack.lost} == {2, 3}
    for number, lost in enumerate((2, 3)):
        teacher.send_rtp(RTX, RTX_TYPE, lost.to_bytes(2, "big") + b"\x41", sequence=number, timestamp=lost * 3000)
    world.settle()
    world.pass_time(0.5)
    assert teacher.told(rtcp.Nack) == []
    first, *rest = viewer.take()
    assert [(packet.sequence - first.sequence) & 0xFFFF for packet in rest] == [3, 1, 2]
    assert world.worker.counters["repaired_upstream"] == 2
    teacher.send_rtp(RTX, RTX_TYPE, b"\0\4\x41", sequence=2, timestamp=12000)  # was not lost: padding
    world.settle()
    assert viewer.take() == []
    assert world.worker.counters["repaired_upstream"] == 2
    assert world.worker.counters["dropped_repeated"] == 1


def test_sound_is_asked_for_again_too() -> None:
    world = World()
    teacher = world.publisher()
    teacher.say(1)
    teacher.say(3)
    world.pass_time(0.04)
    assert [nack.lost for nack in teacher.told(rtcp.Nack) if isinstance(nack, rtcp.Nack)] == [(2,)]


def test_a_nack_travels_alone_because_ffmpeg_reads_no_other() -> None:
    world = World()
    teacher = world.publisher()
    together: list[int] = []
    receive = teacher.receive

    def count(data: bytes) -> None:
        before = len(teacher.reports)
        receive(data)
        if any(isinstance(report, rtcp.Nack) for report in teacher.reports[before:]):
            together.append(len(teacher.reports) - before)

    teacher.receive = count  # type: ignore[method-assign]
    teacher.say(1)
    teacher.say(3)
    teacher.show(1, H264_KEY)
    teacher.show(4)
    world.pass_time(0.04)
    assert together == [1, 1]


def test_arrivals_are_fed_back_over_all_streams() -> None:
    world = World()
    teacher = world.publisher()
    for number in range(1, 6):
        ssrc, kind = (AUDIO, AUDIO_TYPE) if number % 2 else (VIDEO, VIDEO_TYPE)
        teacher.send_rtp(ssrc, kind, b"\x41", sequence=number, extensions=[(3, number.to_bytes(2, "big"))])
        world.pass_time(0.02)
    world.pass_time(0.1)
    told = [it for it in teacher.told(rtcp.TransportFeedback) if isinstance(it, rtcp.TransportFeedback)]
    arrived = [
        feedback.base_sequence + n for feedback in told for n, at in enumerate(feedback.arrivals) if at is not None
    ]
    assert arrived == [1, 2, 3, 4, 5]


def test_a_publisher_without_transport_wide_feedback_is_told_a_ceiling() -> None:
    world = World()
    teacher = world.publisher()
    assert teacher.told(rtcp.Remb) == []
    plain = Browser(world, "plain")
    sdp = offers.publishing(plain.credentials, 0x2001, 0x2002, 0x2003)
    plain.answer("send", "\r\n".join(line for line in sdp.split("\r\n") if "transport-wide" not in line))
    plain.connect()
    plain.send_rtp(0x2002, VIDEO_TYPE, H264_KEY, sequence=1)
    world.pass_time(1.0)
    (remb,) = plain.told(rtcp.Remb)
    assert isinstance(remb, rtcp.Remb)
    assert remb.ssrcs == (0x2002,)


def test_reception_is_reported_every_second() -> None:
    world = World()
    teacher = world.publisher()
    teacher.say(1)
    teacher.show(1)
    world.pass_time(3.0)
    reports = [it for it in teacher.told(rtcp.ReceiverReport) if isinstance(it, rtcp.ReceiverReport)]
    assert len(reports) == 3
    assert {block.ssrc for block in reports[0].blocks} == {AUDIO, VIDEO}


@pytest.mark.parametrize("offered", ["a=rtcp-xr:rcvr-rtt=all\r\n", ""])  # Chromium, Firefox
def test_a_round_trip_is_learned_from_the_answer_to_a_reference_time(offered: str) -> None:
    world = World()
    teacher = Browser(world, "teacher")
    sdp = offers.publishing(teacher.credentials, AUDIO, VIDEO, RTX)
    teacher.answer("send", sdp.replace("a=rtcp-mux", f"{offered}a=rtcp-mux"))
    teacher.connect()
    teacher.say(1)
    world.pass_time(1.0)
    (reference,) = teacher.told(rtcp.ReceiverReferenceTime)
    assert isinstance(reference, rtcp.ReceiverReferenceTime)
    waited = world.now
    world.pass_time(0.26)
    waited = world.now - waited
    transport = world.worker._transports["teacher"]
    assert transport.publisher is not None
    middle = reference.ntp >> 16 & 0xFFFFFFFF
    teacher.report(
        rtcp.ReceiverReport(AUDIO), rtcp.LastReceiverReference(AUDIO, ((1, middle, int((waited - 0.08) * 65536)),))
    )
    assert transport.publisher.round_trip.seconds is not None
    assert 0.07 < transport.publisher.round_trip.seconds < 1.1


def test_a_stream_that_the_offer_did_not_name_is_known_by_its_mid() -> None:
    world = World()
    teacher = unnamed(world)
    teacher.send_rtp(0x7777, VIDEO_TYPE, H264_KEY, sequence=1, extensions=[(1, b"1")])
    world.settle()
    assert world.worker._publications["teacher-1"].stream is not None


def test_a_stream_without_mid_is_known_by_a_payload_type_that_only_one_section_has() -> None:
    world = World()
    teacher = unnamed(world)
    teacher.send_rtp(0x8888, AUDIO_TYPE, b"sound", sequence=1)
    world.settle()
    assert world.worker._publications["teacher-0"].stream is not None


def test_a_publisher_cannot_fill_our_memory_with_streams() -> None:
    world = World()
    teacher = unnamed(world)
    for ssrc in range(0x5000, 0x5000 + 100):
        teacher.send_rtp(ssrc, VIDEO_TYPE, b"\x41", sequence=1, extensions=[(1, b"1")])
    world.settle()
    transport = world.worker._transports["teacher"]
    assert transport.publisher is not None
    assert len(transport.publisher._sources) <= MAX_UNANNOUNCED + 2
    assert world.worker.counters["dropped_unknown_source"] > 0


def unnamed(world: World) -> Browser:
    """A publisher whose offer has no a=ssrc, as with simulcast."""
    teacher = Browser(world, "teacher")
    sdp = offers.publishing(teacher.credentials, AUDIO, VIDEO, RTX)
    teacher.answer("send", "\r\n".join(line for line in sdp.split("\r\n") if not line.startswith("a=ssrc")))
    teacher.connect()
    return teacher


def test_an_inactive_section_keeps_its_publication() -> None:
    world = World()
    teacher = world.publisher()
    sdp = offers.publishing(teacher.credentials, AUDIO, VIDEO, RTX)
    head, audio, video = sdp.partition("m=video")
    for direction, active in (("inactive", False), ("sendonly", True)):
        reply = world.handle(Answer("teacher", "send", head + audio + video.replace("a=sendonly", f"a={direction}")))
        assert isinstance(reply, Answered)
        assert [(it.publication_id, it.active) for it in reply.publications] == [
            ("teacher-0", True),
            ("teacher-1", active),
        ]


@pytest.mark.parametrize(
    "block",
    [
        "1000000104000000",  # a level of no bytes, in two-byte form
        "1000004004fe" + "7f" * 254,  # a level of 254 bytes
        "1000000104ff7f7f",  # a level longer than the block
        "bede00014f7f7f7f",  # the same in one-byte form
        "bede0001417f7f00",  # a level of two bytes
        "bede000130000000",  # a transport-wide number of one byte
        "bede00011f616161",  # a mid longer than the block
        "bede0001f0f0f0f0",  # the reserved id
        "bede0000",
        "12340001ffffffff",
    ],
)
def test_a_malformed_header_extension_harms_only_itself(block: str) -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid0="teacher-0")
    assert teacher.outbound is not None
    for sequence in range(1, 4):
        head = rtp.HEADER.pack(0x90, AUDIO_TYPE, sequence, sequence * 960, AUDIO)
        teacher.send(teacher.outbound.rtp(head + bytes.fromhex(block) + b"sound"))
        world.settle()
    world.pass_time(0.2)
    packets = viewer.take()
    assert [packet.payload for packet in packets] == [b"sound"] * 3
    for packet in packets:
        assert all(0 < len(value) <= 16 for value in packet.extensions.values())


def test_an_extension_block_longer_than_the_packet_is_dropped_with_it() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid0="teacher-0")
    teacher.say(1)
    assert teacher.outbound is not None
    for claim in (9, 0xFFFF):
        head = rtp.HEADER.pack(0x90, AUDIO_TYPE, 2, 1920, AUDIO) + b"\xbe\xde" + claim.to_bytes(2, "big")
        with contextlib.suppress(SrtpError):  # our own side may refuse to protect it
            teacher.send(teacher.outbound.rtp(head + b"short"))
    teacher.say(2)
    assert [packet.payload for packet in viewer.take()] == [b"sound"] * 2


def test_ten_times_what_a_publisher_was_told_it_may_send_is_dropped_and_nobody_else_suffers() -> None:
    world = World()
    flooding, other = world.publisher("flooding"), world.publisher("other")
    flooded, viewer = world.viewer("flooded"), world.viewer("class")
    world.place(flooded, mid0="flooding-0", mid1="flooding-1")
    world.place(viewer, mid0="other-0", mid1="other-1")
    flooding.show(0, H264_KEY)
    other.show(0, H264_KEY)
    payload = b"\x41" + bytes(1199)
    per_tick = round(10 * CEILING / 8 / 50 / 1232)
    number = 0
    for tick in range(1, 76):
        for _ in range(per_tick):
            number += 1
            wide = [(3, (number & 0xFFFF).to_bytes(2, "big"))]
            flooding.send_rtp(
                VIDEO, VIDEO_TYPE, payload, sequence=number & 0xFFFF, timestamp=tick * 1800, extensions=wide
            )
        flooding.say(tick)
        other.show(tick)
        other.say(tick)
        world.pass_time(0.02)
    dropped = world.worker.counters["dropped_publisher_flood"]
    forwarded = [packet for packet in flooded.take() if packet.payload_type == VIDEO_TYPE]
    assert dropped > number / 4
    assert (
        sum(len(packet.payload) for packet in forwarded) * 8 < MOST_PICTURES * 2.6
    )  # 1.5 s, and what may come at once
    told = [it for it in flooding.told(rtcp.TransportFeedback) if isinstance(it, rtcp.TransportFeedback)]
    assert sum(at is None for feedback in told for at in feedback.arrivals) > dropped * 0.9  # so that it gives way
    sound = [packet for packet in flooded.datagrams if packet[1] & 0x7F == AUDIO_TYPE]
    assert len(sound) == 75
    assert len(viewer.take()) == 2 * 75 + 1


def test_an_offer_of_hundreds_of_sources_is_told_a_ceiling_that_fits_into_a_report() -> None:
    world = World()
    plain = Browser(world, "plain")
    sdp = offers.publishing(plain.credentials, 0x2001, 0x2002, 0x2003).replace(
        "a=ssrc:8194 ", "".join(f"a=ssrc:{ssrc} cname:x\r\n" for ssrc in range(9000, 9300)) + "a=ssrc:8194 ", 1
    )
    sdp = "\r\n".join(line for line in sdp.split("\r\n") if "transport-wide" not in line)
    plain.answer("send", sdp)
    plain.connect()
    for first in range(0x9000, 0x9F00, 16):
        world.handle(Answer("plain", "send", sdp.replace("a=ssrc:90", f"a=ssrc:{first}")))
    plain.send_rtp(0x2001, AUDIO_TYPE, b"sound", sequence=1)
    world.pass_time(1.0)
    (remb,) = plain.told(rtcp.Remb)
    assert isinstance(remb, rtcp.Remb)
    assert len(remb.ssrcs) <= MAX_LIMITED
