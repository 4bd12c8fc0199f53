"""As whom somebody takes part, from the grant they come with."""

from dataclasses import replace
from typing import Literal

import pytest

from signaling.commands import Hello
from signaling.grants import Grant
from signaling.presence import Presence
from signaling.room import RoomError
from signaling.seating import new_id, seat, waits
from signaling.state import RoomState

CLASS = Grant("lesson", "receiving_class", None, None, 0.0, identity="c7", device="tablet")
HELLO = Hello(token="t")


class Socket:
    def send(self, text: str) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


def _here(device: str) -> dict[str, Presence]:
    return {"c-c7": Presence("socket", Socket(), device=device)}


def test_a_class_of_the_list_is_one_participant_on_all_its_devices() -> None:
    assert seat(CLASS, HELLO, {}) == ("c-c7", "receiving_class")
    assert seat(CLASS, HELLO, _here("tablet")) == ("c-c7", "receiving_class")


def test_a_second_device_goes_on_only_when_the_person_says_so() -> None:
    with pytest.raises(RoomError) as caught:
        seat(CLASS, HELLO, _here("board"))
    assert caught.value.code == "second_device"
    assert seat(CLASS, replace(HELLO, device="take_over"), _here("board")) == ("c-c7", "receiving_class")


def test_a_second_device_that_only_watches_is_an_observer_beside_the_class() -> None:
    assert seat(CLASS, replace(HELLO, device="watch"), _here("board")) == ("c-c7-tablet", "observer")


def test_who_is_known_by_nothing_is_somebody_new_each_time() -> None:
    stranger = replace(CLASS, identity=None, device=None)
    assert new_id(stranger) != new_id(stranger)
    assert new_id(replace(CLASS, identity=None)).startswith("c-tablet-")


@pytest.mark.parametrize(
    ("role", "uninvited", "waiting"),
    [("receiving_class", True, True), ("receiving_class", False, False), ("observer", True, False)],
)
def test_only_a_class_that_is_not_invited_waits_at_the_door(
    role: Literal["receiving_class", "observer"], uninvited: bool, waiting: bool
) -> None:
    assert waits(replace(CLASS, role=role, waits=uninvited), "c-c7", RoomState()) is waiting
