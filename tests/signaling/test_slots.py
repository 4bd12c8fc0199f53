from dataclasses import replace

from media.messages import Kind
from signaling.events import Source
from signaling.grants import Role
from signaling.slots import Slot, decide
from signaling.snapshot import ParticipantState, PublicationState

SLOTS = [Slot(mid, "audio") for mid in ("a0", "a1", "a2")] + [Slot(mid, "video") for mid in ("v0", "v1", "v2", "v3")]


def person(id: str, role: Role, on_floor: bool = False) -> ParticipantState:
    return ParticipantState(id, role, id, None, 0, None, on_floor, away=False)


def sent(by: str, source: Source, since: int = 0) -> PublicationState:
    kind: Kind = "audio" if source.endswith("microphone") else "video"
    return PublicationState(f"{by}-{source}-{since}", by, kind, source, muted=False, since_ms=since)


PEOPLE = {
    p.participant_id: p
    for p in (
        person("t", "lead_teacher"),
        person("t2", "lead_teacher"),
        person("co", "co_teacher"),
        person("a", "receiving_class", on_floor=True),
        person("b", "receiving_class", on_floor=True),
        person("c", "receiving_class"),
    )
}


def carried(plan: dict[str, str | None]) -> dict[str, str]:
    return {mid: publication for mid, publication in plan.items() if publication}


def test_a_class_gets_the_teacher_first_and_the_screen_second() -> None:
    sends = [sent("t", "screen"), sent("t", "camera"), sent("t", "microphone")]
    assert carried(decide("c", SLOTS, sends, PEOPLE)) == {
        "a0": "t-microphone-0",
        "v0": "t-camera-0",
        "v1": "t-screen-0",
    }


def test_the_teachers_places_stay_empty_while_the_teacher_is_not_there() -> None:
    sends = [sent("a", "camera"), sent("a", "microphone"), sent("co", "screen")]
    assert carried(decide("c", SLOTS, sends, PEOPLE)) == {
        "a1": "a-microphone-0",
        "v1": "co-screen-0",
        "v2": "a-camera-0",
    }


def test_nobody_gets_back_what_they_send() -> None:
    sends = [sent("t", "camera"), sent("t", "microphone"), sent("a", "camera"), sent("a", "microphone")]
    assert carried(decide("a", SLOTS, sends, PEOPLE)) == {"a0": "t-microphone-0", "v0": "t-camera-0"}
    assert carried(decide("t", SLOTS, sends, PEOPLE)) == {"a1": "a-microphone-0", "v2": "a-camera-0"}


def test_the_floor_goes_before_the_co_teacher() -> None:
    sends = [sent("co", "microphone", 1), sent("a", "microphone", 2), sent("b", "microphone", 3)]
    assert carried(decide("c", SLOTS, sends, PEOPLE)) == {"a1": "a-microphone-2", "a2": "b-microphone-3"}


def test_a_teacher_who_returned_replaces_the_picture_that_was_left_behind() -> None:
    sends = [sent("t", "camera", 10), sent("t2", "camera", 900)]
    assert carried(decide("c", SLOTS, sends, PEOPLE)) == {"v0": "t2-camera-900", "v2": "t-camera-10"}


def test_a_picture_stays_in_its_slot_while_another_goes() -> None:
    slots = [replace(s, publication_id={"v2": "a-camera-1", "v3": "b-camera-2"}.get(s.mid)) for s in SLOTS]
    assert carried(decide("c", slots, [sent("b", "camera", 2)], PEOPLE)) == {"v3": "b-camera-2"}
    plan = decide("c", slots, [sent("b", "camera", 2), sent("co", "camera", 3)], PEOPLE)
    assert carried(plan) == {"v3": "b-camera-2", "v2": "co-camera-3"}


def test_a_player_with_one_picture_shows_the_teachers_camera_and_never_the_screen() -> None:
    sends = [sent("t", "screen", 5), sent("t", "camera", 1)]
    assert decide("x", [Slot("0", "audio"), Slot("1", "video")], sends, PEOPLE) == {"0": None, "1": "t-camera-1"}


def test_more_senders_than_slots_leave_the_last_out() -> None:
    slots = [Slot("0", "video"), Slot("1", "video"), Slot("2", "video")]
    sends = [sent("co", "camera", 1), sent("b", "camera", 3), sent("a", "camera", 2)]
    assert carried(decide("c", slots, sends, PEOPLE)) == {"2": "a-camera-2"}


def test_what_someone_who_has_gone_sent_is_not_shown() -> None:
    assert carried(decide("c", SLOTS, [sent("gone", "camera")], PEOPLE)) == {}


def test_every_slot_is_decided() -> None:
    assert decide("c", SLOTS, [], PEOPLE) == dict.fromkeys([slot.mid for slot in SLOTS])


def heard(speaking: dict[str, int], *carried_now: str, muted: str = "") -> list[str | None]:
    """What the two slots beside the lead's carry of four open microphones."""
    sends = [sent("t", "microphone"), *(sent(by, "microphone", n) for n, by in enumerate(("a", "b", "co", "t2"), 1))]
    sends = [replace(it, muted=it.participant_id == muted) for it in sends]
    ids = {it.participant_id: it.publication_id for it in sends}
    names = {publication_id: by for by, publication_id in ids.items()}
    people = {**PEOPLE, "t2": person("t2", "local_teacher")}
    held = {"a0": ids["t"], **{f"a{n}": ids[by] for n, by in enumerate(carried_now, 1)}}
    slots = [replace(slot, publication_id=held.get(slot.mid)) for slot in SLOTS]
    plan = decide("c", slots, sends, people, {ids[by]: level for by, level in speaking.items()})
    assert plan["a0"] == ids["t"]  # the lead teacher's, whoever is louder
    return [names.get(plan[mid] or "") for mid in ("a1", "a2")]


def test_who_speaks_is_heard_before_who_is_silent() -> None:
    assert heard({}, "a", "b") == ["a", "b"]
    assert heard({"co": 40}, "a", "b") == ["a", "co"]
    assert heard({"co": 40, "t2": 30}, "a", "b") == ["t2", "co"]
    assert heard({"b": 60, "co": 40, "t2": 30}, "a", "b") == ["t2", "b"]


def test_no_voice_is_taken_away_while_it_speaks() -> None:
    assert heard({"a": 50, "b": 50, "co": 10, "t2": 10}, "a", "b") == ["a", "b"]
    assert heard({"a": 50, "co": 10}, "a", "co") == ["a", "co"]


def test_after_speech_the_floor_gets_its_place_back() -> None:
    assert heard({}, "a", "co") == ["a", "b"]


def test_a_muted_microphone_does_not_speak() -> None:
    assert heard({"co": 20}, "a", "b", muted="co") == ["a", "b"]


def test_a_camera_over_the_desk_takes_the_place_of_the_screen_when_all_shall_see_it() -> None:
    sends = [sent("t", source) for source in ("camera", "screen", "document_camera")]
    assert carried(decide("c", SLOTS, sends, PEOPLE))["v1"] == "t-screen-0"
    chosen = carried(decide("c", SLOTS, sends, PEOPLE, content="document_camera"))
    assert (chosen["v0"], chosen["v1"]) == ("t-camera-0", "t-document_camera-0")
    alone = carried(decide("c", SLOTS, [sent("t", "document_camera", since=9), sent("t", "camera")], PEOPLE))
    assert alone == {"v0": "t-camera-0", "v1": "t-document_camera-9"}


def test_a_second_microphone_of_the_teacher_is_heard_beside_the_first() -> None:
    sends = [sent("t", "second_microphone", since=9), sent("t", "microphone")]
    assert carried(decide("c", SLOTS, sends, PEOPLE)) == {"a0": "t-microphone-0", "a1": "t-second_microphone-9"}


def test_a_class_without_the_floor_is_on_the_teachers_wall_and_nowhere_else() -> None:
    people = {**PEOPLE, "w": person("w", "observer")}
    sends = [sent("a", "camera", 5), sent("c", "camera", 1), sent("t", "camera")]
    eight = [*SLOTS, *(Slot(f"v{number}", "video") for number in range(4, 8))]
    for teacher in ("t", "co"):
        seen = carried(decide(teacher, eight, sends, people)).values()
        assert {"a-camera-5", "c-camera-1"} <= set(seen)
    for other in ("b", "w", "gone"):
        assert "c-camera-1" not in carried(decide(other, eight, sends, people)).values()
    called = {**people, "c": replace(people["c"], on_floor=True)}
    assert "c-camera-1" in carried(decide("b", eight, sends, called)).values()
