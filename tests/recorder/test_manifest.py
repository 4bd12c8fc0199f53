import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from recorder.manifest import (
    FileEntry,
    Manifest,
    ManifestError,
    StillOpenError,
    TrackEntry,
    read_manifest,
    update_manifest,
    write_manifest,
)

TRACK = TrackEntry("t", "t", "p", "video", "camera", True, "H264", 90_000, "tracks/t/index.m3u8", gaps=[[1, 2]])
FULL = Manifest(
    "lesson", 1, "\u5206\u6570", "ready", "", 9, [TRACK], [FileEntry("a", 1, "aa", 5)], [FileEntry("b", 2, "bb")]
)


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_manifest(tmp_path, FULL)
    assert read_manifest(tmp_path) == FULL


def test_a_manifest_from_before_there_were_derived_files_is_read(tmp_path: Path) -> None:
    write_manifest(tmp_path, FULL)
    value = json.loads((tmp_path / "manifest.json").read_text())
    del value["derived"]
    (tmp_path / "manifest.json").write_text(json.dumps(value))
    assert read_manifest(tmp_path) == dataclasses.replace(FULL, derived=[])


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "7", '{"tracks": 3}', '{"tracks": [3], "files": []}', '{"tracks": [], "files": [[]]}'],
)
def test_what_is_no_manifest_is_called_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ManifestError):
        read_manifest(tmp_path)


def test_what_is_no_text_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe\0{")
    with pytest.raises(ManifestError):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../other/manifest.json", "tracks/../../b", "a//b", ".stored.jsonl", "tracks/", "a\0b"]
)
@pytest.mark.parametrize("field", ["files", "derived", "playlist"])
def test_a_manifest_that_names_a_file_elsewhere_is_none(tmp_path: Path, field: str, path: str) -> None:
    write_manifest(tmp_path, FULL)
    value = json.loads((tmp_path / "manifest.json").read_text())
    if field == "playlist":
        value["tracks"][0]["playlist"] = path
    else:
        value[field][0]["path"] = path
    (tmp_path / "manifest.json").write_text(json.dumps(value))
    with pytest.raises(ManifestError):
        read_manifest(tmp_path)


def test_the_manifest_of_a_lesson_being_recorded_is_the_recorders(tmp_path: Path) -> None:
    write_manifest(tmp_path, Manifest("lesson", 1, ""))
    with pytest.raises(StillOpenError):
        update_manifest(tmp_path, lambda known: dataclasses.replace(known, title="changed"))
    assert read_manifest(tmp_path).title == ""


def test_processes_that_change_a_manifest_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    write_manifest(tmp_path, dataclasses.replace(FULL, derived=[]))
    script = """
import dataclasses, sys
from pathlib import Path
from recorder.manifest import FileEntry, update_manifest
for number in range(40):
    entry = FileEntry(f"{sys.argv[2]}-{number}", 1, "")
    update_manifest(Path(sys.argv[1]), lambda known: dataclasses.replace(known, derived=[*known.derived, entry]))
"""
    root = Path(__file__).parents[2]
    changing = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), who], cwd=root) for who in "abc"]
    assert [process.wait(30) for process in changing] == [0, 0, 0]
    names = {entry.path for entry in read_manifest(tmp_path).derived}
    assert names == {f"{who}-{number}" for who in "abc" for number in range(40)}
