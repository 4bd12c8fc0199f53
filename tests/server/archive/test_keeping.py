"""`tongke archive …` as an operator types it."""

import json
import shutil
from pathlib import Path

import pytest

from recorder.manifest import read_manifest
from server.command import main
from tests.recorder.importing.test_film import film
from tests.recorder.places.recorded import begin, record
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, node, s3_server

SEGMENT = "tracks/p-0/seg-00002.m4s"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    record(tmp_path / "data" / "archive", "L1")
    return tmp_path / "data"


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["archive", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_good_archive_is_said_to_be_good(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "verify", "--data", data)
    assert code == 0
    assert out.startswith("L1: ")
    assert out.endswith(": good\n")
    code, out, _ = said(capsys, "verify", "--data", data, "--json", "--quick", "L1")
    assert code == 0
    assert json.loads(out)["lessons"][0]["problems"] == []


def test_what_is_damaged_is_named_and_mended(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "archive" / "L1" / SEGMENT).unlink()
    code, out, _ = said(capsys, "verify", "--data", data)
    assert code == 1
    assert f"L1: {SEGMENT}: missing here - lost\n" in out
    code, out, _ = said(capsys, "verify", "--data", data, "--json")
    assert code == 1
    assert json.loads(out)["lessons"][0]["problems"] == [
        {"path": SEGMENT, "here": "missing", "there": None, "lost": True}
    ]
    code, out, _ = said(capsys, "repair", "--data", data)
    assert (code, out) == (1, f"L1: lost {SEGMENT}\n")  # it is a gap now, and the operator is told
    assert said(capsys, "repair", "--data", data) == (0, "", "")
    assert said(capsys, "verify", "--data", data)[0] == 0


def test_lessons_move_and_are_copied(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "move", "--data", data, "--to", f"file://{tmp_path}/copy", "--keep", "L1")
    assert (code, (data / "archive" / "L1").exists()) == (0, True)
    assert out.endswith(f"now in {tmp_path}/copy\n")
    code, out, _ = said(capsys, "move", "--data", data, "--to", f"file://{tmp_path}/other", "--all")
    assert (code, (data / "archive" / "L1").exists()) == (0, False)
    for place in ("copy", "other"):
        assert said(capsys, "verify", "--data", data, "--archive-url", f"file://{tmp_path}/{place}", "L1")[0] == 0


def test_a_lesson_goes_to_a_store_and_back_and_no_deletion_is_left_over(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if node() is None:
        pytest.skip("the S3 server for tests is not installed: make .setup/store")
    with s3_server(tmp_path / "s3") as s3:
        config = tmp_path / "tongke.toml"
        config.write_text(
            f'archive_endpoint = "{s3.endpoint}"\narchive_region = "us-east-1"\n'
            f'archive_access_key = "{ACCESS_KEY}"\narchive_secret_key = "{SECRET_KEY}"\n'
        )
        there, shared = ("--archive-url", "s3://lessons/bj"), ("--data", data, "--config", config)
        assert said(capsys, "move", *shared, "--to", "s3://lessons/bj", "L1")[0] == 0
        assert s3.store("bj").folders() == ["L1"]
        assert said(capsys, "verify", *shared, *there)[0] == 0
        assert said(capsys, "repair", *shared, *there)[0] == 0
        assert said(capsys, "move", *shared, *there, "--to", tmp_path / "back", "--all")[0] == 0
        assert list(s3.store("bj").objects()) == []
        assert not list((data / "archive" / ".forget").iterdir())
    assert said(capsys, "verify", "--data", data, "--archive-url", f"file://{tmp_path}/back")[0] == 0


def test_what_cannot_be_is_told_in_a_sentence(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ("verify", "L2"),
        ("repair", "../L1"),
        ("move", "--to", tmp_path / "x"),
        ("move", "--to", "gs://x", "L1"),
        ("move", "--to", data / "archive", "L1"),
        ("import", tmp_path / "none.mp4"),
        ("import", data / "archive" / "L1" / "manifest.json"),
    ):
        code, out, err = said(capsys, arguments[0], "--data", data, *arguments[1:])
        assert (code, out) == (1, ""), arguments
        assert err.count("\n") == 1
        assert err.endswith(".\n"), err


def test_a_lesson_on_air_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin(tmp_path / "archive", "L1", 7)
    before = sorted((tmp_path / "archive" / "L1").rglob("*"))
    assert said(capsys, "verify", "--data", tmp_path)[:2] == (0, "L1: being recorded\n")
    assert said(capsys, "repair", "--data", tmp_path)[:2] == (0, "")
    assert said(capsys, "move", "--data", tmp_path, "--all", "--to", tmp_path / "o")[1] == (
        "L1: being recorded, left here\n"
    )
    assert sorted((tmp_path / "archive" / "L1").rglob("*")) == before


def test_a_film_becomes_a_lesson_that_is_over_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = film(tmp_path / "草原的晨光.mp4", seconds=3, options={"bf": "0"})
    code, out, _ = said(capsys, "import", "--data", tmp_path / "data", source, "--json")
    assert code == 0
    made = json.loads(out)
    known = read_manifest(tmp_path / "data" / "archive" / made["lesson_id"])
    assert (known.title, known.status, known.duration_ms) == ("草原的晨光", "ready", made["duration_ms"])
    assert said(capsys, "verify", "--data", tmp_path / "data")[0] == 0
    shutil.rmtree(tmp_path / "data")
