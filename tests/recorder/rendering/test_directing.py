"""recorder/rendering/directing.py: what a movie shows, as tables of who is there and what then stands where."""

import pytest

from recorder.manifest import TrackEntry
from recorder.rendering.directing import WHOLE, Scene, Shown, both, scenes, speaking, stretches
from recorder.rendering.stage import Box

SCREEN = Shown("screen", "screen", "t", 0, 100)
TEACHER = Shown("teacher", "teacher", "t", 0, 100)
COLLEAGUE = Shown("colleague", "co_teacher", "co", 0, 100)
ONE = Shown("one", "class", "c1", 10, 100)
TWO = Shown("two", "class", "c2", 20, 100)
THREE = Shown("three", "class", "c3", 30, 100)


@pytest.mark.parametrize(
    ("there", "standing"),
    [
        ([], []),
        ([SCREEN], ["screen"]),
        ([TEACHER], ["teacher"]),
        ([COLLEAGUE], ["colleague"]),
        ([SCREEN, TEACHER], ["screen", "teacher"]),
        ([SCREEN, COLLEAGUE, TEACHER], ["screen", "teacher"]),
        ([SCREEN, ONE], ["screen", "one"]),
        ([TWO, SCREEN, ONE, TEACHER], ["screen", "teacher", "one", "two"]),
        ([TEACHER, ONE], ["teacher", "one"]),
        ([TEACHER, ONE, TWO, THREE], ["teacher", "one", "two"]),
        ([ONE], ["one"]),
        ([ONE, TWO], ["one", "two"]),
    ],
)
def test_the_screen_is_large_then_the_teacher_and_classes_are_small(there: list[Shown], standing: list[str]) -> None:
    (scene,) = scenes(there, 50, 60)
    assert [track for track, _ in scene.places] == standing


@pytest.mark.parametrize("beside", [[TEACHER], [TEACHER, ONE], [TEACHER, ONE, TWO], [ONE, TWO]])
def test_nothing_covers_the_screen_and_nothing_leaves_the_stage(beside: list[Shown]) -> None:
    (scene,) = scenes([SCREEN, *beside], 50, 60)
    boxes = [box for _, box in scene.places]
    for number, box in enumerate(boxes):
        assert 0 <= box.x < box.x + box.width <= WHOLE.width
        assert 0 <= box.y < box.y + box.height <= WHOLE.height
        assert not any(_overlap(box, other) for other in boxes[number + 1 :])


def test_small_pictures_over_a_teacher_do_not_cover_each_other() -> None:
    (scene,) = scenes([TEACHER, ONE, TWO], 50, 60)
    (_, whole), (_, one), (_, two) = scene.places
    assert whole == WHOLE
    assert not _overlap(one, two)


def _overlap(one: Box, other: Box) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


def test_scenes_follow_each_other_without_holes_and_change_only_when_the_stage_does() -> None:
    there = [
        Shown("old", "teacher", "t", 100, 400),
        Shown("new", "teacher", "t", 300, 700),  # a reconnect that overlaps
        Shown("one", "class", "c1", 350, 360),
        Shown("screen", "screen", "t", 500, 600),
    ]
    found = scenes(there, 0, 1000)
    assert [(scene.from_ms, scene.to_ms, [track for track, _ in scene.places]) for scene in found] == [
        (0, 100, []),
        (100, 300, ["old"]),
        (300, 350, ["new"]),
        (350, 360, ["new", "one"]),
        (360, 500, ["new"]),
        (500, 600, ["screen", "new"]),
        (600, 700, ["new"]),
        (700, 1000, []),
    ]
    assert scenes([], 5, 9) == [Scene(5, 9, ())]


def test_a_class_stays_while_it_pauses_for_breath() -> None:
    assert speaking([(10_000, 11_000), (13_000, 13_200), (30_000, 31_000)]) == [(9500, 16_200), (29_500, 34_000)]
    assert speaking([(20_000, 21_000), (10_000, 30_000)]) == [(9500, 33_000)]


def test_a_picture_stands_through_a_short_gap_and_goes_for_a_long_one() -> None:
    track = TrackEntry("t", "t", "p", "video", "camera", True, "H264", 90_000, "x", start_ms=1000, duration_ms=60_000)
    track.gaps.extend([[5000, 7000], [20_000, 30_000]])
    assert stretches(track) == [(1000, 20_000), (30_000, 61_000)]


def test_what_is_in_both() -> None:
    assert both([(0, 10), (20, 30)], [(5, 25), (28, 40)]) == [(5, 10), (20, 25), (28, 30)]
    assert both([(0, 10)], [(10, 20)]) == []
