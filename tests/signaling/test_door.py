"""Who comes in: the room's own rules. How they look from outside is in tests/server/lessons/test_admission.py."""

from collections.abc import Callable

import pytest

from signaling.events import Admission, Mode
from signaling.room import INTERACTIVE_PLACES, MAX_WAITING, Room, RoomError


@pytest.fixture
def room() -> Room:
    room = Room()
    room.join(10, "t-1", "lead_teacher", "主讲教师甲", None)
    room.join(20, "k-1", "co_teacher", "主讲教师乙", None)
    room.join(30, "c-1", "receiving_class", "六(1)班", 40)
    room.join(40, "c-2-a1", "receiving_class", "六(2)班", 41, waits=True)
    return room


def code(command: Callable[[], object]) -> str:
    with pytest.raises(RoomError) as caught:
        command()
    return caught.value.code


def test_a_class_at_the_door_does_nothing_but_count_its_pupils(room: Room) -> None:
    assert room.state.participants["c-2-a1"].waiting
    assert code(lambda: room.hand(50, "c-2-a1", True)) == "not_admitted"
    assert code(lambda: room.chat(50, "c-2-a1", "在吗")) == "not_admitted"
    assert code(lambda: room.admit(50, "c-2-a1", "c-2-a1")) == "not_admitted"
    assert code(lambda: room.floor(50, "t-1", "c-2-a1", granted=True)) == "not_admitted"
    assert code(lambda: room.set_mode(50, "t-1", "c-2-a1", "view_only")) == "not_admitted"
    assert not room.may_publish("c-2-a1")
    assert room.set_headcount(50, "c-2-a1", "c-2-a1", 42)


def test_teachers_let_a_class_in_and_it_comes_again_without_asking(room: Room) -> None:
    assert code(lambda: room.admit(50, "c-1", "c-2-a1")) == "not_allowed"
    assert [event.payload for event in room.admit(60, "k-1", "c-2-a1")] == [Admission("c-2-a1", "admitted")]
    assert room.admit(70, "t-1", "c-2-a1") == []
    room.leave(80, "c-2-a1", "lost")
    room.join(90, "c-2-b2", "receiving_class", "六(2)班", 41, waits=True)
    assert not room.state.participants["c-2-b2"].waiting


def test_a_class_let_in_as_the_seventh_only_watches(room: Room) -> None:
    for number in range(INTERACTIVE_PLACES - 1):
        room.join(50, f"c-x{number}", "receiving_class", "", None)
    admitted = room.admit(60, "t-1", "c-2-a1")
    assert [type(event.payload) for event in admitted] == [Admission, Mode]


def test_who_was_sent_out_does_not_come_back_under_another_id(room: Room) -> None:
    room.admit(50, "t-1", "c-2-a1")
    room.join(55, "c-2-zz", "observer", "六(2)班", None)
    assert len(room.remove(60, "t-1", "c-2-a1")) == 2
    assert code(lambda: room.join(70, "c-2-b2", "receiving_class", "别的名字", 41)) == "removed"
    assert code(lambda: room.join(70, "c-2-b2", "observer", "别的名字", None)) == "removed"
    room.join(80, "c-3", "receiving_class", "六(3)班", 41)


def test_a_locked_room_takes_those_who_were_in_before_and_teachers(room: Room) -> None:
    assert code(lambda: room.lock(50, "c-1", True)) == "not_allowed"
    room.lock(50, "k-1", True)
    assert room.lock(55, "t-1", True) == []
    assert code(lambda: room.join(60, "c-9", "receiving_class", "六(9)班", 40)) == "locked"
    assert code(lambda: room.join(60, "o-9", "observer", "", None)) == "locked"
    room.leave(70, "c-1", "lost")
    room.join(80, "c-1", "receiving_class", "六(1)班", 40)
    room.join(80, "t-2", "lead_teacher", "主讲教师甲", None)
    room.leave(90, "c-2-a1", "lost")
    assert code(lambda: room.join(95, "c-2-a1", "receiving_class", "", 40, waits=True)) == "locked"
    room.lock(100, "t-1", False)
    room.join(110, "c-9", "receiving_class", "六(9)班", 40)


def test_no_more_stand_at_the_door_than_a_teacher_can_look_through() -> None:
    room = Room()
    for number in range(MAX_WAITING):
        room.join(10, f"c-{number}", "receiving_class", "", None, waits=True)
    assert code(lambda: room.join(20, "c-more", "receiving_class", "", None, waits=True)) == "room_full"
    room.join(30, "c-invited", "receiving_class", "", None)


def test_the_door_is_as_it_was_when_the_room_is_folded_again(room: Room) -> None:
    history = []
    fresh = Room()
    history += fresh.join(10, "t-1", "lead_teacher", "", None)
    history += fresh.join(20, "c-1", "receiving_class", "", None, waits=True)
    history += fresh.remove(30, "t-1", "c-1")
    history += fresh.join(40, "c-2", "receiving_class", "", None, waits=True)
    history += fresh.lock(50, "t-1", True)
    again = Room(history)
    assert again.state.snapshot() == fresh.state.snapshot()
    assert (again.state.admitted, again.state.removed) == ({"t-1"}, {"c-1"})
