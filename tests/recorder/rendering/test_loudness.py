import json
from pathlib import Path

import pytest

from recorder.manifest import read_manifest
from recorder.rendering import speech
from recorder.rendering.loudness import levels
from recorder.rendering.progress import ignored
from tests.recorder.source import sound
from tests.support.archived import Piece, Recorded, archived


def test_how_loud_a_sender_was_that_told_no_levels_is_heard(tmp_path: Path) -> None:
    # A tone of a quarter of full scale in the first half of each second, told as silence.
    folder = archived(
        tmp_path / "a",
        [Recorded("m-1", "opus", [Piece(700, sound(4), 127), Piece(8_700, sound(4), 127)], "microphone")],
    )
    (track,) = read_manifest(folder).tracks
    seen: list[float] = []
    found = levels(folder, track, seen.append)
    assert len(found) == pytest.approx(12 * 50, abs=1)
    tone = found[5:20] + found[505:520]
    assert [level for level in tone if not 14 <= level <= 17] == []  # 20 log 0.25/√2 = −15 dB
    assert min(found[30:48]) > 40
    assert min(found[4 * 50 + 5 : 8 * 50 - 5]) == 127  # nobody was there
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0, abs=0.01)

    speech.render(folder, folder / "speech.json", ignored)
    value = json.loads((folder / "speech.json").read_text())
    spans = value["speech"][0]["spans"]
    assert len(spans) == 8
    assert all(end - begin == pytest.approx(500, abs=60) for begin, end in spans)


def test_what_the_sender_told_goes_before_what_is_heard(tmp_path: Path) -> None:
    folder = archived(tmp_path / "a", [Recorded("m-1", "opus", [Piece(0, sound(2), 33)], "microphone")])
    (track,) = read_manifest(folder).tracks
    assert set(levels(folder, track, ignored)) <= {33, 127}
    (folder / "tracks" / "m-1" / "levels.bin").unlink()
    assert min(levels(folder, track, ignored)) < 20
