"""A teacher's phone as a remote control: what it may do in a room, and how it is taken away."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from signaling.live import AWAY, POCKETED
from signaling.room import Room, RoomError
from signaling.rooms import FORGOTTEN
from tests.signaling.house import House, receiving_offer

T, K, R, C = "t-1", "k-1", "r-1", "c-1"


@pytest.fixture
def room() -> Room:
    room = Room()
    room.join(0, T, "lead_teacher", "主讲教师甲", None)
    room.join(0, K, "co_teacher", "主讲教师乙", None)
    room.join(0, C, "receiving_class", "六(1)班", 40)
    room.join(0, R, "remote_control", "主讲教师甲", None, class_id=T)
    room.start(1, T)
    return room


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path) as house:
        yield house


def code(command: Callable[[], object]) -> str:
    with pytest.raises(RoomError) as caught:
        command()
    return caught.value.code


def test_it_calls_a_class_puts_it_on_stage_takes_back_marks_and_begins_stages(room: Room) -> None:
    assert room.floor(2, R, C, granted=True)
    assert room.put_on_stage(3, R, C)
    assert room.floor(4, R, C, granted=False)
    assert room.mark(5, R, "")
    assert room.begin_stage(6, R, "practice")


FORBIDDEN: dict[str, Callable[[Room], object]] = {
    "end": lambda room: room.end(9, R),
    "start": lambda room: room.start(9, R),
    "record": lambda room: room.pause_recording(9, R, True),
    "remove": lambda room: room.remove(9, R, C),
    "remove its teacher": lambda room: room.remove(9, R, T),
    "admit": lambda room: room.admit(9, R, C),
    "lock": lambda room: room.lock(9, R, True),
    "show": lambda room: room.show(9, R, "screen", "content"),
    "show a photo": lambda room: room.show_photo(9, R, None),
    "count down": lambda room: room.count_down(9, R, 1000),
    "mode": lambda room: room.set_mode(9, R, C, "view_only"),
    "chat": lambda room: room.chat(9, R, "好"),
    "private": lambda room: room.private(9, R, C, "好"),
    "signal": lambda room: room.signal(9, R, "again"),
    "photo": lambda room: room.photo(9, R, "p"),
    "hide": lambda room: room.hide(9, R, 1),
    "silence": lambda room: room.silence(9, R, C, True),
    "hand": lambda room: room.hand(9, R, True),
    "speak itself": lambda room: room.floor(9, R, R, granted=True),
    "publish": lambda room: room.publish(9, R, "p", "audio", "microphone"),
    "watch": lambda room: room.check_may_watch(R),
    "consent": lambda room: room.consent(9, R, True),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_it_may_nothing_else(room: Room, what: str) -> None:
    assert code(lambda: FORBIDDEN[what](room)) == "not_allowed"


@pytest.mark.parametrize("actor", [T, R])
def test_it_is_disconnected_for_good_by_its_teacher_and_by_itself(room: Room, actor: str) -> None:
    room.remove(2, actor, R)
    assert R not in room.state.participants
    assert code(lambda: room.join(3, R, "remote_control", "", None, class_id=T)) == "removed"


def test_a_second_teacher_disconnects_their_own_and_nobody_elses(room: Room) -> None:
    room.join(2, "r-2", "remote_control", "主讲教师乙", None, class_id=K)
    assert code(lambda: room.remove(3, K, R)) == "not_allowed"
    assert room.remove(3, K, "r-2")


def test_it_goes_with_the_teacher_it_belongs_to(room: Room) -> None:
    room.join(2, "r-2", "remote_control", "主讲教师乙", None, class_id=K)
    room.remove(3, T, K)
    assert set(room.state.participants) == {T, C, R}


async def test_no_media_go_to_it_by_any_door(house: House) -> None:
    await house.enter("lead_teacher")
    phone = await house.enter("remote_control")
    for direction in ("receive", "send"):
        refused = await phone.offer(direction, receiving_offer())
        assert (refused["type"], refused["code"]) == ("error", "not_allowed")
    headers = {"Authorization": "Bearer remote_control:l-1", "Content-Type": "application/sdp"}
    for door in ("whip", "whep"):
        async with house.http.post(f"{house.url}/{door}/l-1", data=receiving_offer(), headers=headers) as response:
            assert (response.status, (await response.json())["code"]) == (403, "not_allowed")


async def test_it_hears_nothing_of_the_lines_with_the_classes(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class", "六(1)班")
    phone = await house.enter("remote_control")
    await pupils.ask("signal", signal="again")
    await pupils.ask("chat", text="只给老师")
    await teacher.ask("private", participant_id=pupils.id, text="只给这个班")
    await pupils.ask("hand", raised=True)
    await phone.event("hand", raised=True)
    told = {message["kind"] for message in phone.heard if message["type"] == "event"}
    assert not told & {"signal", "chat", "private", "photo"}
    again = (await house.enter("remote_control")).welcome["snapshot"]
    assert (again["private"], again["signals"], again["chat"]) == ([], [], [])


async def test_a_phone_in_a_pocket_stays_on_the_list_and_keeps_no_lesson_open(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    await teacher.ask("start")
    phone = await house.enter("remote_control")
    await phone.vanish()
    await teacher.event("away", participant_id=phone.id)
    live: Any = house.rooms.find("l-1")
    assert live._patience(phone.id) == POCKETED
    assert live._patience(teacher.id) == AWAY
    await teacher.say("leave")
    assert await teacher.closed() == 1000
    assert live.empty
    assert phone.id in live.room.state.participants
    await house.rooms.sweep(live.empty_since + FORGOTTEN)
    assert live.room.state.ended_ms is not None
