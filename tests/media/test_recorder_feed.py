"""media/recorder_feed.py: what the recorder is told, and what is kept while it is away."""

from __future__ import annotations

from collections import Counter

import pytest

from media import recording_link, rtp
from media.codecs import Codec
from media.messages import Done, Record, StopRecording
from media.recorder_feed import RecorderFeed
from media.recording_link import Frame, FrameType, LinkError, Reader, Report
from media.rtcp import Nack, PictureLoss, SenderReport
from tests.bench import offers
from tests.bench.stream import AUDIO_LEVEL, AUDIO_TYPE, RTX_TYPE
from tests.support.flow import AUDIO, H264_KEY, RTX, VIDEO, WALL, Browser, World
from tests.support.redundant import RED_TYPE, offering_red, redundant

EPOCH = 1_700_001_000_000_000
H264 = Codec("H264", 102, 90000, 0, "packetization-mode=1", 103, ())


def recorded() -> tuple[World, Browser, Reader]:
    """A lesson with camera and microphone recorded, and the recorder connected."""
    world = World()
    teacher = world.publisher()
    for mid, source in (("0", "microphone"), ("1", "camera")):
        request = Record(f"teacher-{mid}", "lesson", "p-1", source, True, EPOCH)
        assert world.worker.handle(request, world.now) == Done()
    reader = Reader()
    reader.feed(world.worker.recorder_feed.connected())
    return world, teacher, reader


def frames(world: World, reader: Reader) -> list[Frame]:
    return reader.feed(world.worker.recorder_feed.take())


def test_a_track_is_announced_with_its_first_packet() -> None:
    world, teacher, reader = recorded()
    assert frames(world, reader) == []
    teacher.show(7, H264_KEY)
    announced, packet = frames(world, reader)
    track = announced.track()
    assert (track.publication_id, track.lesson_id, track.source, track.lead) == ("teacher-1", "lesson", "camera", True)
    assert (track.codec, track.payload_type, track.clock_rate, track.epoch_us) == ("H264", 102, 90000, EPOCH)
    assert packet.handle == announced.handle
    arrival, data = packet.rtp()
    assert arrival == int((world.now + WALL) * 1e6)
    parsed = rtp.parse(data)
    assert parsed is not None
    assert (parsed.sequence, parsed.payload, parsed.ssrc) == (7, H264_KEY, VIDEO)


def test_the_recorder_gets_what_viewers_cannot_wait_for() -> None:
    world, teacher, reader = recorded()
    teacher.show(1, H264_KEY)
    for sequence in range(3, 70):
        teacher.show(sequence)
    frames(world, reader)
    world.pass_time(2.5)
    asked = [it.lost for it in teacher.told(Nack) if isinstance(it, Nack)]
    assert asked[-1] == (2,)  # still, two seconds after
    teacher.send_rtp(RTX, RTX_TYPE, b"\0\2\x41", sequence=1, timestamp=2 * 3000)
    world.settle()
    (frame,) = frames(world, reader)
    parsed = rtp.parse(frame.rtp()[1])
    assert parsed is not None
    assert parsed.sequence == 2


def test_only_the_sound_level_is_left_of_header_extensions_and_under_a_fixed_id() -> None:
    world, teacher, reader = recorded()
    extensions = [(4, b"\x8a"), (3, b"\0\1"), (1, b"0")]
    teacher.send_rtp(AUDIO, 111, b"sound", sequence=1, extensions=extensions)
    world.settle()
    _, frame = frames(world, reader)
    parsed = rtp.parse(frame.rtp()[1])
    assert parsed is not None
    assert parsed.extensions == {1: b"\x8a"}
    assert parsed.payload == b"sound"


def test_sender_reports_are_passed_on_as_they_are() -> None:
    world, teacher, reader = recorded()
    teacher.say(1)
    teacher.report(SenderReport(AUDIO, 123 << 32, 960, 1, 5))
    report = frames(world, reader)[-1].report()
    assert report == Report(int((world.now + WALL) * 1e6), 123 << 32, 960, 0, AUDIO)


def test_a_track_ends_with_its_publication_and_with_its_recording() -> None:
    world, teacher, reader = recorded()
    teacher.say(1)
    teacher.show(1, H264_KEY)
    frames(world, reader)
    world.worker.handle(StopRecording("teacher-0"), world.now)
    assert [frame.type for frame in frames(world, reader)] == [FrameType.END]
    teacher.goodbye()
    assert [frame.type for frame in frames(world, reader)] == [FrameType.END]


def test_a_server_that_says_record_again_changes_nothing() -> None:
    world, teacher, reader = recorded()
    teacher.say(1)
    frames(world, reader)
    world.worker.handle(Record("teacher-0", "lesson", "p-1", "microphone", True, EPOCH), world.now)
    assert frames(world, reader) == []
    world.worker.handle(Record("teacher-0", "lesson", "p-1", "microphone", False, EPOCH), world.now)
    assert [frame.type for frame in frames(world, reader)] == [FrameType.END, FrameType.TRACK]


def test_a_recorder_that_needs_a_key_frame_gets_one() -> None:
    world, teacher, reader = recorded()
    teacher.show(1, H264_KEY)
    handle = frames(world, reader)[0].handle
    world.pass_time(3.0)
    teacher.told(PictureLoss)
    feed = world.worker.recorder_feed
    feed.receive(recording_link.pack(FrameType.KEYFRAME, 999))
    feed.receive(recording_link.pack(FrameType.KEYFRAME, handle))
    world.settle()
    assert len(teacher.told(PictureLoss)) == 1
    with pytest.raises(LinkError):
        feed.receive(b"\xff" * 9)


def test_what_waits_for_a_recorder_that_died_soon_begins_with_a_key_frame() -> None:
    world, teacher, reader = recorded()
    teacher.show(1, H264_KEY)
    frames(world, reader)
    world.pass_time(3.0)
    teacher.told(PictureLoss)
    world.worker.recorder_feed.disconnected()
    world.settle()
    assert len(teacher.told(PictureLoss)) == 1


def test_a_recorder_that_died_right_after_it_had_a_key_frame_does_not_wait_two_seconds_for_the_next() -> None:
    world, teacher, reader = recorded()
    teacher.show(1, H264_KEY)
    handle = frames(world, reader)[0].handle
    world.pass_time(3.0)
    feed = world.worker.recorder_feed
    feed.receive(recording_link.pack(FrameType.KEYFRAME, handle))  # for its next segment
    teacher.show(2, H264_KEY)
    world.pass_time(0.6)
    teacher.told(PictureLoss)
    feed.disconnected()
    world.settle()
    assert len(teacher.told(PictureLoss)) == 1


def test_a_recorder_that_comes_back_hears_of_the_tracks_first_and_then_what_it_missed() -> None:
    world, teacher, _ = recorded()
    teacher.say(1)
    teacher.show(1, H264_KEY)
    world.worker.recorder_feed.take()  # went down with the old one
    teacher.say(2)
    world.worker.handle(StopRecording("teacher-1"), world.now)
    reader = Reader()
    announced = reader.feed(world.worker.recorder_feed.connected())
    assert [frame.track().publication_id for frame in announced] == ["teacher-0"]
    (missed,) = frames(world, reader)
    assert missed.type is FrameType.RTP
    assert missed.handle == announced[0].handle


def feed_alone() -> tuple[RecorderFeed, Counter[str]]:
    counters: Counter[str] = Counter()
    return RecorderFeed(WALL, lambda *_: None, counters), counters


def packet(size: int = 100) -> rtp.Packet:
    parsed = rtp.parse(rtp.HEADER.pack(0x80, 102, 1, 0, 7) + bytes(size))
    assert parsed is not None
    return parsed


def test_ten_seconds_are_kept_and_the_oldest_go_first() -> None:
    feed, counters = feed_alone()
    track = feed.track(Record("p", "lesson", "p-1", "camera", True, EPOCH), "video")
    track.announce(H264, 0)
    for second in range(60):
        track.packet(packet(), float(second))
    reader = Reader()
    reader.feed(feed.connected())
    kept = [frame.rtp()[0] for frame in reader.feed(feed.take())]
    assert kept[-1] == int((59 + WALL) * 1e6)
    assert 9 <= len(kept) <= 11
    assert counters["dropped_recorder_slow"] == 60 - len(kept)


def test_a_slow_recorder_loses_packets_but_never_an_announcement_or_an_end() -> None:
    feed, _ = feed_alone()
    for second in range(40):
        track = feed.track(Record(f"p{second}", "lesson", "p-1", "camera", True, EPOCH), "video")
        track.announce(H264, 0)
        track.packet(packet(), float(second))
        track.end()
    types = Counter(frame.type for frame in Reader().feed(feed.take()))
    assert types[FrameType.TRACK] == types[FrameType.END] == 40
    assert types[FrameType.RTP] <= 11


def test_memory_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.recorder_feed.MAX_WAITING", 100_000)
    feed, counters = feed_alone()
    track = feed.track(Record("p", "lesson", "p-1", "camera", True, EPOCH), "video")
    track.announce(H264, 0)
    for number in range(1000):
        track.packet(packet(1000), number / 1000)
    assert len(feed.take()) <= 102_000
    assert counters["dropped_recorder_slow"] > 800


def test_sound_that_redundancy_brings_back_is_recorded_plain_in_order_and_with_a_level() -> None:
    world = World()
    teacher = Browser(world, "teacher")
    teacher.answer("send", offering_red(offers.publishing(teacher.credentials, AUDIO, VIDEO, RTX)))
    teacher.connect()
    assert world.worker.handle(Record("teacher-0", "lesson", "p", "microphone", True, EPOCH), world.now) == Done()
    for sequence, payload in ((1, redundant(b"one")), (3, redundant(b"three", b"two")), (4, b"")):
        level = [(AUDIO_LEVEL, bytes((20 + sequence,)))]
        teacher.send_rtp(AUDIO, RED_TYPE, payload, sequence=sequence, timestamp=sequence * 960, extensions=level)
    world.settle()
    reader = Reader()
    _, *packets = reader.feed(world.worker.recorder_feed.connected()) + frames(world, reader)
    found = [rtp.parse(frame.rtp()[1]) for frame in packets]
    assert [(it.sequence, it.payload_type, it.payload, it.extensions) for it in found if it is not None] == [
        (1, AUDIO_TYPE, b"one", {1: b"\x15"}),
        (2, AUDIO_TYPE, b"two", {1: b"\x17"}),
        (3, AUDIO_TYPE, b"three", {1: b"\x17"}),
        (4, AUDIO_TYPE, b"", {1: b"\x18"}),
    ]


def test_a_level_that_is_none_is_not_recorded() -> None:
    world, teacher, reader = recorded()
    for sequence, level in enumerate((b"\x10\x10", b"\x10" * 16), 1):
        teacher.send_rtp(AUDIO, 111, b"sound", sequence=sequence, extensions=[(AUDIO_LEVEL, level)])
    world.settle()
    _, *packets = frames(world, reader)
    assert [rtp.parse(frame.rtp()[1]).extensions for frame in packets] == [{}, {}]  # type: ignore[union-attr]


def test_a_recorder_that_comes_back_hears_the_last_report_of_each_track_that_goes_on() -> None:
    world, teacher, _ = recorded()
    teacher.say(1)
    for second in (123, 124):
        teacher.report(SenderReport(AUDIO, second << 32, 960, 1, 5))
    world.worker.recorder_feed.take()
    announced, report = Reader().feed(world.worker.recorder_feed.connected())
    assert announced.track().publication_id == "teacher-0"
    assert report.report().ntp == 124 << 32
    world.worker.handle(StopRecording("teacher-0"), world.now)
    assert Reader().feed(world.worker.recorder_feed.connected()) == []


def test_a_recording_that_begins_in_mid_stream_hears_the_last_report_first() -> None:
    world = World()
    teacher = world.publisher()
    teacher.say(1)
    teacher.report(SenderReport(AUDIO, 123 << 32, 960, 1, 5))
    world.worker.handle(Record("teacher-0", "lesson", "p-1", "microphone", True, EPOCH), world.now)
    teacher.say(2)
    sent = Reader().feed(world.worker.recorder_feed.take())
    assert [frame.type for frame in sent] == [FrameType.TRACK, FrameType.REPORT, FrameType.RTP]
    assert sent[1].report().ssrc == AUDIO
