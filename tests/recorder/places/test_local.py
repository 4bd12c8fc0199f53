"""The local folder as a place: what can be reached in it, what is held, what a deletion leaves."""

from pathlib import Path

import pytest

from recorder.manifest import Manifest, write_manifest
from recorder.places.local import LocalPlace
from recorder.places.place import is_lesson_id


@pytest.fixture
def place(tmp_path: Path) -> LocalPlace:
    folder = tmp_path / "archive" / "L1"
    (folder / "tracks" / "p").mkdir(parents=True)
    write_manifest(folder, Manifest("L1", 0, "a lesson"))
    (folder / "tracks" / "p" / "seg-00001.m4s").write_bytes(b"media")
    (folder / ".secret").write_bytes(b"not for strangers")
    (tmp_path / "outside.jpg").write_bytes(b"elsewhere")
    (folder / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    return LocalPlace(tmp_path / "archive")


def test_a_file_of_a_lesson_is_found(place: LocalPlace) -> None:
    found = place.file("L1", "tracks/p/seg-00001.m4s")
    assert found is not None
    assert found.read_bytes() == b"media"


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "../L1/manifest.json",
        "tracks/../manifest.json",
        "/etc/passwd",
        ".secret",
        "tracks//p",
        "tracks",
        "tracks/p/seg-00001.m4s/",
        "link.jpg",
        "a\0b",
        "x" * 5000,
        "missing.jpg",
    ],
)
def test_whatever_is_no_file_of_the_lesson_is_none(place: LocalPlace, path: str) -> None:
    assert place.file("L1", path) is None


@pytest.mark.parametrize("lesson_id", ["", ".", "..", ".open", "L1/..", "L1\0", "-L1", "x" * 101])
def test_what_cannot_be_a_lesson_never_becomes_a_path(place: LocalPlace, lesson_id: str) -> None:
    assert not is_lesson_id(lesson_id)
    assert place.file(lesson_id, "manifest.json") is None
    with pytest.raises(LookupError), place.local(lesson_id):
        pass
    place.delete(lesson_id)
    assert place.lessons() == ["L1"]


async def test_a_lesson_is_held_with_and_without_a_loop(place: LocalPlace) -> None:
    with place.local("L1") as folder:
        assert (folder / "manifest.json").is_file()
    async with place.local("L1") as folder:
        assert folder == place.folder / "L1"
    with pytest.raises(LookupError):
        async with place.local("L2"):
            pass


def test_a_deleted_lesson_leaves_nothing(place: LocalPlace) -> None:
    place.delete("L1")
    place.delete("L1")
    assert place.lessons() == []
    assert [path for path in place.folder.rglob("*") if path.is_file()] == []


def test_a_deletion_that_was_cut_short_is_finished(place: LocalPlace) -> None:
    (place.folder / ".deleted").mkdir()
    (place.folder / "L1").rename(place.folder / ".deleted" / "L1")
    assert place.lessons() == []
    place.clear()
    assert not (place.folder / ".deleted").exists()
