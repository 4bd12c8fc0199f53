"""The pages a lesson has shown, beside its media: put there whole, listed, and left out when they are torn."""

import errno
import os
from hashlib import sha256
from pathlib import Path

import pytest

from recorder import slides
from recorder.event_log import EVENTS
from recorder.lesson import Lesson
from recorder.manifest import read_manifest
from recorder.repair import repair

PAGE = "aaaaaaaa/1"
LARGE, SMALL = slides.page_files(PAGE)


def picture(size: int = 1000) -> bytes:
    """What has the head of a WebP of so many bytes."""
    return b"RIFF" + (size - 8).to_bytes(4, "little") + b"WEBP" + bytes(size - 12)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "L1").mkdir()
    return tmp_path / "L1"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "1.webp"
    path.write_bytes(picture())
    return path


@pytest.mark.parametrize("name", [PAGE, "a1b2c3d4e5f60718/200"])
def test_a_page_of_slides_has_a_large_and_a_small_picture(name: str) -> None:
    assert slides.is_page(name)
    assert slides.page_files(name) == (f"slides/{name}.webp", f"slides/{name}.small.webp")


@pytest.mark.parametrize("name", ["board/1", "aaaaaaaa/0", "aaaaaaaa/1000", "../aaaaaaaa/1", "aaaaaaaa/1.small", "a/1"])
def test_anything_else_is_none(name: str) -> None:
    assert not slides.is_page(name)


def test_a_page_is_a_second_name_of_the_same_file(folder: Path, source: Path) -> None:
    slides.put(folder, LARGE, source)
    assert (folder / LARGE).samefile(source)
    slides.put(folder, LARGE, source.with_name("gone"))  # it is there already: nobody looks
    source.unlink()
    assert (folder / LARGE).read_bytes() == picture()


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_where_there_are_no_links_it_is_a_copy(
    folder: Path, source: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, "no")

    monkeypatch.setattr(os, "link", refuse)
    slides.put(folder, LARGE, source)
    assert not (folder / LARGE).samefile(source)
    assert (folder / LARGE).read_bytes() == picture()


def test_an_attempt_that_was_killed_is_in_nobodys_way(folder: Path, source: Path) -> None:
    (folder / LARGE).parent.mkdir(parents=True)
    (folder / f"{LARGE}.new").write_bytes(b"half")
    slides.put(folder, LARGE, source)
    assert [path.name for path in (folder / LARGE).parent.iterdir()] == ["1.webp"]


def test_a_lesson_that_was_deleted_meanwhile_stays_deleted(folder: Path, source: Path) -> None:
    folder.rmdir()
    with pytest.raises(FileNotFoundError):
        slides.put(folder, LARGE, source)
    assert not folder.exists()


def test_a_full_disk_leaves_nothing_half(folder: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "no")

    def full(_: Path, target: Path) -> None:
        target.write_bytes(b"RIFF")
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OSError, match="full"):
        slides.put(folder, LARGE, source)
    assert list((folder / LARGE).parent.iterdir()) == []


def lesson(tmp_path: Path, source: Path) -> Path:
    """One that is on, and has shown a page."""
    Lesson.create(tmp_path / "L2", "L2", 0, "草原", lambda state, reason: None)
    for path in (LARGE, SMALL):
        slides.put(tmp_path / "L2", path, source)
    return tmp_path / "L2"


def close(folder: Path) -> dict[str, str]:
    """Its end, and the files its manifest names."""
    Lesson.resume(folder, lambda state, reason: None).close()
    return {entry.path: entry.sha256 for entry in read_manifest(folder).files}


def test_the_manifest_of_a_lesson_that_is_over_names_its_pages(tmp_path: Path, source: Path) -> None:
    digest = sha256(picture()).hexdigest()
    assert close(lesson(tmp_path, source)).items() >= {LARGE: digest, SMALL: digest}.items()


def test_what_a_loss_of_power_has_torn_is_left_out_and_the_rest_kept(tmp_path: Path, source: Path) -> None:
    folder = lesson(tmp_path, source)
    torn = slides.page_files("aaaaaaaa/2")
    (folder / torn[0]).write_bytes(picture()[:-1])
    (folder / torn[1]).write_bytes(b"")
    (folder / EVENTS).write_text("")
    repair(folder)
    assert {path for path in close(folder) if path.startswith("slides/")} == {LARGE, SMALL}
    assert not (folder / torn[0]).exists()
