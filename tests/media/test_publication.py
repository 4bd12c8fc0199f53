"""media/publication.py: streams come and go, slots wait and start."""

from __future__ import annotations

import pytest

from media import rtcp
from media.messages import Answer, PublicationFlowing, Record
from media.publication import MAX_LAYERS, publication_id
from media.recording_link import FrameType, Reader
from tests.bench import offers
from tests.support.flow import H264_KEY, VIDEO, VP8_TYPE, Browser, World, simulcasting

pytestmark = pytest.mark.usefixtures("either_way")

CAMERA = "teacher-1"
VP8_KEY = bytes.fromhex("9080 05 00 9d012a")


def test_two_hundred_who_join_at_once_cost_one_request() -> None:
    world = World()
    teacher = world.publisher()
    teacher.show(1)
    for number in range(20):
        world.place(world.viewer(f"class-{number}", 0, 1), mid0=CAMERA)
    assert len(teacher.told(rtcp.PictureLoss)) == 1


def test_a_request_that_nobody_answers_is_repeated_until_a_key_frame_comes() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    teacher.show(1)
    world.place(viewer, mid1=CAMERA)
    world.pass_time(3.0)
    assert len(teacher.told(rtcp.PictureLoss)) >= 3
    teacher.show(2, H264_KEY)
    world.pass_time(3.0)
    assert teacher.told(rtcp.PictureLoss) == []


def test_nobody_asks_for_a_viewer_that_is_not_connected() -> None:
    world = World()
    teacher = world.publisher()
    teacher.show(1)
    viewer = Browser(world, "class")
    viewer.answer("receive", offers.watching(viewer.credentials, 1, 1))
    world.place(viewer, mid1=CAMERA)
    assert teacher.told(rtcp.PictureLoss) == []
    viewer.connect()
    assert len(teacher.told(rtcp.PictureLoss)) == 1
    teacher.show(2, H264_KEY)
    assert [packet.payload for packet in viewer.take()] == [H264_KEY]


def test_a_camera_that_comes_back_after_a_pause_is_asked_again() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    teacher.show(1)
    world.place(viewer, mid1=CAMERA)
    for _ in range(2):
        world.pass_time(20.0)
        teacher.check()
        viewer.check()
    teacher.told(rtcp.PictureLoss)
    teacher.show(2)
    assert len(teacher.told(rtcp.PictureLoss)) == 1


def test_a_change_of_codec_is_told_and_waits_for_its_key_frame() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid1=CAMERA)
    teacher.show(1, H264_KEY)
    teacher.send_rtp(VIDEO, VP8_TYPE, b"\x90\x80\x04\x01", sequence=2, timestamp=6000)  # no key frame: not yet
    teacher.send_rtp(VIDEO, VP8_TYPE, VP8_KEY, sequence=3, timestamp=9000)
    world.settle()
    teacher.show(2)  # late, of the former codec
    assert [packet.payload_type for packet in viewer.take()] == [102, VP8_TYPE]
    assert [event for event in world.events if isinstance(event, PublicationFlowing)] == [
        PublicationFlowing(CAMERA, "H264"),
        PublicationFlowing(CAMERA, "VP8"),
    ]


def test_another_source_may_take_over_only_a_silent_publication() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid1=CAMERA)
    teacher.show(1, H264_KEY)
    by_mid = [(1, b"1")]
    teacher.send_rtp(0x9999, 102, H264_KEY, sequence=9, extensions=by_mid)
    world.settle()
    assert len(viewer.take()) == 1
    world.pass_time(1.1)
    teacher.send_rtp(0x9999, 102, H264_KEY, sequence=10, extensions=by_mid)
    world.settle()
    assert len(viewer.take()) == 1


def test_a_publisher_that_leaves_empties_the_slots() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid0="teacher-0", mid1=CAMERA)
    teacher.show(1, H264_KEY)
    teacher.goodbye()
    held = world.worker._requests._held()
    assert [slot.publication_id for slot in held.slots] == [None, None, None]
    assert held.publications == ()


def test_an_id_says_its_mid_where_that_is_safe_in_a_path() -> None:
    assert publication_id("t", "0") == "t-0"
    assert publication_id("t", "video_1") == "t-video_1"


@pytest.mark.parametrize("mid", ["a/../b", "-", "", "摄像头", "x" * 1000])
def test_an_id_is_short_and_safe_and_its_own_whatever_the_mid(mid: str) -> None:
    id = publication_id("t", mid)
    assert set(id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(id) == 19
    assert id != publication_id("t", mid + ".")


def test_a_source_that_dies_and_comes_back_with_its_ssrc_starts_again_with_a_key_frame() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid1=CAMERA)
    teacher.show(1, H264_KEY)
    teacher.show(2)
    before = viewer.take()[-1]
    world.pass_time(5.0)
    teacher.told(rtcp.PictureLoss)
    teacher.show(40_000, timestamp=77)
    teacher.show(40_001, timestamp=78)
    assert viewer.take() == []
    assert len(teacher.told(rtcp.PictureLoss)) == 1
    teacher.show(40_002, H264_KEY, timestamp=79)
    (after,) = viewer.take()
    assert (after.sequence - before.sequence) & 0xFFFF == 1
    assert 4.9 * 90000 < (after.timestamp - before.timestamp) & 0xFFFFFFFF < 5.1 * 90000


def test_a_source_that_begins_anew_with_a_key_frame_loses_none_of_it() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid1=CAMERA)
    teacher.show(1, H264_KEY)
    viewer.take()
    teacher.show(40_000, H264_KEY, timestamp=77)
    teacher.show(40_001, timestamp=78)
    assert [packet.payload for packet in viewer.take()] == [H264_KEY, b"\x41delta"]


def test_an_ssrc_that_two_sections_claim_stays_with_the_first() -> None:
    world = World()
    browser = Browser(world, "teacher")
    browser.answer("send", offers.publishing(browser.credentials, VIDEO, VIDEO, 0x1003))
    browser.connect()
    assert world.worker.counters["dropped_ssrc_collision"] == 1


def starve(world: World, teacher: Browser, seconds: float, first: int) -> int:
    """The worker does not run for a while; then it finds what came meanwhile. The number of the next packets."""
    world.now += seconds
    count = round(seconds / 0.02)
    for number in range(count):
        teacher.waited = seconds - number * 0.02
        teacher.say(first + number, b"%d" % (first + number))
        teacher.show(first + number)
    teacher.waited = 0.0
    return first + count


def test_a_starved_worker_goes_on_with_fresh_sound_and_a_key_frame() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid0="teacher-0", mid1=CAMERA)
    teacher.show(1, H264_KEY)
    teacher.say(1)
    world.pass_time(1.0)
    sound, picture = sorted(viewer.take(), key=lambda it: it.payload == H264_KEY)
    teacher.told(rtcp.PictureLoss)

    after = starve(world, teacher, 2.0, first=2)
    spoken = viewer.take()
    assert {packet.ssrc for packet in spoken} == {sound.ssrc}  # pictures that refer to what was left out show nothing
    assert [int(packet.payload) for packet in spoken] == list(range(after - 20, after))  # 0.4 s
    assert [packet.sequence - sound.sequence & 0xFFFF for packet in spoken] == list(range(1, 21))  # nothing to ask for
    assert spoken[0].timestamp - sound.timestamp & 0xFFFFFFFF == (after - 20 - 1) * 960
    assert world.worker.counters["dropped_behind"] == 2 * 100 - 20 - 20
    assert len(teacher.told(rtcp.PictureLoss)) == 1

    teacher.show(after, H264_KEY)
    (key,) = viewer.take()
    assert (key.payload, key.ssrc) == (H264_KEY, picture.ssrc)
    assert key.sequence - picture.sequence & 0xFFFF == 1
    teacher.show(after + 1)
    assert len(viewer.take()) == 1


def test_a_key_frame_that_waited_too_long_starts_nobody() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid1=CAMERA)
    teacher.waited = 0.5
    teacher.show(1, H264_KEY)
    teacher.waited = 0.0
    teacher.show(2)
    assert viewer.take() == []
    assert len(teacher.told(rtcp.PictureLoss)) == 1
    teacher.show(3, H264_KEY)
    assert len(viewer.take()) == 1


def test_a_short_wait_costs_nothing() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid0="teacher-0", mid1=CAMERA)
    teacher.show(1, H264_KEY)
    teacher.say(1)
    starve(world, teacher, 0.3, first=2)
    assert len(viewer.take()) == 2 * 15 + 2
    assert world.worker.counters["dropped_behind"] == 0


def test_a_recording_has_what_was_too_old_to_be_forwarded() -> None:
    world = World()
    teacher = world.publisher()
    world.worker.handle(Record(CAMERA, "lesson", "p-1", "camera", True, 0), world.now)
    teacher.show(1, H264_KEY)
    world.worker.recorder_feed.connected()
    world.worker.recorder_feed.take()
    starve(world, teacher, 2.0, first=2)
    frames = Reader().feed(world.worker.recorder_feed.take())
    assert sum(frame.type is FrameType.RTP for frame in frames) == 100


def test_offers_that_name_ever_new_layers_do_not_fill_our_memory() -> None:
    world = World()
    teacher = world.simulcaster()
    for number in range(30):
        world.handle(Answer("teacher", "send", simulcasting(teacher.credentials, (f"a{number}", f"b{number}"))))
    publication = world.worker._publications[CAMERA]
    assert len(publication.layers) == MAX_LAYERS
    assert [layer.rid for layer in publication.layers[:3]] == ["l", "m", "h"]
