"""signaling/placement.py: who is served where."""

from __future__ import annotations

import pytest

from signaling import placement
from signaling.placement import Load

IDLE = Load(0, 0, 0.0)
LESSONS = Load(3, 0, 0.0)
BUSY = Load(1, 99, 0.0)
FULL = Load(1, 100, 0.0)
FLOODED = Load(1, 30, placement.PACKETS)
OVERFULL = Load(1, 150, 0.0)


@pytest.mark.parametrize(
    ("loads", "chosen"),
    [
        ({0: IDLE}, 0),
        ({0: IDLE, 1: IDLE}, 0),
        ({0: LESSONS, 1: IDLE}, 1),  # opened before the first bell: nobody watches yet
        ({0: LESSONS, 1: BUSY}, 0),
        ({0: FLOODED, 1: BUSY}, 1),
        ({1: FULL, 2: OVERFULL}, 1),
    ],
)
def test_a_lesson_begins_where_least_is_to_do(loads: dict[int, Load], chosen: int) -> None:
    assert placement.home(loads, viewers=100) == chosen


@pytest.mark.parametrize(
    ("loads", "parts", "chosen"),
    [
        ({0: IDLE, 1: BUSY}, {1}, 1),
        ({0: IDLE, 1: FULL, 2: OVERFULL}, {1, 2}, 1),
        ({0: IDLE, 1: BUSY}, {2}, 0),  # which has died as well
    ],
)
def test_a_lesson_whose_home_has_died_goes_on_where_its_viewers_are(
    loads: dict[int, Load], parts: set[int], chosen: int
) -> None:
    assert placement.home(loads, 100, parts) == chosen


@pytest.mark.parametrize(
    ("loads", "parts", "chosen"),
    [
        ({0: BUSY, 1: IDLE}, set(), 0),  # at home while there is room
        ({0: BUSY, 1: IDLE}, {1}, 0),
        ({0: FULL, 1: IDLE}, set(), 1),
        ({0: FLOODED, 1: IDLE}, set(), 1),
        ({0: FULL, 1: IDLE, 2: BUSY}, {2}, 2),  # which has the tracks already
        ({0: FULL, 1: IDLE, 2: FULL}, {2}, 1),
        ({0: FULL, 1: BUSY, 2: IDLE}, {1, 2}, 2),
        ({0: FULL, 1: OVERFULL}, {1}, 0),  # all have enough: where it is least
        ({0: OVERFULL, 1: FULL}, set(), 1),
        ({1: IDLE}, set(), 1),  # home has just died
    ],
)
def test_a_viewer_is_served_at_home_then_where_the_tracks_are_then_anywhere(
    loads: dict[int, Load], parts: set[int], chosen: int
) -> None:
    assert placement.viewer(loads, 0, parts, viewers=100) == chosen
