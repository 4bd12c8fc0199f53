"""`tongke export`: what it writes, and the plain sentence when it cannot."""

from pathlib import Path

import av
import pytest

from recorder.manifest import Manifest, write_manifest
from server.command import main
from tests.recorder.source import picture, sound
from tests.support.archived import Piece, Recorded, archived


def export(data: Path, lesson_id: str, out: Path, *more: str) -> int:
    return main(["export", lesson_id, "--out", str(out), "--data", str(data), *more])


@pytest.mark.parametrize(
    ("more", "codecs", "width"),
    [
        ([], ["h264", "aac"], 320),
        (["--kind", "camera"], ["h264", "aac"], 320),
        (["--kind", "movie"], ["h264", "aac"], 1280),
        (["--kind", "audio"], ["aac"], None),
    ],
)
def test_a_lesson_is_exported_as_one_is_asked_to(
    tmp_path: Path, more: list[str], codecs: list[str], width: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.nice", lambda increment: 0)
    camera = Recorded("c-1", "H264", [Piece(0, picture("H264", 4))])
    archived(tmp_path / "data/archive/L1", [camera, Recorded("m-1", "opus", [Piece(0, sound(4))], "microphone")])
    out = tmp_path / "lesson.mp4"
    assert export(tmp_path / "data", "L1", out, *more) == 0
    with av.open(str(out)) as container:
        assert [stream.codec_context.name for stream in container.streams] == codecs
        assert [stream.width for stream in container.streams.video] == ([width] if width else [])
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(4, abs=0.1)


def test_a_damaged_manifest_does_not_stand_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.nice", lambda increment: 0)
    lesson = archived(tmp_path / "data/archive/L1", [Recorded("c-1", "H264", [Piece(0, picture("H264", 4))])])
    (lesson / "manifest.json").write_text("{")
    out = tmp_path / "lesson.mp4"
    assert export(tmp_path / "data", "L1", out) == 0
    with av.open(str(out)) as container:
        assert len(list(container.decode(video=0))) == 80


def test_what_cannot_be_exported_is_said_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.nice", lambda increment: 0)
    archive = tmp_path / "data/archive"
    archived(archive / "L1", [Recorded("m-1", "opus", [Piece(0, sound(4))], "microphone")])
    archived(archive / "L2", [Recorded("c-9", "H264", [Piece(0, picture("H264", 4))], lead=False)])
    (archive / "L3").mkdir()
    write_manifest(archive / "L3", Manifest("L3", 0, ""))
    out = tmp_path / "lesson.mp4"

    def said(lesson_id: str, *more: str, at: Path = out) -> str:
        assert export(tmp_path / "data", lesson_id, at, *more) == 1
        return capsys.readouterr().err

    assert said("L0").startswith("There is no recording of a lesson L0")
    assert said("L1", "--kind", "movie") == "Lesson L1 has no picture.\n"
    assert said("L1", at=tmp_path / "no/folder.mp4") == f"{tmp_path / 'no'} is no folder.\n"
    assert said("L2") == "Lesson L2 has neither camera nor microphone of a lead teacher.\n"
    assert said("L2", "--kind", "audio") == "Lesson L2 has no sound.\n"
    assert said("L3") == "Lesson L3 is still being recorded; end it first.\n"
    assert not out.exists()
    assert not list(tmp_path.glob("*.part"))
