"""media/bandwidth.py on a worker: what a viewer's reports do to its slots."""

from __future__ import annotations

import pytest

from media import rtcp
from media.bandwidth import FEWEST_REPEATS, MOST_REPEATS, ROOM_FOR_TWICE, Bandwidth
from media.messages import Done, Place, Placement, SlotChanged
from tests.support.flow import H264_KEY, HEIGHTS, LAYERS, RIDS, VP8_DELTA, Browser, World, vp8_key

CAMERA = "teacher-1"


def lesson() -> tuple[World, Browser, Browser, int, Bandwidth]:
    """A camera without layers of half a megabit a second, for two seconds, with the SSRC of the slot that has it."""
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid1=CAMERA)
    teacher.show(1, H264_KEY)
    ssrc = viewer.packets[-1].ssrc
    film(world, teacher, 2, 100)
    transport = world.worker._transports["class"]
    assert transport.viewer is not None
    return world, teacher, viewer, ssrc, transport.viewer.bandwidth


def film(world: World, teacher: Browser, first: int, frames: int) -> None:
    for sequence in range(first, first + frames):
        teacher.show(sequence, (H264_KEY if sequence % 25 == 0 else b"\x41") + bytes(1160))
        world.pass_time(0.02)


def narrow(viewer: Browser, ssrc: int, world: World) -> None:
    viewer.report(rtcp.ReceiverReport(1), rtcp.Remb(1, 900_000, (ssrc,)))
    viewer.report(rtcp.ReceiverReport(1), rtcp.Remb(1, 200_000, (ssrc,)))


def test_a_picture_that_does_not_fit_is_paused_and_told() -> None:
    world, teacher, viewer, ssrc, _ = lesson()
    narrow(viewer, ssrc, world)
    viewer.take()
    film(world, teacher, 102, 60)
    assert [packet for packet in viewer.take() if packet.ssrc == ssrc] == []
    assert SlotChanged("class", "1", None, 0, paused=True) in world.events


def test_before_the_path_has_said_anything_nothing_is_paused() -> None:
    world, teacher, viewer, ssrc, _ = lesson()
    film(world, teacher, 102, 100)
    viewer.take()
    film(world, teacher, 202, 5)
    assert any(packet.ssrc == ssrc for packet in viewer.take())


def test_on_a_narrow_path_fewer_packets_may_be_had_again() -> None:
    world, _, viewer, ssrc, bandwidth = lesson()
    assert bandwidth.repeats_per_second == MOST_REPEATS
    narrow(viewer, ssrc, world)
    assert bandwidth.repeats_per_second == FEWEST_REPEATS


def test_on_a_narrow_path_there_is_no_room_for_redundant_sound() -> None:
    world, _, viewer, ssrc, bandwidth = lesson()
    assert not bandwidth.narrow
    narrow(viewer, ssrc, world)
    assert bandwidth.narrow
    bandwidth.estimate.proven(ROOM_FOR_TWICE, world.now)
    assert not bandwidth.narrow


def test_a_picture_the_page_hides_is_not_paused_by_bandwidth() -> None:
    world, _, _, _, bandwidth = lesson()
    world.worker._transports["class"].viewer.slots["1"].max_height = 0  # type: ignore[union-attr]
    bandwidth.allocate(world.now)
    (change,) = [change for change in bandwidth.changes() if change.mid == "1"]
    assert (change.rid, change.paused) == (None, False)


def test_a_viewer_whose_tcp_queue_grows_is_given_less_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, viewer, _, bandwidth = lesson()
    queue = 0.0
    monkeypatch.setattr(bandwidth, "_behind", lambda now: queue)
    before = bandwidth.estimate.bitrate
    viewer.report(rtcp.ReceiverReport(1))
    assert bandwidth.estimate.bitrate == before
    queue = 0.2
    viewer.report(rtcp.ReceiverReport(1))
    assert bandwidth.estimate.bitrate < 0.75 * min(before, 500_000)


def test_a_viewer_that_never_says_a_word_gets_the_smallest_layer_and_is_not_probed() -> None:
    world = World()
    teacher, viewer = world.simulcaster(), world.viewer(audio=0, video=1)
    world.place(viewer, mid0=CAMERA)
    for sequence in range(25 * 14):
        asked = {it.media_ssrc for it in teacher.told(rtcp.PictureLoss) if isinstance(it, rtcp.PictureLoss)}
        for rid in RIDS:
            key = sequence == 0 or LAYERS[rid] in asked
            teacher.show_layer(rid, sequence, vp8_key(HEIGHTS[rid]) if key else VP8_DELTA)
        world.pass_time(0.04)
    transport = world.worker._transports["class"]
    assert transport.viewer is not None
    slot, bandwidth = transport.viewer.slots["0"], transport.viewer.bandwidth
    assert slot.carried is not None
    assert slot.carried.layer == 0
    assert not bandwidth.probing
    viewer.take()
    world.pass_time(2.0)
    assert [packet for packet in viewer.take() if packet.ssrc != slot.ssrc] == []  # nothing on top of it


def test_what_remb_says_of_our_own_probe_takes_nothing_away_that_was_there_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, teacher, viewer, ssrc, bandwidth = lesson()
    before = bandwidth.sent(world.now, 1.0)
    bandwidth._wanted = 3_000_000.0  # a second camera, say
    bandwidth.begin_probe(world.now)
    assert bandwidth.probing
    monkeypatch.setattr(bandwidth, "sent", lambda now, seconds: 3 * before)  # padding and all
    viewer.report(rtcp.ReceiverReport(1), rtcp.Remb(1, 900_000, (ssrc,)))
    viewer.report(rtcp.ReceiverReport(1), rtcp.Remb(1, round(0.95 * before), (ssrc,)))
    assert bandwidth.estimate.bitrate > before
    viewer.take()
    film(world, teacher, 142, 5)
    assert any(packet.ssrc == ssrc for packet in viewer.take())


def test_a_slot_for_the_smallest_layer_carries_that_alone_until_it_is_told_otherwise() -> None:
    world = World()
    teacher, viewer = world.simulcaster(), world.viewer(audio=0, video=1)
    numbers = iter(range(1, 1000))

    def carried(*, smallest: bool) -> list[str | None]:
        assert world.handle(Place(viewer.name, (Placement("0", CAMERA, smallest=smallest),))) == Done()
        told = len(world.events)
        for _ in range(50):
            number = next(numbers)
            for rid in RIDS:
                teacher.show_layer(rid, number)
            world.pass_time(0.04)
        return [event.rid for event in world.events[told:] if isinstance(event, SlotChanged)]

    teacher.show_layer("l", 0)
    assert carried(smallest=True) == ["l"]
    assert carried(smallest=False)[-1] in ("m", "h")
    assert carried(smallest=True)[-1] == "l"
