"""What stands when a lesson is closed, stopped or opened again."""

import dataclasses
from pathlib import Path

from recorder import derived
from recorder.describe import describe
from recorder.manifest import FileEntry, Manifest, read_manifest, write_manifest
from recorder.messages import Closed, ListOpen, Open, RecordingChanged
from recorder.recorder import BOOT
from tests.recorder.source import Publication, publication, sound
from tests.recorder.virtual import VirtualRecorder

BEGIN = 1_700_000_000_000_000


def on_air(archive: Path, seconds: int = 6) -> tuple[VirtualRecorder, Publication]:
    """A microphone that has been recorded for so long."""
    recorder = VirtualRecorder(archive, BEGIN)
    recorder.open("lesson")
    microphone = publication("lesson", "m-1", "opus", BEGIN, "microphone")
    recorder.send(microphone.announce())
    recorder.play(BEGIN, microphone.stream(sound(seconds), BEGIN))
    return recorder, microphone


def test_what_a_full_disk_cut_off_a_lesson_s_end_is_a_gap_in_a_recording_that_is_ready(tmp_path: Path) -> None:
    recorder, _ = on_air(tmp_path)
    recorder.recorder.room(enough=False, plenty=False, now_us=recorder.now_us)
    assert recorder.told[-1] == RecordingChanged("lesson", "stopped", "disk_full")
    recorder.until(BEGIN + 20_000_000)
    assert isinstance(recorder.end("lesson"), Closed)
    told = describe(tmp_path / "lesson")
    assert (told["status"], told["duration_ms"]) == ("ready", 6000)
    assert [track["gaps"] for track in told["tracks"]] == [[[6000, 20_000]]]
    assert read_manifest(tmp_path / "lesson").reason == "disk_full"


def test_a_publication_that_ended_while_the_disk_was_full_lacks_nothing_after_that(tmp_path: Path) -> None:
    recorder, microphone = on_air(tmp_path)
    recorder.recorder.room(enough=False, plenty=False, now_us=recorder.now_us)
    recorder.until(BEGIN + 9_000_000)
    recorder.send(microphone.end())
    recorder.until(BEGIN + 20_000_000)
    recorder.end("lesson")
    assert [track["gaps"] for track in describe(tmp_path / "lesson")["tracks"]] == [[[6000, 9000]]]


def test_a_closed_lesson_stays_marked_until_a_sync_that_began_later_is_done(tmp_path: Path) -> None:
    recorder, _ = on_air(tmp_path)
    mark = tmp_path / ".open/lesson"
    recorder.end("lesson")
    recorder.recorder.synced(done=4, following=6)  # number 5 is under way and may not have seen all of it
    recorder.recorder.synced(done=5, following=6)
    assert mark.exists()
    assert recorder.recorder.busy
    recorder.recorder.synced(done=6, following=7)
    assert not mark.exists()
    assert not recorder.recorder.busy


def test_a_closed_lesson_is_not_opened_again_by_a_kill_but_looked_at_after_a_loss_of_power(tmp_path: Path) -> None:
    recorder, _ = on_air(tmp_path)
    recorder.end("lesson")
    recorder.crash()
    assert recorder.recorder.handle(ListOpen()) == Open(())
    assert describe(tmp_path / "lesson")["status"] == "ready"
    (tmp_path / ".open/lesson").touch()
    (tmp_path / BOOT).write_text("another start of the machine")
    recorder.crash()
    assert isinstance(reply := recorder.recorder.handle(ListOpen()), Open)
    assert [one.lesson_id for one in reply.lessons] == ["lesson"]  # for the server to close


def test_what_was_made_of_a_lesson_goes_when_the_lesson_goes_on(tmp_path: Path) -> None:
    recorder, _ = on_air(tmp_path)
    recorder.end("lesson")
    folder = tmp_path / "lesson"
    (folder / "poster.jpg").write_bytes(b"picture")
    derived.add(folder, ["poster.jpg"])
    recorder.open("lesson")
    assert not (folder / "poster.jpg").exists()
    assert read_manifest(folder).derived == []


def test_a_manifest_is_one_line_for_each_file_whatever_a_publication_is_called(tmp_path: Path) -> None:
    recorder, _ = on_air(tmp_path)
    recorder.end("lesson")
    known = read_manifest(tmp_path / "lesson")
    odd = dataclasses.replace(known.tracks[0], publication_id='}, {\n"', participant="\u73ed")
    changed = Manifest("lesson", 1, "}, {", "ready", tracks=[odd], files=[FileEntry("a", 1, ""), FileEntry("b", 2, "")])
    write_manifest(tmp_path, changed)
    assert read_manifest(tmp_path) == changed
    assert (tmp_path / "manifest.json").read_text().count('"path"') == 2
