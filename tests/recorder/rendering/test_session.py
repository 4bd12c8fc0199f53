from pathlib import Path
from typing import Any

from recorder.rendering.session import fold, read_session


def event(at_ms: int, kind: str, actor: str = "server", **payload: Any) -> dict[str, Any]:
    return {"seq": 1, "at_ms": at_ms, "kind": kind, "actor": actor, "payload": payload}


def joined(at_ms: int, who: str, role: str) -> dict[str, Any]:
    return event(at_ms, "joined", participant_id=who, role=role, name="", headcount=None)


LEAD = joined(0, "t-1", "lead_teacher")


def test_the_lesson_is_on_from_its_start_to_its_end() -> None:
    session = fold([LEAD, event(1_000, "started"), event(9_000, "ended")], (2_000, 8_500))
    assert session.held == ((1_000, 9_000),)
    assert session.end_ms == 9_000
    assert fold([], (2_000, 8_500)).held == ((2_000, 8_500),)  # the log is lost
    assert fold([LEAD, event(1_000, "started")], (2_000, 8_500)).held == ((1_000, 8_500),)  # or torn


def test_without_the_lead_teacher_or_a_recording_there_is_nothing_to_say() -> None:
    session = fold(
        [
            LEAD,
            event(0, "started"),
            event(1_000, "away", participant_id="t-1", away=True),
            event(2_000, "away", participant_id="t-1", away=False),
            joined(2_500, "t-1-whip", "lead_teacher"),
            event(3_000, "left", participant_id="t-1", reason="left"),  # the other one is still here
            event(4_000, "left", participant_id="t-1-whip", reason="lost"),
            joined(5_000, "t-1", "lead_teacher"),
            event(6_000, "recording", state="paused", reason=None),
            event(7_000, "recording", state="on", reason=None),
            event(8_000, "recording", state="stopped", reason="disk_full"),
            event(9_000, "ended"),
        ],
        (0, 9_000),
    )
    assert session.held == ((0, 1_000), (2_000, 4_000), (5_000, 6_000), (7_000, 8_000))


def test_floor_and_mute_last_until_they_are_taken_back_or_who_had_them_has_gone() -> None:
    session = fold(
        [
            joined(0, "c-1", "receiving_class"),
            joined(0, "c-2", "receiving_class"),
            event(1_000, "floor", participant_id="c-1", granted=True),
            event(2_000, "floor", participant_id="c-1", granted=False),
            event(3_000, "floor", participant_id="c-2", granted=True),
            event(3_500, "left", participant_id="c-2", reason="lost"),
            event(4_000, "floor", participant_id="c-1", granted=True),
            event(5_000, "muted", publication_id="m-1", muted=True),
            event(6_000, "muted", publication_id="m-1", muted=False),
            event(7_000, "muted", publication_id="m-1", muted=True),
            event(7_500, "unpublished", publication_id="m-1"),
            event(9_000, "ended"),
        ],
        (0, 8_000),
    )
    assert session.floor == {"c-1": [(1_000, 2_000), (4_000, 9_000)], "c-2": [(3_000, 3_500)]}
    assert session.muted == {"m-1": [(5_000, 6_000), (7_000, 7_500)]}
    assert session.roles == {"c-1": "receiving_class", "c-2": "receiving_class"}


def test_only_what_a_teacher_shows_counts_as_shown() -> None:
    session = fold(
        [
            LEAD,
            joined(0, "r-1", "remote_control"),
            joined(0, "c-1", "receiving_class"),
            event(1, "slides_added", slides_id="aaaaaaaa"),
            event(5, "stroke", "t-1"),
            event(6, "stroke", "c-1"),
            event(7, "page_turned", "r-1", surface="aaaaaaaa/2"),
            event(8, "strokes_removed", "t-1"),
            event(9, "surface_cleared", "t-1"),
        ],
        (0, 10),
    )
    assert session.shown_ms == (5, 7, 8, 9)


def test_lines_that_are_no_events_are_passed_over(tmp_path: Path) -> None:
    lines = ['{"kind": "started", "at_ms": 5, "actor": "server", "payload": {}}', "7", '{"kind": "joined"}', '{"ki']
    (tmp_path / "events.jsonl").write_text("\n".join(lines))
    assert read_session(tmp_path, (0, 10)).held == ((5, 10),)
    assert read_session(tmp_path / "nowhere", (0, 10)).held == ((0, 10),)
