import gc
import weakref
from collections.abc import Iterator

import pytest

from media.garbage import LONGEST, MOST_GONE, SETTLED, Garbage


class Knot:
    """Something that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def garbage() -> Iterator[Garbage]:
    garbage = Garbage(now=0.0)
    yield garbage
    garbage.close()


def settled_knot(garbage: Garbage) -> weakref.ref[Knot]:
    """One that has outlived the collections of what is new, then nobody holds it any more."""
    knot = Knot()
    garbage.tick(SETTLED, transports=1)
    return weakref.ref(knot)


def test_new_garbage_goes_with_the_next_tick(garbage: Garbage) -> None:
    knot = weakref.ref(Knot())
    garbage.tick(0.02, transports=1)
    assert knot() is None


def test_what_has_settled_is_not_looked_at_while_browsers_are_there(garbage: Garbage) -> None:
    knot = settled_knot(garbage)
    garbage.tick(2 * SETTLED, transports=1)
    assert knot() is not None


def test_all_garbage_goes_when_the_last_browser_has_left(garbage: Garbage) -> None:
    knot = settled_knot(garbage)
    garbage.tick(2 * SETTLED, transports=0)
    assert knot() is None


def test_all_garbage_goes_when_many_have_come_and_gone(garbage: Garbage) -> None:
    knot = settled_knot(garbage)
    for _ in range(MOST_GONE):
        garbage.tick(2 * SETTLED, transports=2)
        garbage.tick(2 * SETTLED, transports=1)
    assert knot() is None


def test_all_garbage_goes_after_half_a_day(garbage: Garbage) -> None:
    knot = settled_knot(garbage)
    garbage.tick(SETTLED + LONGEST, transports=1)
    assert knot() is None


def test_the_collector_runs_by_itself_again_afterwards() -> None:
    Garbage(now=0.0).close()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
