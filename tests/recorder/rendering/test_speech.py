import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from recorder.manifest import Manifest, TrackEntry, write_manifest
from recorder.rendering import speech
from recorder.rendering.progress import NothingToRenderError
from tests.recorder.rendering.test_session import event, joined

LINE = "TTTTTTTTQQQSSSSSSSSSQTTTTOTVVQ"


def microphone(
    folder: Path, name: str, participant: str, lead: bool, levels: bytes, start_ms: int = 0, kind: str = "audio"
) -> TrackEntry:
    """A microphone's track as the recorder leaves it, as far as levels go."""
    (folder / "tracks" / name).mkdir(parents=True)
    (folder / "tracks" / name / "levels.bin").write_bytes(levels)
    source = "microphone" if kind == "audio" else "camera"
    playlist = f"tracks/{name}/index.m3u8"
    return TrackEntry(
        name, name, participant, kind, source, lead, "opus", 48_000, playlist, start_ms=start_ms,
        duration_ms=len(levels) * 20,
    )  # fmt: skip


def archive(folder: Path, tracks: list[TrackEntry], events: list[dict[str, Any]]) -> None:
    write_manifest(folder, Manifest("a", 0, "", "ready", tracks=tracks))
    (folder / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events))


def rendered(folder: Path) -> dict[str, Any]:
    seen: list[float] = []
    speech.render(folder, folder / "speech.json", seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    value: dict[str, Any] = json.loads((folder / "speech.json").read_text())
    return value


def by_second(line: str, loudness: dict[str, int]) -> bytes:
    """Levels of a microphone that is so loud in the seconds of each letter."""
    return b"".join(bytes([-loudness[letter]]) * 50 for letter in line)


def test_the_seconds_of_the_test_lesson_get_their_letters(tmp_path: Path) -> None:
    # The class hears the teacher from its loudspeaker, loud enough to be speech; in the second of both it shouts.
    teacher = by_second(LINE, {"T": -30, "O": -30, "S": -70, "Q": -70, "V": -70})
    answers = by_second(LINE, {"T": -48, "O": -15, "S": -28, "Q": -65, "V": -65})
    tracks = [microphone(tmp_path, "m-1", "t-1", True, teacher), microphone(tmp_path, "m-2", "c-1", False, answers)]
    archive(
        tmp_path,
        tracks,
        [
            joined(0, "t-1", "lead_teacher"),
            joined(0, "c-1", "receiving_class"),
            event(0, "started"),
            event(27_100, "stroke", "t-1"),
            event(28_900, "page_turned", "t-1"),
            event(30_000, "ended"),
        ],
    )
    value = rendered(tmp_path)
    assert value["seconds"] == LINE
    assert Counter(value["seconds"]) == {"T": 13, "S": 9, "O": 1, "V": 2, "Q": 5}
    assert value["version"] == 1
    assert value["settings"] == {
        "noise_window_s": 120,
        "speech_over_noise_db": 12,
        "speech_least_dbov": -50,
        "join_gap_ms": 300,
        "drop_burst_ms": 200,
    }
    assert value["speech"] == [
        {
            "publication_id": "m-1",
            "participant": "t-1",
            "role": "lead_teacher",
            "spans": [[0, 8_000], [21_000, 27_000]],
        },
        {
            "publication_id": "m-2",
            "participant": "c-1",
            "role": "receiving_class",
            "spans": [[11_000, 20_000], [25_000, 26_000]],
        },
    ]


def test_a_class_with_the_floor_speaks_even_when_the_teacher_is_louder(tmp_path: Path) -> None:
    quiet = bytes([70]) * 500
    tracks = [
        microphone(tmp_path, "m-1", "t-1", True, quiet + bytes([30]) * 500),
        microphone(tmp_path, "m-2", "c-1", False, quiet + bytes([40]) * 500),
        microphone(tmp_path, "m-3", "c-2", False, quiet + bytes([40]) * 500),
    ]
    events = [
        joined(0, "t-1", "lead_teacher"),
        event(0, "started"),
        event(12_000, "floor", participant_id="c-1", granted=True),
        event(13_000, "floor", participant_id="c-1", granted=False),
    ]
    archive(tmp_path, tracks, events)
    value = rendered(tmp_path)
    assert value["seconds"] == "Q" * 10 + "TTOTTTTTTT"
    assert [one["spans"] for one in value["speech"]] == [[[10_000, 20_000]], [[12_000, 13_000]], []]


def test_tracks_that_begin_later_are_where_they_belong_and_before_the_lesson_there_is_none(tmp_path: Path) -> None:
    levels = bytes([70]) * 100 + bytes([30]) * 100
    archive(tmp_path, [microphone(tmp_path, "m-1", "t-1", True, levels, 3_000)], [event(3_500, "started")])
    value = rendered(tmp_path)
    assert value["speech"][0]["spans"] == [[5_000, 7_000]]
    assert value["seconds"] == "XXXQQTT"


def test_a_lesson_whose_log_is_lost_is_heard_all_the_same(tmp_path: Path) -> None:
    levels = bytes([70]) * 100 + bytes([30]) * 100
    tracks = [
        microphone(tmp_path, "m-1", "t-1", True, levels),
        microphone(tmp_path, "m-2", "c-1", False, bytes(reversed(levels))),
    ]
    archive(tmp_path, tracks, [])
    (tmp_path / "events.jsonl").unlink()
    (tmp_path / "tracks" / "m-2" / "levels.bin").unlink()
    value = rendered(tmp_path)
    assert [one["role"] for one in value["speech"]] == ["lead_teacher", "receiving_class"]
    assert value["seconds"] == "QQTT"


def test_without_a_microphone_there_is_nothing_to_say(tmp_path: Path) -> None:
    archive(tmp_path, [microphone(tmp_path, "c-1", "t-1", True, b"", kind="video")], [])
    with pytest.raises(NothingToRenderError):
        rendered(tmp_path)
    assert not (tmp_path / "speech.json").exists()
