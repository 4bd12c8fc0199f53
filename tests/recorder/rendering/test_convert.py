"""recorder/rendering/convert.py: WebM tracks become like all others, whatever happens in the middle."""

import dataclasses
import hashlib
import itertools
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from recorder.describe import describe
from recorder.lesson import Lesson
from recorder.manifest import Manifest, StillOpenError, read_manifest, update_manifest, write_manifest
from recorder.messages import OpenLesson
from recorder.parts import read_parts
from recorder.recorder import Recorder
from recorder.rendering import convert as module
from recorder.rendering.convert import convert
from recorder.rendering.progress import Cancelled, ignored
from tests.recorder.places.recorded import EPOCH_US, end, feed
from tests.recorder.rules import media_faults
from tests.recorder.source import picture, publication, sound
from tests.recorder.watch import decode, entries, risings
from tests.support.archived import Piece, Recorded, archived


def lesson(folder: Path, seconds: int = 16) -> Path:
    """The lead's camera in VP8, twice and with a gap of its own, a class's, and two microphones."""
    return archived(
        folder,
        [
            Recorded("c-1", "VP8", [Piece(1000, picture("VP8", 4)), Piece(9000, picture("VP8", 4, 160, 90))]),
            Recorded("m-1", "opus", [Piece(1000, sound(12))], "microphone"),
            Recorded("c-2", "VP8", [Piece(20_000, picture("VP8", seconds))]),
            Recorded("m-2", "opus", [Piece(20_000, sound(seconds))], "microphone"),
            Recorded("c-9", "VP8", [Piece(2000, picture("VP8", 4))], participant="class", lead=False),
        ],
    )


def held_against_its_files(folder: Path, below: str = "") -> None:
    for file in read_manifest(folder).files:
        if not file.path.startswith(below):
            continue
        data = (folder / file.path).read_bytes()[file.offset :][: file.size]
        assert hashlib.sha256(data).hexdigest() == file.sha256, file.path


def test_vp8_becomes_segments_with_the_same_times_gaps_and_sizes(tmp_path: Path) -> None:
    folder = lesson(tmp_path / "lesson")
    update_manifest(folder, lambda known: dataclasses.replace(known, status="damaged", reason="disk_full"))
    before = describe(folder)
    told: list[float] = []
    convert(folder, told.append)
    after = describe(folder)
    assert (after["status"], after["duration_ms"]) == ("damaged", before["duration_ms"])
    assert [track["codec"] for track in after["tracks"]] == ["H264", "opus", "H264", "opus", "H264"]
    for old, new in zip(before["tracks"], after["tracks"], strict=True):
        for field in ("publication_id", "participant", "source", "start_ms", "duration_ms"):
            assert new[field] == old[field]
        assert new["gaps"] == [[pytest.approx(at, abs=2) for at in gap] for gap in old["gaps"]]
    frames = decode(folder / after["tracks"][0]["playlist"])
    assert len(frames) == 160
    assert risings(frames, 130) == pytest.approx([2, 3, 4, 9, 10, 11, 12], abs=0.051)
    assert risings(decode(folder / after["tracks"][2]["playlist"]), 130) == pytest.approx(
        list(range(21, 36)), abs=0.051
    )
    listed = entries(folder / after["tracks"][0]["playlist"])
    needed = [part.init for part in read_parts((folder / after["tracks"][0]["playlist"]).parent) if part.media]
    assert [init for init, _ in itertools.groupby(needed)] == ["init-1.mp4", "init-2.mp4"]
    assert any(each.gap for each in listed)
    assert max(each.duration_s for each in entries(folder / after["tracks"][2]["playlist"])) < 6.5
    assert not list(folder.rglob("*.webm"))
    held_against_its_files(folder)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)


def test_a_converted_camera_is_in_the_leads_presentation_by_the_rules(tmp_path: Path) -> None:
    folder = lesson(tmp_path / "lesson")
    assert "lead-camera" not in (folder / "master.m3u8").read_text()
    convert(folder, ignored)
    assert "lead-camera" in (folder / "master.m3u8").read_text()
    assert risings(decode(folder / "lead-camera.m3u8"), 130) == pytest.approx(
        [2, 3, 4, 9, 10, 11, 12, *range(20, 36)], abs=0.051
    )
    for path in (folder / "lead-camera.m3u8", *folder.glob("tracks/*/index.m3u8")):
        assert media_faults(path.read_text(), path.parent) == []


def test_whenever_it_is_killed_the_lesson_plays_and_the_next_run_finishes(tmp_path: Path) -> None:
    whole = lesson(tmp_path / "whole")
    folder = tmp_path / "lesson"
    script = "import sys; from pathlib import Path; from recorder.rendering.convert import convert; "
    script += "print('begun', flush=True); convert(Path(sys.argv[1]), lambda fraction: None)"
    for after_s in (0.05, 0.3, 0.6):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(folder)], cwd=Path(__file__).parents[3], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after_s)  # any moment will do
        process.send_signal(signal.SIGKILL)
        process.communicate()
        held_against_its_files(folder, "tracks/")
        convert(folder, ignored)
        finished(folder)


def finished(folder: Path) -> None:
    tracks = describe(folder)["tracks"]
    assert sorted(track["codec"] for track in tracks) == ["H264", "H264", "H264", "opus", "opus"]
    held_against_its_files(folder)
    assert {path.name for path in (folder / "tracks").iterdir()} == {
        track.folder for track in read_manifest(folder).tracks
    }
    assert not list(folder.rglob("converted.json"))
    assert len(decode(folder / "lead-camera.m3u8")) == 160 + 320


@pytest.mark.parametrize("step", ["before the manifest", "after the manifest", "before the mark goes"])
def test_what_a_killed_run_had_made_whole_is_not_made_again(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lesson(tmp_path / "lesson", 4)
    killed = RuntimeError("killed here")

    def kill(*arguments: object, **options: object) -> None:
        if "missing_ok" not in options:  # which is how what need not be there is taken away
            raise killed

    with monkeypatch.context() as patched:
        if step == "before the manifest":
            patched.setattr(module, "update_manifest", kill)
        elif step == "after the manifest":
            patched.setattr(shutil, "rmtree", kill)
        else:
            patched.setattr(Path, "unlink", kill)
        with pytest.raises(RuntimeError):
            convert(folder, ignored)
    made = {path: path.stat().st_mtime_ns for path in folder.glob("tracks/c-1+h264/seg-*.m4s")}
    assert made
    convert(folder, ignored)
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert not list(folder.rglob("*.webm"))
    assert not list(folder.rglob("converted.json"))
    held_against_its_files(folder)


def test_a_conversion_that_is_called_off_leaves_the_lesson_as_it_was(tmp_path: Path) -> None:
    folder = lesson(tmp_path / "lesson", 4)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    calls: list[float] = []

    def progress(fraction: float) -> None:
        calls.append(fraction)
        raise Cancelled

    with pytest.raises(Cancelled):
        convert(folder, progress)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_lesson_that_is_being_recorded_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "lesson"
    Lesson.create(folder, "lesson", 0, "", lambda state, reason: None)
    with pytest.raises(StillOpenError):
        convert(folder, ignored)


def test_a_lesson_that_goes_on_in_vp8_after_its_conversion_is_converted_again(tmp_path: Path) -> None:
    folder = lesson(tmp_path / "lesson", 4)
    convert(folder, ignored)
    again = archived(tmp_path / "again", [Recorded("c-1", "VP8", [Piece(60_000, picture("VP8", 4))])])
    (entry,) = read_manifest(again).tracks
    shutil.copytree(again / "tracks/c-1", folder / "tracks/c-1")
    update_manifest(folder, lambda known: dataclasses.replace(known, tracks=[*known.tracks, entry]))
    convert(folder, ignored)
    names = [track.folder for track in read_manifest(folder).tracks]
    assert names == ["c-1+h264", "m-1", "c-2+h264", "m-2", "c-9+h264", "c-1+h264-"]
    assert {path.name for path in (folder / "tracks").iterdir()} == set(names)


@pytest.mark.parametrize("ended", [False, True])
def test_what_a_lesson_records_while_it_is_being_converted_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    def more(recorder: Recorder, at_us: int) -> None:
        recorder.handle(OpenLesson("lesson", EPOCH_US, ""))
        screen = publication("lesson", "p-2", "VP8", EPOCH_US, "screen")
        feed(recorder, [screen.announce(), *(one.data for one in screen.stream(picture("VP8", 4), EPOCH_US + at_us))])

    recorder, folder = Recorder(tmp_path, lambda event: None), tmp_path / "lesson"
    more(recorder, 1_000_000)
    end(recorder, "lesson")
    write = module._write

    def meanwhile(*arguments: Any) -> None:
        write(*arguments)
        more(recorder, 20_000_000)
        if ended:
            end(recorder, "lesson")

    with monkeypatch.context() as patched:
        patched.setattr(module, "_write", meanwhile)
        with pytest.raises(StillOpenError):
            convert(folder, ignored)
    if not ended:
        end(recorder, "lesson")
    convert(folder, ignored)
    (track,) = describe(folder)["tracks"]
    assert (track["codec"], track["start_ms"]) == ("H264", 1000)
    assert track["duration_ms"] == pytest.approx(23_000, abs=150)
    assert len(decode(folder / track["playlist"])) == 80 * 2
    assert not list(folder.rglob("*.webm"))


def test_where_there_is_no_vp8_nothing_changes(tmp_path: Path) -> None:
    folder = archived(tmp_path / "lesson", [Recorded("c-1", "H264", [Piece(0, picture("H264", 4))])])
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    convert(folder, ignored)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_track_of_which_nothing_can_be_decoded_stays_as_it_is(tmp_path: Path) -> None:
    folder = lesson(tmp_path / "lesson", 4)
    path = folder / "tracks/c-9/video.webm"
    data = path.read_bytes()
    head = next(part for part in read_parts(path.parent) if not part.media).size
    path.write_bytes(data[:head] + bytes(len(data) - head))
    convert(folder, ignored)
    assert [track["codec"] for track in describe(folder)["tracks"]] == ["H264", "opus", "H264", "opus", "VP8"]
    assert path.exists()


def test_an_empty_lesson_is_no_trouble(tmp_path: Path) -> None:
    write_manifest(tmp_path, Manifest("lesson", 0, "", "ready"))
    convert(tmp_path, ignored)
