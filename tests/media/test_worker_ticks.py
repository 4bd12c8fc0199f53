"""media/worker.py, how often it has to be woken."""

from __future__ import annotations

import pytest

from media.rtcp import SenderReport
from media.worker import CALM, TICK
from tests.support.flow import H264_KEY, VIDEO, World

pytestmark = pytest.mark.usefixtures("either_way")


def test_a_worker_with_nothing_urgent_to_do_is_calm_and_reports_as_often() -> None:
    world = World()
    assert world.worker.calm
    teacher, viewer = world.publisher(), world.viewer()
    world.place(viewer, mid1="teacher-1")
    teacher.show(1, H264_KEY)
    teacher.report(SenderReport(VIDEO, 7 << 32, 3000, 1, 1))
    world.pass_time(0.1)
    assert not world.worker.calm  # somebody publishes
    viewer.told(SenderReport)
    for _ in range(30):
        world.now += CALM * TICK
        world.worker.tick(world.now, CALM)
        world.settle()
    assert len(viewer.told(SenderReport)) == 3
    teacher.goodbye()
    world.pass_time(2.0)
    assert world.worker.calm
