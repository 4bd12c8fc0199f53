"""media/wire.py: what goes out comes back the same."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

import pytest

from media import wire


@dataclass(frozen=True, slots=True)
class Inner:
    name: str
    share: float | None


@dataclass(frozen=True, slots=True)
class Outer:
    number: int
    flag: bool
    inner: Inner
    several: tuple[Inner, ...]
    counted: dict[str, float]


WHOLE = Outer(7, True, Inner("a", None), (Inner("b", 0.5), Inner("长", 1.0)), {"x": 2.0})


def test_a_message_comes_back_as_it_was() -> None:
    value = json.loads(json.dumps(wire.dump(WHOLE)))
    assert wire.load({"Outer": Outer}, value) == WHOLE


def test_a_dump_is_what_the_dataclass_says_of_itself() -> None:
    assert wire.dump(WHOLE) == {"type": "Outer", **dataclasses.asdict(WHOLE)}


@pytest.mark.parametrize("change", [{"number": "7"}, {"more": 1}, {"inner": {"name": "a"}}, {"type": "Inner"}])
def test_what_is_not_exactly_a_message_is_none(change: dict[str, object]) -> None:
    with pytest.raises(wire.WireError):
        wire.load({"Outer": Outer}, {**wire.dump(WHOLE), **change})
