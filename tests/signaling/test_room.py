import contextlib
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import rights
from signaling.events import Event, Floor, Hand, Left, Mode, Published, SlidesAdded, Stroke, Unpublished
from signaling.grants import Role
from signaling.room import MAX_MARKS, Room, RoomError
from signaling.state import RoomState


@pytest.fixture
def room() -> Room:
    room = Room()
    room.join(10, "t", "lead_teacher", "主讲教师甲", None)
    room.join(20, "a", "receiving_class", "六(1)班", 40)
    room.join(30, "b", "receiving_class", "六(2)班", 41)
    room.join(40, "c", "receiving_class", "六(3)班", 42)
    room.join(50, "o", "observer", "教研员甲", None)
    return room


def code(command: Callable[[], object]) -> str:
    with pytest.raises(RoomError) as caught:
        command()
    return caught.value.code


def folded(events: list[Event]) -> RoomState:
    state = RoomState()
    for event in events:
        state.apply(event)
    return state


def test_seq_counts_without_holes_and_time_never_goes_back() -> None:
    room = Room()
    events = room.join(100, "t", "lead_teacher", "", None)
    events += room.start(50, "t")
    events += room.chat(120, "t", "好")
    assert [(event.seq, event.at_ms) for event in events] == [(1, 100), (2, 100), (3, 120)]


def test_the_same_events_give_the_same_state() -> None:
    room = Room()
    events = room.join(1, "t", "lead_teacher", "甲", None) + room.join(2, "a", "receiving_class", "一班", 3)
    events += room.hand(3, "a", raised=True) + room.floor(4, "t", "a", granted=True)
    events += room.publish(5, "a", "a-0", "audio", "microphone") + room.mute(6, "a", "a-0", muted=True)
    events += room.chat(7, "a", "听见") + room.mark(8, "t", "") + room.start(9, "t")
    again = [Event.from_wire(event.to_wire()) for event in events]
    assert folded(again).snapshot() == room.state.snapshot() == Room(again).state.snapshot()


def test_what_changes_nothing_is_no_event(room: Room) -> None:
    room.start(60, "t")
    room.hand(60, "a", raised=True)
    room.floor(60, "t", "b", granted=True)
    seq = room.state.seq
    assert room.start(70, "t") == room.hand(70, "a", raised=True) == room.floor(70, "t", "b", granted=True) == []
    assert room.floor(70, "c", "c", granted=False) == room.set_away(70, "a", away=False) == []
    assert room.state.seq == seq


def test_the_floor_lowers_the_hand(room: Room) -> None:
    room.hand(60, "a", raised=True)
    payloads = [event.payload for event in room.floor(70, "t", "a", granted=True)]
    assert payloads == [Hand(raised=False), Floor("a", granted=True)]


def test_the_floor_holds_two_classes(room: Room) -> None:
    room.floor(60, "t", "a", granted=True)
    room.floor(60, "t", "b", granted=True)
    assert code(lambda: room.floor(70, "t", "c", granted=True)) == "floor_full"
    room.floor(80, "a", "a", granted=False)
    assert room.floor(90, "t", "c", granted=True)


def test_a_class_publishes_only_on_the_floor_and_loses_it_all_with_it(room: Room) -> None:
    assert code(lambda: room.publish(60, "a", "p", "audio", "microphone")) == "not_allowed"
    room.floor(70, "t", "a", granted=True)
    room.publish(80, "a", "p", "audio", "microphone")
    payloads = [event.payload for event in room.floor(90, "t", "a", granted=False)]
    assert payloads == [Floor("a", granted=False), Unpublished("p")]
    assert not room.state.publications
    assert code(lambda: room.publish(95, "a", "p", "audio", "microphone")) == "not_allowed"


def test_a_class_without_the_floor_shows_its_camera_and_nothing_else_until_it_only_watches(room: Room) -> None:
    room.publish(60, "a", "p", "video", "camera")
    for source in ("screen", "document_camera", "second_microphone"):
        assert code(lambda source=source: room.publish(61, "a", "q", "video", source)) == "not_allowed"  # type: ignore[misc]
    assert code(lambda: room.publish(61, "o", "q", "video", "camera")) == "not_allowed"
    payloads = [event.payload for event in room.set_mode(70, "t", "a", "view_only")]
    assert payloads == [Unpublished("p"), Mode("a", "view_only")]
    assert code(lambda: room.publish(80, "a", "p", "video", "camera")) == "not_allowed"


def test_a_class_gives_back_its_own_floor_and_no_other(room: Room) -> None:
    room.floor(60, "t", "a", granted=True)
    assert code(lambda: room.floor(70, "b", "a", granted=False)) == "not_allowed"
    assert code(lambda: room.floor(70, "b", "b", granted=True)) == "not_allowed"
    assert room.floor(80, "a", "a", granted=False)


def test_the_floor_is_for_classes(room: Room) -> None:
    assert code(lambda: room.floor(60, "t", "o", granted=True)) == "not_allowed"
    assert code(lambda: room.floor(60, "t", "nobody", granted=True)) == "unknown_participant"


def test_who_leaves_takes_hand_floor_and_publications_along(room: Room) -> None:
    room.floor(60, "t", "a", granted=True)
    room.publish(70, "a", "p", "audio", "microphone")
    assert [event.payload for event in room.leave(80, "a", "lost")] == [Left("a", "lost")]
    assert "a" not in room.state.participants
    assert not room.state.publications
    assert room.leave(90, "a", "lost") == []


def test_who_comes_again_keeps_floor_and_publications(room: Room) -> None:
    room.floor(60, "t", "a", granted=True)
    room.publish(70, "a", "p", "audio", "microphone")
    room.set_away(80, "a", away=True)
    room.join(90, "a", "receiving_class", "六(1)班", 39)
    back = room.state.participants["a"]
    assert (back.on_floor, back.away, back.headcount, back.joined_ms) == (True, False, 39, 20)
    assert "p" in room.state.publications


def test_who_comes_again_in_another_role_is_someone_else(room: Room) -> None:
    room.floor(60, "t", "a", granted=True)
    kinds = [event.kind for event in room.join(70, "a", "observer", "", None)]
    assert kinds == ["left", "joined"]
    assert not room.state.participants["a"].on_floor


def test_a_publication_that_changes_its_source_ends_and_begins(room: Room) -> None:
    room.publish(60, "t", "p", "video", "camera")
    assert room.publish(70, "t", "p", "video", "camera") == []
    payloads = [event.payload for event in room.publish(80, "t", "p", "video", "screen")]
    assert payloads == [Unpublished("p"), Published("p", "t", "video", "screen")]


def test_only_its_sender_mutes_a_publication(room: Room) -> None:
    room.publish(60, "t", "p", "audio", "microphone")
    assert code(lambda: room.mute(70, "a", "p", muted=True)) == "not_allowed"
    assert code(lambda: room.mute(70, "t", "q", muted=True)) == "unknown_publication"
    room.mute(70, "t", "p", muted=True)
    assert room.state.publications["p"].muted


ASK: dict[str, Callable[[Room, str], object]] = {
    "publish": lambda room, actor: room.publish(100, actor, f"{actor}-p", "audio", "microphone"),
    "start": lambda room, actor: room.start(100, actor),
    "hand": lambda room, actor: room.hand(100, actor, raised=True),
    "floor": lambda room, actor: room.floor(100, actor, "a", granted=True),
    "chat": lambda room, actor: room.chat(100, actor, "好"),
    "mark": lambda room, actor: room.mark(100, actor, ""),
    "remove": lambda room, actor: room.remove(100, actor, "a"),
    "end": lambda room, actor: room.end(100, actor),
}


@pytest.mark.parametrize(("role", "right"), list(itertools.product(rights.RIGHTS, ASK)))
def test_each_role_may_what_the_table_says_and_nothing_else(room: Room, role: Role, right: rights.Right) -> None:
    room.join(60, "x", role, "", None)
    if rights.may(role, right):
        assert ASK[right](room, "x")
    else:
        assert code(lambda: ASK[right](room, "x")) == "not_allowed"


def test_an_ended_room_takes_no_command_and_says_why(room: Room) -> None:
    room.end(60, "t")
    for ask in ASK.values():
        if ask is not ASK["end"]:
            assert code(lambda ask=ask: ask(room, "t")) in ("lesson_ended", "not_allowed")  # type: ignore[misc]
    assert code(lambda: room.join(70, "late", "observer", "", None)) == "lesson_ended"
    assert room.end(70) == room.set_away(70, "a", away=True) == room.leave(70, "a", "lost") == []


def test_a_room_has_a_last_place_but_takes_back_who_was_in_it() -> None:
    room = Room(max_participants=1)
    room.join(1, "t", "lead_teacher", "", None)
    assert code(lambda: room.join(2, "a", "receiving_class", "", None)) == "room_full"
    assert room.join(3, "t", "lead_teacher", "", None)


def test_whoever_fills_a_room_keeps_no_teacher_out() -> None:
    room = Room(max_participants=20)
    for number in range(18):
        room.join(1, f"c-{number}", "receiving_class", "", None)
    assert code(lambda: room.join(2, "c", "receiving_class", "", None)) == "room_full"
    assert code(lambda: room.join(2, "o", "observer", "", None)) == "room_full"
    assert room.join(3, "t", "lead_teacher", "", None)
    assert room.join(3, "k", "co_teacher", "", None)
    assert code(lambda: room.join(4, "k-2", "co_teacher", "", None)) == "room_full"


def test_a_latecomer_gets_the_last_hundred_lines_of_chat(room: Room) -> None:
    for number in range(130):
        room.chat(100, "t", str(number))
    assert [line.text for line in room.state.snapshot().chat] == [str(number) for number in range(30, 130)]


def test_marks_have_a_bound(room: Room) -> None:
    for _ in range(MAX_MARKS):
        room.mark(100, "t", "")
    assert code(lambda: room.mark(100, "t", "")) == "too_many_messages"


def test_recording_is_told_once(room: Room) -> None:
    assert room.set_recording(60, "on", None)
    assert room.set_recording(70, "on", None) == []
    assert room.set_recording(80, "stopped", "disk_full")
    snapshot = room.state.snapshot()
    assert (snapshot.recording, snapshot.recording_reason) == ("stopped", "disk_full")


def test_a_paused_recording_stays_paused_until_a_lead_teacher_lets_it_go_on(room: Room) -> None:
    room.set_recording(60, "on", None)
    (paused,) = room.pause_recording(70, "t", paused=True)
    assert paused.actor == "t"
    assert room.set_recording(80, "on", None) == room.set_recording(80, "stopped", "disk_full") == []
    assert room.pause_recording(90, "t", paused=True) == []
    assert room.state.snapshot().recording == "paused"
    assert room.pause_recording(100, "t", paused=False)
    assert room.state.snapshot().recording == "off"  # until the server says that media are written
    assert room.pause_recording(110, "t", paused=False) == []
    assert room.set_recording(120, "on", None)


def test_only_a_lead_teacher_pauses_and_only_what_is_recorded(room: Room) -> None:
    room.join(55, "k", "co_teacher", "", None)
    for actor in ("k", "a", "o"):
        assert code(lambda actor=actor: room.pause_recording(60, actor, paused=True)) == "not_allowed"  # type: ignore[misc]
    unrecorded = Room(policy="nothing")
    unrecorded.join(10, "t", "lead_teacher", "", None)
    assert code(lambda: unrecorded.pause_recording(20, "t", paused=True)) == "not_allowed"


def test_a_class_consents_to_being_recorded_for_itself_alone(room: Room) -> None:
    assert room.state.participants["a"].consent is None
    (given,) = room.consent(60, "a", given=True)
    assert given.to_wire()["payload"] == {"participant_id": "a", "given": True, "name": "六(1)班", "headcount": 40}
    assert room.consent(70, "a", given=True) == []
    assert [room.state.participants[who].consent for who in "ab"] == [True, None]
    room.join(80, "a", "receiving_class", "六(1)班", 40)  # comes again as the same participant
    assert room.state.participants["a"].consent is True
    assert room.consent(90, "a", given=False)
    assert room.state.participants["a"].consent is False
    for actor in ("t", "o"):
        assert code(lambda actor=actor: room.consent(60, actor, given=True)) == "not_allowed"


def anything(room: Room, actor: str, other: str, flag: bool, now: int) -> dict[str, Callable[[], list[Event]]]:
    roles: dict[str, Role] = {"t": "lead_teacher", "c": "co_teacher", "o": "observer"}
    surface = "slides00/1" if flag else "board/1"
    return {
        "join": lambda: room.join(now, actor, roles.get(actor, "receiving_class"), "", None),
        "away": lambda: room.set_away(now, actor, flag),
        "leave": lambda: room.leave(now, actor, "left"),
        "remove": lambda: room.remove(now, actor, other),
        "start": lambda: room.start(now, actor),
        "publish": lambda: room.publish(now, actor, actor + str(flag), "video", "screen" if flag else "camera"),
        "unpublish": lambda: room.unpublish(now, actor + str(flag)),
        "mute": lambda: room.mute(now, actor, other + "True", flag),
        "hand": lambda: room.hand(now, actor, flag),
        "floor": lambda: room.floor(now, actor, other, flag),
        "chat": lambda: room.chat(now, actor, "好"),
        "consent": lambda: room.consent(now, actor, flag),
        "pause": lambda: room.pause_recording(now, actor, flag),
        "slides": lambda: room.add_slides(now, SlidesAdded("slides00", "", 2, 4, 3)),
        "no slides": lambda: room.remove_slides(now, "slides00") if flag else [],
        "turn": lambda: room.turn_page(now, actor, surface),
        "draw": lambda: room.draw(now, actor, Stroke(surface, other, "pen", "red", 9, (1, 2))),
        "erase": lambda: room.erase(now, actor, surface, (other,)),
        "clear": lambda: room.clear_surface(now, actor, surface),
    }


COMMANDS = st.tuples(
    st.sampled_from(list(anything(Room(), "", "", False, 0))),
    st.sampled_from("tabco"),
    st.sampled_from("tabco"),
    st.booleans(),
    st.integers(0, 10_000),
)


@given(st.lists(COMMANDS, max_size=60))
def test_whatever_is_asked_the_events_fold_to_the_state_and_the_rules_hold(
    commands: list[tuple[str, str, str, bool, int]],
) -> None:
    room, log = Room(max_participants=4), list[Event]()
    for command, actor, other, flag, now in commands:
        with contextlib.suppress(RoomError):
            log += anything(room, actor, other, flag, now)[command]()
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    assert [event.at_ms for event in log] == sorted(event.at_ms for event in log)
    assert folded(log).snapshot() == room.state.snapshot()
    assert len(room.state.on_floor()) <= 2
    assert len(room.state.participants) <= 4
    for publication in room.state.publications.values():
        assert room.may_publish(publication.participant_id)
    pages = room.state.pages
    there = [len(stroke.points) for stroke in pages.strokes]
    assert (pages.strokes_there, pages.numbers_there) == (len(there), sum(there))


@given(st.text())
def test_a_name_is_one_short_line(name: str) -> None:
    room = Room()
    room.join(1, "x", "observer", name, None)
    shown = room.state.participants["x"].name
    assert len(shown) <= 80
    assert shown == shown.strip()
    assert shown.isprintable()


def test_name_and_policy_are_changed_until_the_lesson_begins_and_no_longer() -> None:
    room = Room(policy="consented")
    room.join(0, "t-1", "lead_teacher", "主讲教师甲", None)
    (event,) = room.plan(10, "草原(第2课时)", "nothing")
    assert (event.actor, room.policy) == ("server", "nothing")
    with pytest.raises(RoomError, match="not recorded"):
        room.pause_recording(15, "t-1", True)
    room.plan(20, "草原(第2课时)", "teacher_only")
    room.start(30, "t-1")
    with pytest.raises(RoomError) as refused:
        room.plan(40, "草原", "all")
    assert (refused.value.code, room.policy) == ("lesson_begun", "teacher_only")
