"""media/statistics.py: what a survey of real transports says."""

from __future__ import annotations

import pytest

from media import rtcp
from media.messages import LayerStatistics, Shown, SlotStatistics, Survey, Surveyed, TransportStatistics, View
from media.statistics import Flow
from tests.support.flow import H264_KEY, VIDEO, Browser, World

INTERVAL = 2.0  # seconds between looks, as the server's


def survey(world: World, *transport_ids: str) -> dict[str, TransportStatistics]:
    reply = world.worker.handle(Survey(transport_ids), world.now)
    assert isinstance(reply, Surveyed)
    return {one.transport_id: one for one in reply.transports}


def lesson() -> tuple[World, Browser, Browser]:
    """A teacher and a class that sees the camera."""
    world = World()
    teacher, pupils = world.publisher(), world.viewer()
    world.place(pupils, mid0="teacher-0", mid1="teacher-1")
    teacher.show(0, H264_KEY)
    survey(world, "teacher", "class")
    return world, teacher, pupils


def layer(world: World) -> LayerStatistics:
    publications = {one.publication_id: one for one in survey(world, "teacher")["teacher"].publications}
    return publications["teacher-1"].layers[0]


def slot(world: World) -> SlotStatistics:
    return next(one for one in survey(world, "class")["class"].slots if one.mid == "1")


def film(world: World, teacher: Browser, first: int, count: int, *, lost: tuple[int, ...] = ()) -> None:
    """So many pictures of 1000 bytes, 25 a second."""
    for sequence in range(first, first + count):
        world.pass_time(0.04)
        if sequence not in lost:
            teacher.show(sequence, b"\x41" + bytes(999))


def block(pupils: Browser, highest: int, lost: int, jitter: int = 0) -> rtcp.ReportBlock:
    ssrc = next(packet.ssrc for packet in pupils.packets if packet.payload_type != 111)
    return rtcp.ReportBlock(ssrc, 0, lost, highest, jitter, 0, 0)


def test_a_publication_has_the_bitrate_and_the_loss_of_the_last_seconds() -> None:
    world, teacher, _ = lesson()
    film(world, teacher, 1, 50, lost=(10, 20, 30, 40, 45))
    found = layer(world)
    assert found.codec == "H264"
    assert found.bitrate == pytest.approx(45 * 1000 * 8 / INTERVAL, rel=0.05)  # headers included
    assert found.loss == pytest.approx(0.1)
    assert found.nacked > 0
    assert found.key_frames_asked >= 1
    film(world, teacher, 51, 50)
    assert layer(world).loss == 0.0


def test_a_publication_that_fell_silent_takes_nothing_and_loses_nothing() -> None:
    world, teacher, _ = lesson()
    film(world, teacher, 1, 50, lost=(10,))
    assert layer(world).bitrate > 0
    world.pass_time(INTERVAL)
    found = layer(world)
    assert (found.bitrate, found.loss) == (0.0, 0.0)


def test_a_slot_has_what_is_sent_and_what_its_viewer_says_of_it() -> None:
    world, teacher, pupils = lesson()
    first = pupils.packets[-1].sequence
    pupils.report(rtcp.ReceiverReport(7, (block(pupils, first, lost=0),)))
    slot(world)
    film(world, teacher, 1, 50)
    pupils.report(rtcp.ReceiverReport(7, (block(pupils, first + 50, lost=5, jitter=900),)))
    pupils.report(rtcp.Nack(7, block(pupils, 0, 0).ssrc, (first + 1, first + 49, first + 50)))
    pupils.report(rtcp.PictureLoss(7, block(pupils, 0, 0).ssrc))
    found = slot(world)
    assert (found.publication_id, found.rid, found.paused) == ("teacher-1", "", False)
    assert found.bitrate == pytest.approx(50 * 1000 * 8 / INTERVAL, rel=0.05)
    assert found.loss == pytest.approx(0.1)
    assert found.jitter_ms == pytest.approx(10.0)  # 900 of 90 000 a second
    assert found.nacked == 3
    assert found.repeated == 2  # the first is older than the second that is kept
    assert found.pictures_lost == 1


def test_a_picture_that_a_page_does_not_show_is_not_said_to_be_paused_by_its_line() -> None:
    world, teacher, _ = lesson()
    film(world, teacher, 1, 10)
    world.worker.handle(View("class", (Shown("1", 0),)), world.now)
    film(world, teacher, 11, 10)
    assert (slot(world).rid, slot(world).paused) == (None, False)


def test_a_report_about_another_stream_changes_nothing() -> None:
    world, teacher, pupils = lesson()
    film(world, teacher, 1, 50)
    pupils.report(rtcp.ReceiverReport(7, (rtcp.ReportBlock(VIDEO, 255, 1000, 70, 9, 0, 0),)))
    assert (slot(world).loss, slot(world).jitter_ms) == (0.0, 0.0)


def test_empty_slots_are_left_out() -> None:
    world, _, pupils = lesson()
    assert [one.mid for one in survey(world, "class")["class"].slots] == ["0", "1"]
    world.place(pupils, mid1=None)
    assert [one.mid for one in survey(world, "class")["class"].slots] == ["0"]


def test_a_transport_says_its_way_and_its_round_trip() -> None:
    world, teacher, _ = lesson()
    film(world, teacher, 1, 50)
    found = survey(world, "class", "teacher", "nobody")
    assert found.keys() == {"class", "teacher"}
    assert (found["class"].direction, found["class"].connected, found["class"].protocol) == ("receive", True, "udp")
    assert found["class"].bitrate == sum(one.bitrate for one in found["class"].slots) > 0
    assert found["teacher"].bitrate == sum(one.layers[0].bitrate for one in found["teacher"].publications if one.layers)
    assert found["teacher"].rtt_ms is None
    assert found["teacher"].estimate is None


@pytest.mark.parametrize(
    ("looks", "bitrate", "loss"),
    [
        ([(0.0, 0, 0, 0)], 0.0, 0.0),
        ([(0.0, 0, 0, 0), (2.0, 250_000, 100, 10)], 1e6, 0.1),
        ([(0.0, 0, 0, 0), (2.0, 250_000, 100, 10), (2.1, 250_000, 100, 10)], 1e6, 0.1),  # too soon: the same again
        ([(0.0, 0, 0, 0), (2.0, 250_000, 100, 10), (4.0, 300_000, 100, 10)], 2e5, 0.1),  # no report meanwhile
        ([(0.0, 0, 0, 0), (2.0, 250_000, 100, 10), (4.0, 250_000, 100, 10)], 0.0, 0.0),  # nothing sent
        ([(0.0, 9000, 900, 90), (2.0, 10, 10, 0)], 0.0, 0.0),  # another stream
        ([(0.0, 0, 0, 0), (2.0, 250_000, 100, -5)], 1e6, 0.0),  # repetitions count as negative loss
        ([(0.0, 0, 0, 0), (2.0, 250_000, 10, 100)], 1e6, 1.0),  # a viewer that lies
    ],
)
def test_bitrate_and_loss_are_differences_of_totals(
    looks: list[tuple[float, int, int, int]], bitrate: float, loss: float
) -> None:
    flow = Flow()
    for look in looks:
        flow.look(*look)
    assert (flow.bitrate, flow.loss) == (bitrate, loss)
