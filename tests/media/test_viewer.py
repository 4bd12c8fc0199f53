"""media/viewer.py: what a browser that watches may ask for, and how much of it."""

from __future__ import annotations

import pytest

from media import rtcp
from media.subscription import Slot
from media.viewer import ATTENTION, REPEATS_AT_ONCE
from tests.support.flow import H264_KEY, Browser, World

pytestmark = pytest.mark.usefixtures("either_way")

CAMERA = "teacher-1"


def lesson() -> tuple[World, Browser, Browser, int]:
    """With the SSRC of the class's first video slot."""
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid1=CAMERA)
    teacher.show(1, H264_KEY)
    return world, teacher, viewer, viewer.packets[-1].ssrc


def test_a_broken_picture_makes_the_publisher_send_a_key_frame() -> None:
    world, teacher, viewer, ssrc = lesson()
    world.pass_time(3.0)
    teacher.told(rtcp.PictureLoss)
    viewer.report(rtcp.PictureLoss(1, ssrc))
    assert len(teacher.told(rtcp.PictureLoss)) == 1
    teacher.show(2, H264_KEY)
    viewer.report(rtcp.FullIntraRequest(1, ((ssrc, 1),)))  # within 2 s of the last: it has to wait
    assert teacher.told(rtcp.PictureLoss) == []
    world.pass_time(2.1)
    assert len(teacher.told(rtcp.PictureLoss)) == 1


def test_what_repetitions_do_not_mend_makes_the_publisher_send_a_key_frame() -> None:
    """Chromium would say so only after three seconds without a picture."""
    world, teacher, viewer, ssrc = lesson()
    teacher.show(2, b"\x41lost")
    lost = viewer.take()[-1].sequence
    world.pass_time(3.0)
    teacher.show(3, b"\x41")
    teacher.told(rtcp.PictureLoss)
    asked = []
    for _ in range(5):
        viewer.report(rtcp.Nack(1, ssrc, (lost,)))
        asked.append(len(teacher.told(rtcp.PictureLoss)))
        world.pass_time(0.12)
    assert asked[:3] == [0, 0, 0]
    assert sum(asked) == 1


def test_a_request_for_a_stream_we_do_not_send_is_nothing() -> None:
    _, teacher, viewer, _ = lesson()
    teacher.told(rtcp.PictureLoss)
    viewer.report(rtcp.PictureLoss(1, 12345), rtcp.Nack(1, 12345, (1, 2, 3)))
    assert teacher.told(rtcp.PictureLoss) == []


def test_a_flood_of_nacks_is_answered_within_a_budget() -> None:
    world, teacher, viewer, ssrc = lesson()
    for sequence in range(2, 600):
        teacher.show(sequence)
    sequences = sorted(packet.sequence for packet in viewer.take() if packet.ssrc == ssrc)
    world.pass_time(0.2)
    for at in range(0, len(sequences), 100):
        viewer.report(rtcp.Nack(1, ssrc, tuple(sequences[at : at + 100])))
    assert len(viewer.take()) == REPEATS_AT_ONCE
    assert world.worker.counters["dropped_nack_flood"] > 0
    world.pass_time(0.2)
    viewer.report(rtcp.Nack(1, ssrc, tuple(sequences[-100:])))
    assert 0 < len(viewer.take()) <= 100


def test_nacks_in_vain_use_the_budget_up_too() -> None:
    world, _, viewer, ssrc = lesson()
    for at in range(0, 6000, 500):
        viewer.report(rtcp.Nack(1, ssrc, tuple(range(at, at + 500))))
    assert world.worker.counters["dropped_nack_flood"] > 3000


def test_of_a_flood_of_nacks_no_more_is_looked_up_than_honest_viewers_need(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _, viewer, ssrc = lesson()
    looked_up: list[int] = []
    monkeypatch.setattr(Slot, "needs", lambda _, sequence: looked_up.append(sequence))
    for _ in range(20):
        viewer.report(rtcp.Nack(1, ssrc, tuple(range(5900))))
    assert len(looked_up) == ATTENTION
    assert world.worker.counters["dropped_nack_flood"] >= 20 * 5900 - ATTENTION
    world.pass_time(0.5)
    viewer.report(rtcp.Nack(1, ssrc, (7,)))
    assert looked_up[-1] == 7


def test_losses_that_a_viewer_reports_and_cannot_ask_for_are_made_good() -> None:
    world, teacher, viewer, ssrc = lesson()
    for sequence in range(2, 32):
        teacher.show(sequence)
    sequences = [packet.sequence for packet in viewer.take() if packet.ssrc == ssrc]

    def tell(last: int, lost: int) -> None:
        viewer.report(rtcp.ReceiverReport(1, (rtcp.ReportBlock(ssrc, 0, lost, last, 0, 0, 0),)))

    tell(sequences[9], 0)
    tell(sequences[19], 2)
    world.pass_time(0.4)  # no NACK comes: it was lost, too
    tell(sequences[29], 2)
    again = [packet for packet in viewer.take() if packet.ssrc != ssrc]
    assert [packet.payload[:2] for packet in again] == [each.to_bytes(2, "big") for each in sequences[10:20]]
    tell(sequences[29], 2)
    assert viewer.take() == []


def test_the_browsers_estimate_is_kept() -> None:
    world, _, viewer, ssrc = lesson()
    viewer.report(rtcp.ReceiverReport(1), rtcp.Remb(1, 2_000_000, (ssrc,)))
    transport = world.worker._transports["class"]
    assert transport.viewer is not None
    assert transport.viewer.estimate == 2_000_000


def test_the_round_trip_is_learned_from_receiver_reports() -> None:
    world, teacher, viewer, ssrc = lesson()
    teacher.report(rtcp.SenderReport(0x1002, 5 << 32, 3000, 1, 5))
    world.pass_time(1.0)
    (report,) = viewer.told(rtcp.SenderReport)
    assert isinstance(report, rtcp.SenderReport)
    world.pass_time(0.5)
    block = rtcp.ReportBlock(ssrc, 0, 0, 1, 0, report.ntp >> 16 & 0xFFFFFFFF, 0)
    viewer.report(rtcp.ReceiverReport(1, (block,)))
    transport = world.worker._transports["class"]
    assert transport.viewer is not None
    assert 0.5 <= transport.viewer.round_trip.assumed <= 1.5


def test_a_viewers_reference_time_is_answered() -> None:
    world, _, viewer, _ = lesson()
    viewer.report(rtcp.ReceiverReferenceTime(77, 0x0001_2345_6789_0000))
    world.pass_time(1.0)
    (answer,) = viewer.told(rtcp.LastReceiverReference)
    assert isinstance(answer, rtcp.LastReceiverReference)
    ((ssrc, reference, delay),) = answer.blocks
    assert (ssrc, reference) == (77, 0x2345_6789)
    assert 0 < delay <= 65536


def test_a_flood_of_lost_pictures_is_heeded_a_few_times() -> None:
    world, teacher, viewer, ssrc = lesson()
    asked = 0
    for number in range(2, 202):  # 20 s
        viewer.report(*[rtcp.PictureLoss(1, ssrc)] * 20)
        world.pass_time(0.1)
        asked += len(teacher.told(rtcp.PictureLoss))
        teacher.show(number, H264_KEY)
    assert asked <= 8
    assert world.worker.counters["dropped_picture_loss_flood"] > 2000
