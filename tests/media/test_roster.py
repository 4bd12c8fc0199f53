"""media/roster.py: whoever leaves a worker is known by nothing any more."""

from __future__ import annotations

from tests.support.flow import World


def test_who_leaves_is_known_by_nothing_any_more_and_others_stay() -> None:
    world = World()
    world.publisher()
    viewer = world.viewer(audio=1, video=1)
    roster = world.worker._roster
    teacher, class_ = roster.transports["teacher"], roster.transports[viewer.name]
    assert roster.leave(teacher)
    assert not roster.publications
    assert set(roster.transports.values()) == {class_}
    assert set(roster.by_ufrag.values()) == {class_}
    assert set(roster.by_path.values()) == {class_}
    assert not roster.leave(teacher)
