import errno
import os
from pathlib import Path

import pytest

from server.data_folder import DataFolder, why_not
from server.failure import CannotWorkError
from server.settings import Settings


def test_a_folder_that_is_a_file_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    with pytest.raises(CannotWorkError, match="is no folder"):
        DataFolder(tmp_path / "data").prepare(Settings(data=tmp_path / "data"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_somebody_else_is_one_plain_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CannotWorkError, match="cannot be written by this user"):
        DataFolder(tmp_path / "data").prepare(Settings(data=tmp_path / "data"))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "The disk of /d is full"),
        (errno.EACCES, "cannot be written by this user"),
        (errno.EROFS, "cannot be written by this user"),
        (errno.EIO, "cannot be used"),
    ],
)
def test_what_the_disk_refuses_is_one_plain_sentence(number: int, words: str) -> None:
    sentence = why_not(OSError(number, os.strerror(number)), Path("/d"))
    assert words in sentence
    assert "\n" not in sentence


def test_a_disk_with_hardly_any_room_is_full_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.data_folder.LEAST_FREE", 1 << 62)
    with pytest.raises(CannotWorkError, match="is full"):
        DataFolder(tmp_path).prepare(Settings(data=tmp_path))


def test_one_node_alone_uses_a_data_folder(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    with data.lock():
        data.note_run("http://127.0.0.1:1", tmp_path / "tongke-run")
        with pytest.raises(CannotWorkError, match=f"already used by another Tongke .process {os.getpid()}."):  # noqa: SIM117
            with DataFolder(tmp_path).lock():
                pass
    with DataFolder(tmp_path).lock():
        pass


def test_a_node_that_was_killed_is_not_running(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    data.note_run("http://127.0.0.1:1", tmp_path / "tongke-run")
    running = data.running()
    assert running is not None
    assert running.url == "http://127.0.0.1:1"
    (tmp_path / "run.json").write_text('{"pid": 4194303, "url": "http://127.0.0.1:1"}')
    assert data.running() is None
    (tmp_path / "run.json").write_text("half")
    assert data.running() is None


def test_what_a_killed_node_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    for name, goes in (("tongke-run", True), ("precious", False)):
        folder = tmp_path / name
        folder.mkdir()
        data.note_run("http://127.0.0.1:1", folder)
        data.clear_after_kill()
        assert folder.exists() != goes
        assert data.running() is None
