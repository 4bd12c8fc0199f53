"""What may be said in a room, by whom and to whom."""

import pytest

from server.recording_policy import ArchivedLog
from signaling.events import Chat, Event, Hand, Joined, Photo, PhotoShown, Private, Signal
from signaling.room import Room, RoomError
from signaling.talk import PHOTOS_OF_CLASS
from signaling.visibility import line_of, sees, snapshot_for

T, K, C, D, L, O = "t-1", "k-1", "c-1", "c-2", "l-1", "o-1"  # noqa: E741


@pytest.fixture
def room() -> Room:
    room = Room()
    room.join(0, T, "lead_teacher", "主讲教师甲", None)
    room.join(0, K, "co_teacher", "辅助", None)
    room.join(0, C, "receiving_class", "阜平一小", 40)
    room.join(0, D, "receiving_class", "张北实验", 30)
    room.join(0, L, "local_teacher", "", None, class_id=C)
    room.join(0, O, "observer", "听课者", None)
    return room


def refused(code: str, act: object, *arguments: object) -> None:
    with pytest.raises(RoomError) as refusal:
        act(*arguments)  # type: ignore[operator]
    assert refusal.value.code == code


def readers(room: Room, event: Event) -> set[str]:
    return {id for id, one in room.state.participants.items() if sees(one, event)}


def test_a_phone_speaks_for_its_class_and_raises_its_hand(room: Room) -> None:
    assert room.hand(1, L, True)[0].actor == C
    assert room.state.participants[C].hand_ms == 1
    assert room.hand(2, C, True) == []
    assert isinstance(room.hand(3, C, False)[0].payload, Hand)
    [signal] = room.signal(4, L, "slower")
    assert (signal.actor, signal.payload) == (C, Signal(C, "slower"))


def test_what_stays_between_teachers_and_a_class_reaches_its_line_and_nobody_else(room: Room) -> None:
    said = [
        *room.signal(1, C, "again"),
        *room.private(2, T, C, "好的"),
        *room.private(3, L, C, "孩子们看不清"),
        *room.chat(4, C, "看不清"),
        *room.photo(5, L, "p"),
    ]
    assert [readers(room, event) for event in said] == [{T, K, C, L}] * 5
    assert [line_of(event) for event in said] == [C] * 5
    assert readers(room, room.chat(6, T, "同学们好")[0]) == {T, K, C, D, L, O}
    assert not sees(None, said[0])


def test_a_latecomer_gets_only_what_is_on_its_own_line(room: Room) -> None:
    room.signal(1, C, "again")
    room.private(2, T, C, "好的")
    room.chat(3, C, "看不清")
    room.chat(4, T, "同学们好")
    room.photo(5, L, "p")

    def counts(id: str) -> tuple[int, ...]:
        seen = snapshot_for(room.state.participants[id], room.state)
        return len(seen.private), len(seen.signals), len(seen.photos), len(seen.chat)

    assert [counts(id) for id in (T, K, C, L)] == [(1, 1, 1, 2)] * 4
    assert [counts(id) for id in (D, O)] == [(0, 0, 0, 1)] * 2


def test_nobody_writes_on_another_classs_line_or_without_a_class(room: Room) -> None:
    refused("not_allowed", room.private, 1, D, C, "听得到吗")
    refused("not_allowed", room.private, 1, L, D, "听得到吗")
    refused("not_allowed", room.private, 1, O, C, "听得到吗")
    refused("not_allowed", room.private, 1, T, L, "听得到吗")
    refused("not_allowed", room.signal, 1, T, "slower")
    refused("not_allowed", room.photo, 1, C, "p")
    room.join(1, "l-2", "local_teacher", "", None)
    refused("class_gone", room.signal, 2, "l-2", "slower")
    room.leave(3, C, "left")
    refused("class_gone", room.hand, 4, L, True)


def test_classes_write_to_everybody_only_when_a_teacher_lets_them(room: Room) -> None:
    assert room.chat(1, C, "老师好")[0].payload == Chat("老师好", "teachers", C)
    refused("not_allowed", room.chat, 2, C, "大家好", "all")
    refused("not_allowed", room.allow_chat_to_all, 2, C, True)
    room.allow_chat_to_all(3, K, True)
    assert room.chat(4, L, "大家好")[0].payload == Chat("大家好", "all")
    assert room.chat(5, C, "老师好", "teachers")[0].payload == Chat("老师好", "teachers", C)


def test_a_silenced_class_writes_nothing_and_still_raises_its_hand(room: Room) -> None:
    room.silence(1, T, C, True)
    for act in (lambda: room.chat(2, C, "!"), lambda: room.chat(2, L, "!"), lambda: room.private(2, L, C, "!")):
        refused("silenced", act)
    refused("silenced", room.photo, 2, L, "p")
    assert room.hand(3, C, True)
    assert room.signal(3, L, "inaudible")
    assert room.silence(4, T, C, True) == []
    refused("not_allowed", room.silence, 4, T, L, True)
    refused("not_allowed", room.silence, 4, D, C, True)
    room.silence(5, K, C, False)
    assert room.chat(6, C, "好了")


def test_a_message_a_teacher_hides_is_gone_for_who_comes_later(room: Room) -> None:
    [said] = room.chat(1, C, "!")
    refused("not_allowed", room.hide, 2, D, said.seq)
    assert room.hide(2, T, said.seq)
    assert room.hide(3, T, said.seq) == []
    assert room.state.snapshot().chat == ()


def test_a_teacher_shows_a_photo_that_is_there_and_takes_it_away(room: Room) -> None:
    refused("unknown_photo", room.show_photo, 1, T, "p")
    room.photo(1, L, "p")
    refused("not_allowed", room.show_photo, 2, C, "p")
    assert room.show_photo(2, T, "p")
    assert room.show_photo(3, K, "p") == []
    assert room.state.snapshot().photo_shown == "p"
    assert room.show_photo(4, K, None)


def test_one_class_does_not_take_the_room_of_all_photos(room: Room) -> None:
    for number in range(PHOTOS_OF_CLASS):
        room.photo(number, L, f"p-{number}")
    refused("too_many_photos", room.photo, 100, L, "one more")


def test_with_a_class_its_phones_are_sent_out(room: Room) -> None:
    room.remove(1, T, C)
    assert set(room.state.participants) == {T, K, D, O}


def test_the_archive_keeps_signals_and_photos_of_recorded_classes_and_no_private_word(room: Room) -> None:
    archive = ArchivedLog("consented")
    events = [
        Event(1, 0, T, Joined(T, "lead_teacher", "主讲教师甲", None)),
        Event(2, 0, C, Joined(C, "receiving_class", "阜平一小", 40)),
        Event(3, 0, T, Private(C, "好的")),
        Event(4, 0, C, Chat("看不清", "teachers", C)),
        Event(5, 0, C, Signal(C, "slower")),
        Event(6, 0, C, Photo(C, "p")),
        Event(7, 0, T, PhotoShown("p")),
        Event(8, 0, T, PhotoShown(None)),
    ]
    assert [event.seq for event in map(archive.archived, events) if event is not None] == [1, 2, 5, 8]
    everyone = ArchivedLog("all")
    assert [event.seq for event in map(everyone.archived, events) if event is not None] == [1, 2, 5, 6, 7, 8]
