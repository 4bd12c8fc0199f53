"""media/silence.py and what a viewer does with it: a lossy line that has fallen silent is sent again unasked."""

from __future__ import annotations

from media import rtcp
from media.silence import GONE, SILENT, Silence
from tests.bench.stream import RTX_TYPE
from tests.support.flow import H264_KEY, Browser, World

RTT = 0.08


def told(silence: Silence, heard: float, until: float, begin: float = 0.0) -> list[int]:
    """Ten packets in each look of 20 ms, numbered from 65500 on; what is to be sent again after `heard`."""
    again: list[int] = []
    for look in range(round((until - begin) / 0.02)):
        now = begin + look * 0.02
        highest = (65500 + 10 * round(now / 0.02)) & 0xFFFF
        again += silence.due(highest, min(now, heard), RTT, now)
    return again


def test_nobody_who_is_heard_gets_anything_unasked() -> None:
    assert told(Silence(), 5.0, 2.0) == []


def test_whoever_falls_silent_gets_once_what_it_may_have_asked_for_in_vain() -> None:
    again = told(Silence(), 1.0, 1.6)
    numbers = [(number - 65500) & 0xFFFF for number in again]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))  # across the wrap, each once
    assert numbers[0] <= 10 * round((1.0 - RTT) / 0.02) + 1
    assert 10 * (1.6 - RTT) / 0.02 - 40 < numbers[-1] < 10 * (1.6 - RTT) / 0.02  # the newest may still be asked for


def test_whoever_is_heard_again_gets_nothing_more_and_begins_anew_the_next_time() -> None:
    silence = Silence()
    first = told(silence, 1.0, 1.4)
    assert told(silence, 9.0, 2.0, 1.4) == []
    assert set(first).isdisjoint(told(silence, 2.0, 2.6, 2.0))


def test_a_line_that_is_gone_gets_nothing_more() -> None:
    silence = Silence()
    assert told(silence, 1.0, 1.0 + SILENT + 0.1)
    told(silence, 1.0, 1.0 + GONE, 1.0 + SILENT + 0.1)
    assert told(silence, 1.0, 5.0, 1.0 + GONE + 0.04) == []


def watched(*, loses: bool) -> tuple[World, Browser, list[int]]:
    """A viewer that reports, perhaps after a loss, and then falls silent for half a second of pictures."""
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid1="teacher-1")
    teacher.show(1, H264_KEY)
    ssrc = viewer.take()[0].ssrc
    if loses:
        viewer.report(rtcp.Nack(1, ssrc, (1,)))
    for sequence in range(2, 80):
        world.pass_time(0.02)
        teacher.show(sequence)
        if sequence < 55:
            viewer.report(rtcp.ReceiverReport(1, ()))
    repeated = [
        int.from_bytes(packet.payload[:2], "big") for packet in viewer.take() if packet.payload_type == RTX_TYPE
    ]
    return world, viewer, repeated


def test_a_viewer_that_has_lost_and_falls_silent_is_sent_its_picture_again() -> None:
    world, _, repeated = watched(loses=True)
    assert world.worker.counters["repeated_unheard"] > 10
    assert len(repeated) - len(set(repeated)) <= 1


def test_a_viewer_that_never_lost_anything_may_be_silent() -> None:
    world, _, repeated = watched(loses=False)
    assert (world.worker.counters["repeated_unheard"], repeated) == (0, [])


def test_a_packet_asked_for_again_on_a_lossy_line_goes_out_twice_but_not_in_a_row() -> None:
    world = World()
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid1="teacher-1")
    teacher.show(1, H264_KEY)
    first = viewer.take()[0]
    came: list[tuple[float, int]] = []
    for look in range(150):
        world.pass_time(0.02)
        teacher.show(2 + look)
        if look in (0, 130, 140):  # lossy since the first; again after more than a round trip
            viewer.report(rtcp.Nack(1, first.ssrc, (first.sequence + 125,) if look else (first.sequence,)))
        came += [
            (look * 0.02, int.from_bytes(packet.payload[:2], "big") - first.sequence)
            for packet in viewer.take()
            if packet.payload_type == RTX_TYPE
        ]
        viewer.report(rtcp.ReceiverReport(1, ()))
    times = [round(at, 2) for at, number in came if number == 125]
    assert times[:2] == [2.6, 2.8]
    assert len(times) == 3
    assert times[2] > times[1]
