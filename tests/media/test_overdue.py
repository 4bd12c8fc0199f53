"""media/overdue.py: what is asked for again and again."""

from __future__ import annotations

from media.overdue import FORGOTTEN, MOST, Overdue


def test_a_packet_that_comes_again_in_time_is_nothing() -> None:
    overdue = Overdue()
    assert not overdue.asked((1, 2, 3), 0.08, 10.0)
    assert not overdue.asked((2,), 0.08, 10.2)
    assert not overdue.asked((4,), 0.08, 11.0)


def test_who_still_asks_for_one_when_it_should_have_come_gets_a_key_frame_once() -> None:
    overdue = Overdue()
    asked = [overdue.asked((7,), 0.08, 10.0 + 0.11 * n) for n in range(6)]
    assert asked == [False, False, False, True, False, False]


def test_on_a_slow_line_there_is_time_for_a_second_try() -> None:
    overdue = Overdue()
    asked = [overdue.asked((7,), 0.3, 10.0 + 0.1 * n) for n in range(10)]
    assert asked.index(True) >= 7


def test_numbers_that_wrapped_are_not_the_same_packet() -> None:
    overdue = Overdue()
    overdue.asked((7,), 0.08, 10.0)
    assert not overdue.asked((7,), 0.08, 10.1 + FORGOTTEN)


def test_a_flood_of_numbers_is_not_remembered() -> None:
    overdue = Overdue()
    for number in range(1000):
        overdue.asked(range(17 * number, 17 * number + 17), 0.08, 10.0)
    assert len(overdue._first) <= MOST + 17
