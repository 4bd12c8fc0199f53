"""media/relay.py, relay_origin.py, relay_pull.py: two workers, of which one pulls what the other has."""

from __future__ import annotations

import pytest

from media import relay_link, relay_origin, rtcp
from media.messages import Done, Pull, Refused, Release
from media.relay_origin import Follower
from tests.support.flow import H264_KEY, LAYERS, World
from tests.support.pair import CAMERA, MICROPHONE, Pair

pytestmark = pytest.mark.usefixtures("either_way")


def test_viewers_at_another_worker_get_sound_and_picture_once_pulled() -> None:
    pair = Pair()
    pair.pull(MICROPHONE, CAMERA)
    viewers = [pair.other.viewer(f"class-{number}") for number in range(3)]
    for viewer in viewers:
        assert pair.other.place(viewer, mid0=MICROPHONE, mid1=CAMERA) == Done()
    pair.settle()
    pair.teacher.say(1)
    pair.show(1, H264_KEY)
    pair.show(2)
    assert [[len(p.payload) for p in viewer.take()] for viewer in viewers] == [[5, len(H264_KEY), 6]] * 3
    assert pair.connections == 1
    assert pair.other.worker.counters["relayed_in"] == 3  # once, however many watch


def test_a_viewer_may_be_placed_before_anything_of_the_track_is_known() -> None:
    pair = Pair()
    viewer = pair.other.viewer()
    assert pair.other.worker.handle(Pull(CAMERA, "video", "origin"), 0.0) == Done()
    assert pair.other.place(viewer, mid1=CAMERA) == Done()
    pair.settle()
    pair.show(1, H264_KEY)
    assert [packet.payload for packet in viewer.take()] == [H264_KEY]


def test_a_key_frame_that_is_needed_there_is_asked_of_the_publisher() -> None:
    pair = Pair()
    pair.pull(CAMERA)
    pair.show(1, H264_KEY)
    pair.teacher.told(rtcp.PictureLoss)
    pair.pass_time(1.0)
    viewer = pair.other.viewer()
    pair.other.place(viewer, mid1=CAMERA)
    pair.show(2)
    pair.pass_time(0.1)
    assert len(pair.teacher.told(rtcp.PictureLoss)) == 1
    pair.show(3, H264_KEY)
    assert len(viewer.take()) == 1


def test_sender_reports_go_along_so_that_lips_stay_in_step() -> None:
    pair = Pair()
    pair.pull(CAMERA)
    viewer = pair.other.viewer()
    pair.other.place(viewer, mid1=CAMERA)
    pair.settle()
    pair.show(1, H264_KEY)
    pair.teacher.report(rtcp.SenderReport(0x1002, 7 << 32, 3000, 1, 1))
    pair.pass_time(1.1)
    assert viewer.told(rtcp.SenderReport)


def test_a_publication_that_ends_empties_the_slots_there_too() -> None:
    pair = Pair()
    pair.pull(CAMERA)
    viewer = pair.other.viewer()
    pair.other.place(viewer, mid1=CAMERA)
    pair.show(1, H264_KEY)
    pair.teacher.goodbye()
    pair.pass_time(0.1)
    assert pair.held().pulled == ()
    assert all(slot.publication_id is None for slot in pair.held().slots)


def test_what_is_released_is_sent_no_longer_and_leaves_nothing_behind() -> None:
    pair = Pair()
    pair.pull(MICROPHONE, CAMERA)
    assert set(pair.held().pulled) == {MICROPHONE, CAMERA}
    assert pair.other.worker.handle(Release(CAMERA), 0.0) == Done()
    pair.settle()
    pair.show(1, H264_KEY)
    assert pair.other.worker.counters["relayed_in"] == 0
    assert pair.other.worker.handle(Release(MICROPHONE), 0.0) == Done()
    assert pair.held().pulled == ()
    assert not pair.other.worker.relay._sources
    assert isinstance(pair.other.worker.handle(Release(CAMERA), 0.0), Refused)


def test_a_lost_connection_is_made_up_for() -> None:
    pair = Pair()
    pair.pull(CAMERA)
    viewer = pair.other.viewer()
    pair.other.place(viewer, mid1=CAMERA)
    pair.show(1, H264_KEY)
    pair.reconnect()
    pair.show(2)
    assert len(viewer.take()) == 2


def test_a_worker_that_does_not_read_is_sent_no_pictures_until_a_key_frame() -> None:
    pair = Pair()
    pair.pull(CAMERA)
    viewer = pair.other.viewer()
    pair.other.place(viewer, mid1=CAMERA)
    pair.show(1, H264_KEY)
    pair.unsent = relay_origin.MAX_UNSENT + 1
    pair.show(2)  # finds out
    pair.show(3, H264_KEY)
    pair.unsent = 0
    pair.pass_time(0.1)
    pair.show(4)
    pair.show(5, H264_KEY)
    assert pair.origin.worker.counters["dropped_relay_slow"] == 2
    assert len(viewer.take()) == 3


def test_what_waits_for_a_worker_that_does_not_read_does_not_grow() -> None:
    pair = Pair(World.simulcaster)
    pair.pull(CAMERA)
    viewer = pair.other.viewer()
    pair.other.place(viewer, mid1=CAMERA)
    pair.teacher.show_layer("h", 1)
    pair.unsent = relay_origin.MAX_UNSENT + 1
    pair.pass_time(0.2)  # finds out
    written: list[bytes] = []
    (follower,) = pair.origin.worker.relay._followers
    follower._write = written.append
    for number in range(2, 40):
        pair.teacher.show_layer("h", number)
        pair.teacher.report(rtcp.SenderReport(LAYERS["h"], 1 << 60, 3000 * number, 1, 1))
        pair.pass_time(0.1)
    assert written == []


def test_what_comes_too_late_is_left_out_up_to_a_key_frame() -> None:
    pair = Pair()
    pair.pull(CAMERA)
    viewer = pair.other.viewer()
    pair.other.place(viewer, mid1=CAMERA)
    pair.show(1, H264_KEY)
    pair.teacher.show(2)
    pair.other.now += 0.5  # it was starved
    pair.settle()
    pair.origin.now = pair.other.now
    pair.show(3)
    pair.show(4, H264_KEY)
    assert pair.other.worker.counters["dropped_relay_late"] == 2
    assert len(viewer.take()) == 2


def test_a_publication_that_is_not_there_is_not_had() -> None:
    pair = Pair()
    pair.pull("nothing")
    assert pair.held().pulled == ()


def test_without_a_way_to_others_nothing_is_pulled() -> None:
    world = World()
    reply = world.worker.handle(Pull(CAMERA, "video", "origin"), 0.0)
    assert isinstance(reply, Refused)
    assert reply.code == "limit_reached"


def test_the_time_a_batch_was_let_go_comes_first() -> None:
    sent: list[bytes] = []
    follower = Follower({}, sent.append, lambda: 0, World().worker.counters)
    follower.receive(relay_link.pack_pull(1, "nothing"), 12.5)
    times = [frame.type for frame in relay_link.Reader().feed(sent[0])]
    assert times == [relay_link.FrameType.TIME, relay_link.FrameType.END]
