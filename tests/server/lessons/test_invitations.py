from datetime import datetime, timedelta

import pytest

from server.database import now
from server.lessons.invitations import on_or_next
from server.lessons.model import Lesson

NOON = now()


def lesson(name: str, status: str, minutes: int | None, started: int = 0) -> Lesson:
    at = None if minutes is None else NOON + timedelta(minutes=minutes)
    begun = NOON + timedelta(minutes=started) if status == "live" else None
    return Lesson(id=name, status=status, created_at=NOON - timedelta(days=1), starts_at=at, started_at=begun)


@pytest.mark.parametrize(
    ("lessons", "chosen"),
    [
        ([], None),
        ([lesson("next", "scheduled", 20), lesson("later", "scheduled", 70)], "next"),
        ([lesson("on", "live", -20, -18), lesson("next", "scheduled", 5)], "on"),
        ([lesson("first", "live", -60, -58), lesson("second", "live", -5, -4)], "second"),
        ([lesson("never held", "scheduled", -100), lesson("next", "scheduled", 30)], "next"),
        ([lesson("late", "scheduled", -15), lesson("next", "scheduled", 60)], "late"),
        ([lesson("yesterday", "scheduled", -1500)], None),
        ([lesson("over", "ended", -10)], None),
    ],
)
def test_a_class_goes_where_it_belongs_now(lessons: list[Lesson], chosen: str | None) -> None:
    found = on_or_next(lessons, NOON)
    assert (found.id if found else None) == chosen


def test_a_lesson_without_a_time_is_for_the_day_it_was_made() -> None:
    made: datetime = NOON - timedelta(minutes=5)
    for_now = Lesson(id="now", status="scheduled", created_at=made, starts_at=None)
    assert on_or_next([for_now, lesson("next", "scheduled", 30)], NOON) is for_now
