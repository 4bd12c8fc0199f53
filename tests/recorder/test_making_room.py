import dataclasses
import os
from pathlib import Path

from recorder import derived
from recorder.making_room import MakingRoom, make_room
from recorder.manifest import Manifest, read_manifest, write_manifest


def finished(archive: Path, name: str, files: dict[str, int]) -> Path:
    """A lesson with derived files of 1000 bytes, made at these times."""
    folder = archive / name
    (folder / "export").mkdir(parents=True)
    write_manifest(folder, Manifest(name, 0, "", "ready"))
    for path, made in files.items():
        (folder / path).write_bytes(bytes(1000))
        os.utime(folder / path, (made, made))
    derived.add(folder, files)
    return folder


def left(folder: Path) -> set[str]:
    """The derived files a lesson has, which are those its manifest lists."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.stat().st_size == 1000}
    assert there == {entry.path for entry in read_manifest(folder).derived}
    return there


def test_the_oldest_exports_go_first_then_storyboards_and_what_is_small_stays(tmp_path: Path) -> None:
    old = finished(tmp_path, "old", {"export/movie.mp4": 100, "storyboard.jpg": 50, "poster.jpg": 10})
    new = finished(tmp_path, "new", {"export/camera.mp4": 300, "export/audio.m4a": 90, "storyboard.jpg": 40})
    assert make_room(tmp_path, 1500) == 2000
    assert left(old) == {"storyboard.jpg", "poster.jpg"}
    assert left(new) == {"export/camera.mp4", "storyboard.jpg"}
    assert make_room(tmp_path, 10**9) == 3000
    assert left(old) == {"poster.jpg"}
    assert left(new) == set()


def test_a_lesson_that_is_recorded_again_keeps_what_it_has(tmp_path: Path) -> None:
    folder = finished(tmp_path, "lesson", {"export/movie.mp4": 100})
    write_manifest(folder, dataclasses.replace(read_manifest(folder), status="recording"))
    assert make_room(tmp_path, 1) == 0
    assert left(folder) == {"export/movie.mp4"}


def test_a_lesson_whose_manifest_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    broken = finished(tmp_path, "broken", {"export/movie.mp4": 100})
    (broken / "manifest.json").write_text("{")
    whole = finished(tmp_path, "whole", {"export/movie.mp4": 200})
    assert make_room(tmp_path, 1) == 1000
    assert left(whole) == set()


def test_nothing_goes_while_there_is_room(tmp_path: Path) -> None:
    folder = finished(tmp_path, "lesson", {"export/movie.mp4": 100, "storyboard.jpg": 100})
    making = MakingRoom(tmp_path, low=5000, enough=6000)
    assert making.look(free=5000) == 0
    assert making.look(free=4999) == 2000
    assert left(folder) == set()
