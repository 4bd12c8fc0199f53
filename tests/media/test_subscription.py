"""media/subscription.py: to the browser a slot is one stream without end, whatever it carries."""

from __future__ import annotations

import pytest

from media import rtcp
from media.messages import Done
from tests.bench import offers
from tests.bench.stream import AUDIO_TYPE, RTX_TYPE
from tests.support.flow import AUDIO, H264_KEY, VIDEO, VP8_TYPE, Browser, World

pytestmark = pytest.mark.usefixtures("either_way")

MICROPHONE, CAMERA = "teacher-0", "teacher-1"
VP8_KEY = "90e0 {:04x} {:02x} 20 00 9d012a"  # picture id and TL0PICIDX to be filled in; a key frame


def lesson() -> tuple[World, Browser, Browser]:
    """A teacher whose camera has sent a key frame, and a class whose slots 0 and 1 carry it."""
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    assert world.place(viewer, mid0=MICROPHONE, mid1=CAMERA) == Done()
    teacher.say(100)
    teacher.show(200, H264_KEY)
    return world, teacher, viewer


def test_a_picture_starts_with_a_key_frame_and_sound_at_once() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid0=MICROPHONE, mid1=CAMERA)
    teacher.say(1)
    teacher.show(1)
    assert [packet.payload_type for packet in viewer.take()] == [AUDIO_TYPE]
    teacher.show(2, H264_KEY)
    teacher.show(3)
    assert [packet.payload for packet in viewer.take()] == [H264_KEY, b"\x41delta"]


def test_after_another_camera_numbers_go_on_without_a_hole() -> None:
    world, teacher, viewer = lesson()
    other = Browser(world, "other")
    other.answer("send", offers.publishing(other.credentials, 0x2001, 0x2002, 0x2003))
    other.connect()
    other.send_rtp(0x2002, 102, H264_KEY, sequence=65000, timestamp=7)
    world.settle()
    teacher.show(201)
    before = viewer.take()[-1]
    world.pass_time(0.1)
    world.place(viewer, mid1="other-1")
    teacher.show(202)  # waits in vain: the slot has left it
    other.send_rtp(0x2002, 102, b"\x41delta", sequence=65001, timestamp=3007)
    world.settle()
    assert viewer.take() == []
    other.send_rtp(0x2002, 102, H264_KEY, sequence=65002, timestamp=6007)
    world.settle()
    (after,) = viewer.take()
    assert after.ssrc == before.ssrc
    assert after.sequence == (before.sequence + 1) & 0xFFFF
    assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == 9000  # the 100 ms that passed


def test_vp8_picture_numbers_go_on_over_a_change() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer(video=1)
    other = Browser(world, "other")
    other.answer("send", offers.publishing(other.credentials, 0x2001, 0x2002, 0x2003))
    other.connect()
    world.place(viewer, mid1=CAMERA)
    for sequence, (picture, base) in enumerate([(0x8005, 7), (0x8006, 8)]):
        payload = bytes.fromhex(VP8_KEY.format(picture, base))
        teacher.send_rtp(VIDEO, VP8_TYPE, payload, sequence=sequence, timestamp=sequence * 3000)
    world.settle()
    world.place(viewer, mid1="other-1")
    other.send_rtp(0x2002, VP8_TYPE, bytes.fromhex(VP8_KEY.format(0xF000, 200)), sequence=9)
    world.settle()
    assert [packet.payload[2:5].hex() for packet in viewer.take()] == ["800507", "800608", "800709"]


def test_a_lost_picture_packet_comes_again_through_rtx() -> None:
    world, teacher, viewer = lesson()
    teacher.show(201, b"\x41lost")
    *_, lost = viewer.take()
    world.pass_time(0.1)
    viewer.report(rtcp.Nack(1, lost.ssrc, (lost.sequence,)))
    (repeated,) = viewer.take()
    assert repeated.payload_type == RTX_TYPE
    assert repeated.ssrc != lost.ssrc
    original = repeated.without_rtx(lost.payload_type, lost.ssrc)
    assert original is not None
    assert (original.sequence, original.timestamp, original.marker, original.payload) == (
        lost.sequence,
        lost.timestamp,
        lost.marker,
        b"\x41lost",
    )


def test_a_repetition_through_rtx_says_when_it_really_leaves() -> None:
    """Else the browser's estimate takes the time until it was asked for a queue."""
    world, teacher, viewer = lesson()
    teacher.show(201, b"\x41lost")
    *_, lost = viewer.take()
    world.pass_time(0.25)
    viewer.report(rtcp.Nack(1, lost.ssrc, (lost.sequence,)))
    (repeated,) = viewer.take()
    (identifier,) = [each for each, value in lost.extensions.items() if len(value) == 3]
    first, second = (int.from_bytes(each.extensions[identifier], "big") / 2**18 for each in (lost, repeated))
    assert (second - first) % 64 == pytest.approx(0.25, abs=0.02)


def test_lost_sound_comes_again_byte_for_byte() -> None:
    world, teacher, viewer = lesson()
    first = viewer.take()[0]
    lost = (first.sequence + 1) & 0xFFFF
    viewer.lost.add(lost)
    teacher.say(101)
    teacher.say(102)
    assert [packet.sequence for packet in viewer.take()] == [(lost + 1) & 0xFFFF]
    world.pass_time(0.1)
    viewer.report(rtcp.Nack(1, first.ssrc, (lost,)))
    assert [(packet.sequence, packet.ssrc) for packet in viewer.take()] == [(lost, first.ssrc)]
    assert viewer.datagrams[-1] == viewer.lost_datagrams[0]


def test_a_nack_repeated_within_a_round_trip_is_answered_once_and_a_later_one_twice() -> None:
    """The later one says that the answer was lost as well."""
    world, _, viewer = lesson()
    picture = viewer.take()[-1]
    world.pass_time(0.1)
    for _ in range(3):
        viewer.report(rtcp.Nack(1, picture.ssrc, (picture.sequence,)))
    assert len(viewer.take()) == 1
    world.pass_time(0.2)
    viewer.report(rtcp.Nack(1, picture.ssrc, (picture.sequence,)))
    again, once_more = viewer.take()
    assert again.payload == once_more.payload
    assert once_more.sequence == (again.sequence + 1) & 0xFFFF


def test_nothing_older_than_a_second_and_nothing_from_before_the_slot_is_repeated() -> None:
    world, teacher, viewer = lesson()
    picture = viewer.take()[-1]
    viewer.report(rtcp.Nack(1, picture.ssrc, ((picture.sequence - 1) & 0xFFFF, (picture.sequence + 5) & 0xFFFF)))
    assert viewer.take() == []
    world.pass_time(1.1)
    teacher.show(201)
    viewer.take()
    viewer.report(rtcp.Nack(1, picture.ssrc, (picture.sequence,)))
    assert viewer.take() == []


def test_a_packet_that_was_overtaken_fills_its_hole() -> None:
    _, teacher, viewer = lesson()
    first = viewer.take()[-1].sequence
    teacher.show(203)
    teacher.show(202)
    teacher.show(201)
    assert [(packet.sequence - first) & 0xFFFF for packet in viewer.take()] == [3, 2, 1]


def test_an_overtaken_packet_from_before_the_key_frame_does_not_take_a_used_number() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    teacher.show(1)
    world.place(viewer, mid1=CAMERA)
    teacher.show(3, H264_KEY)
    teacher.show(2)
    assert [packet.payload for packet in viewer.take()] == [H264_KEY]


def test_a_packet_that_comes_twice_is_forwarded_once() -> None:
    world, teacher, viewer = lesson()
    viewer.take()
    repair = (201).to_bytes(2, "big") + b"\x41delta"
    teacher.show(201)
    teacher.send_rtp(0x1003, RTX_TYPE, repair, sequence=1, timestamp=201 * 3000)
    world.settle()
    assert len(viewer.take()) == 1


def test_a_slot_that_was_emptied_is_silent() -> None:
    world, teacher, viewer = lesson()
    viewer.take()
    world.place(viewer, mid0=None)
    teacher.say(101)
    teacher.show(201)
    assert {packet.payload_type for packet in viewer.take()} == {102}


def test_one_publication_in_two_slots_comes_twice() -> None:
    world, teacher, viewer = lesson()
    world.place(viewer, mid2=CAMERA)
    viewer.take()
    teacher.show(201, H264_KEY)
    assert len({packet.ssrc for packet in viewer.take()}) == 2


def test_sender_reports_speak_of_the_slot_in_our_time() -> None:
    world, teacher, viewer = lesson()
    sound = viewer.take()[0]
    teacher.report(rtcp.SenderReport(AUDIO, 5 << 32, 100 * 960, 1, 5))  # a clock that stopped in 1900
    world.pass_time(1.0)
    (report,) = [it for it in viewer.told(rtcp.SenderReport) if isinstance(it, rtcp.SenderReport)]
    assert report.ssrc == sound.ssrc
    assert (report.packets, report.octets) == (1, 5)
    elapsed = ((report.rtp - sound.timestamp) & 0xFFFFFFFF) / 48000
    assert 0 < elapsed <= 1.0
    sent_at = report.ntp / 2**32 - 2_208_988_800 - 1_700_000_000.0
    assert abs(sent_at - 1000.0 - elapsed) < 0.03
