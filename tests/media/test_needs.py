"""media/needs.py: which layers a publisher is told to send."""

from __future__ import annotations

from media.layers import Layer
from media.needs import KEPT, LOOKED_AT_EVERY, Needs

RIDS = ("h", "m", "l")


def layers() -> list[Layer]:
    return [Layer(rid, index) for index, rid in enumerate(reversed(RIDS))]


def test_the_smallest_is_always_needed_and_the_others_while_somebody_may_look_back() -> None:
    needs, all_of_them = Needs(RIDS), layers()
    assert not needs.changed(RIDS, all_of_them, (), False, 10.0)
    assert not needs.changed(RIDS, all_of_them, (), False, 9.9 + KEPT)
    assert needs.changed(RIDS, all_of_them, (), False, 10.1 + KEPT)
    assert needs.told == ("l",)


def test_the_recorder_needs_the_best_and_is_told_at_once_and_what_sleeps_is_not_woken_with_it() -> None:
    needs, all_of_them = Needs(("l",)), layers()
    for layer in all_of_them[1:]:
        layer.unneeded_since = 10.0 - KEPT
    assert not needs.changed(RIDS, all_of_them, (), False, 10.0)
    assert needs.changed(RIDS, all_of_them, (), True, 10.0)
    assert needs.told == ("h", "l")


def test_what_is_needed_no_more_is_not_asked_for_anew_while_it_is_kept() -> None:
    needs, all_of_them = Needs(("l",)), layers()
    assert not needs.changed(RIDS, all_of_them, (), False, 10.0)
    assert needs.told == ("l",)


def test_it_is_looked_at_only_now_and_then() -> None:
    needs = Needs(RIDS)
    assert needs.due(10.0)
    assert not needs.due(10.0 + LOOKED_AT_EVERY / 2)
    assert needs.due(10.0 + 2 * LOOKED_AT_EVERY)
