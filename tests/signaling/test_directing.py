"""What the teacher directs in a room: what is shown, who is on stage, stages of the lesson, who takes part."""

from collections.abc import Callable

import pytest

from server.recording_policy import ArchivedLog
from signaling.directing import MAX_COUNTDOWN, MAX_STAGES
from signaling.events import Consent, Event, Headcount, Joined, Left, Mode, Stage
from signaling.room import INTERACTIVE_PLACES, Room, RoomError


@pytest.fixture
def room() -> Room:
    room = Room()
    room.join(10, "t", "lead_teacher", "主讲教师甲", None)
    room.join(20, "k", "co_teacher", "主讲教师乙", None)
    room.join(30, "a", "receiving_class", "六(1)班", 40)
    room.join(40, "b", "receiving_class", "六(2)班", 41)
    return room


def code(command: Callable[[], object]) -> str:
    with pytest.raises(RoomError) as caught:
        command()
    return caught.value.code


def test_what_is_shown_is_the_teachers_choice_and_told_once(room: Room) -> None:
    assert room.state.snapshot().shown is None
    assert len(room.show(50, "k", "screen", "side_by_side")) == 1
    assert room.show(60, "t", "screen", "side_by_side") == []
    assert code(lambda: room.show(70, "a", "camera", "content")) == "not_allowed"


def test_only_a_class_on_the_floor_comes_on_stage_and_leaves_it_with_the_floor(room: Room) -> None:
    assert code(lambda: room.put_on_stage(50, "t", "a")) == "not_on_floor"
    room.floor(60, "t", "a", granted=True)
    room.put_on_stage(70, "t", "a")
    assert room.state.on_stage == "a"
    assert code(lambda: room.put_on_stage(75, "b", "b")) == "not_allowed"
    room.floor(80, "a", "a", granted=False)
    assert room.state.on_stage is None
    room.floor(90, "t", "b", granted=True)
    room.put_on_stage(90, "t", "b")
    room.leave(100, "b", "lost")
    assert room.state.on_stage is None


def test_the_stages_of_a_lesson_follow_each_other_and_have_a_bound(room: Room) -> None:
    assert [type(event.payload) for event in room.begin_stage(50, "t", " intro ")] == [Stage]
    assert room.begin_stage(60, "t", "intro") == []
    assert code(lambda: room.begin_stage(60, "t", "\u0000 ")) == "message_malformed"
    assert code(lambda: room.begin_stage(60, "a", "practice")) == "not_allowed"
    for number in range(MAX_STAGES - 1):
        room.begin_stage(70, "t", f"第 {number} 环节")
    assert code(lambda: room.begin_stage(80, "t", "summary")) == "too_many_messages"
    assert [stage.name for stage in room.state.snapshot().stages][:2] == ["intro", "第 0 环节"]


@pytest.mark.parametrize("until", [50, 49, 50 + MAX_COUNTDOWN + 1])
def test_a_countdown_ends_in_the_hour_to_come(room: Room, until: int) -> None:
    assert code(lambda: room.count_down(50, "t", until)) == "message_malformed"
    room.count_down(50, "t", 60_050)
    assert room.state.snapshot().countdown_ms == 60_050
    room.count_down(60, "t", None)
    assert room.state.snapshot().countdown_ms is None


def test_the_seventh_class_only_watches_until_a_place_is_made_for_it(room: Room) -> None:
    for number in range(INTERACTIVE_PLACES - 2):
        assert len(room.join(50, f"c{number}", "receiving_class", "六(3)班", 42)) == 1
    come = room.join(60, "late", "receiving_class", "六(4)班", 43)
    assert [event.payload for event in come][1:] == [Mode("late", "view_only")]
    assert code(lambda: room.floor(70, "t", "late", granted=True)) == "view_only"
    assert code(lambda: room.set_mode(70, "t", "late", "interactive")) == "interactive_full"
    room.floor(80, "t", "a", granted=True)
    room.set_mode(90, "t", "a", "view_only")
    assert not room.state.participants["a"].on_floor
    room.set_mode(100, "t", "late", "interactive")
    assert len(room.floor(110, "t", "late", granted=True)) == 1


def test_a_class_counts_its_own_pupils_and_the_lead_teacher_the_lead_class(room: Room) -> None:
    room.set_headcount(50, "a", "a", 39)
    room.set_headcount(50, "t", "t", 36)
    assert [room.state.participants[one].headcount for one in "at"] == [39, 36]
    assert code(lambda: room.set_headcount(60, "a", "b", 1)) == "not_allowed"
    assert code(lambda: room.set_headcount(60, "k", "k", 1)) == "not_allowed"
    room.join(70, "t", "lead_teacher", "主讲教师甲", None)  # the page was loaded again, and says none
    assert room.state.participants["t"].headcount == 36


def test_when_a_class_last_spoke_is_known_to_who_comes_later(room: Room) -> None:
    room.floor(50, "t", "a", granted=True)
    room.floor(900, "t", "a", granted=False)
    spoke = {one.participant_id: one.spoke_ms for one in room.state.snapshot().participants}
    assert (spoke["a"], spoke["b"]) == (900, None)


def test_whether_the_lead_class_is_heard_is_the_lead_teachers_to_say(room: Room) -> None:
    assert room.state.snapshot().lead_mic_shared is None
    assert code(lambda: room.share_lead_mic(50, "k", True)) == "not_allowed"
    room.share_lead_mic(60, "t", False)
    assert room.state.snapshot().lead_mic_shared is False


def test_the_archive_does_not_name_a_class_that_is_not_recorded_by_its_second_device() -> None:
    archive = ArchivedLog("consented")
    kept = [
        archive.archived(Event(1, 0, "c-a", Joined("c-a", "receiving_class", "六(1)班", 40))),
        archive.archived(Event(2, 0, "c-a-1f", Joined("c-a-1f", "observer", "六(1)班", None))),
        archive.archived(Event(3, 0, "o-b", Joined("o-b", "observer", "听课者", None))),
        archive.archived(Event(4, 0, "c-a", Left("c-a", "left"))),
        archive.archived(Event(5, 0, "c-a-2e", Joined("c-a-2e", "observer", "六(1)班", None))),
        archive.archived(Event(6, 0, "c-a", Joined("c-a", "receiving_class", "六(1)班", 40))),
        archive.archived(Event(7, 0, "c-a", Consent("c-a", True, "六(1)班", 40))),
        archive.archived(Event(8, 0, "c-a-3d", Joined("c-a-3d", "observer", "六(1)班", None))),
    ]
    names = [event.payload.name for event in kept if event is not None and isinstance(event.payload, Joined)]
    assert names == ["", "", "听课者", "", "", "六(1)班"]
    everyone = ArchivedLog("all")
    named = everyone.archived(Event(1, 0, "c-a-1f", Joined("c-a-1f", "observer", "六(1)班", None)))
    assert named is not None
    assert named.payload == Joined("c-a-1f", "observer", "六(1)班", None)


def test_the_archive_does_not_count_the_pupils_of_a_class_that_is_not_recorded() -> None:
    archive = ArchivedLog("consented")
    archive.archived(Event(1, 0, "a", Joined("a", "receiving_class", "六(1)班", 40)))
    archive.archived(Event(2, 0, "t", Joined("t", "lead_teacher", "主讲教师甲", None)))
    assert archive.archived(Event(3, 0, "a", Headcount("a", 39))) is None
    assert archive.archived(Event(4, 0, "t", Headcount("t", 36))) is not None
