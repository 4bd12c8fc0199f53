"""What the manifest lists as derived is there, whoever makes, removes and makes it again at the same time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder import derived
from recorder.manifest import FileEntry, Manifest, read_manifest, update_manifest, write_manifest

FILM = "export/movie.mp4"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished lesson with a film."""
    (tmp_path / "export").mkdir()
    write_manifest(tmp_path, Manifest("lesson", 0, "", "ready"))
    (tmp_path / FILM).write_bytes(b"film")
    derived.add(tmp_path, [FILM])
    return tmp_path


def test_what_was_made_again_while_it_was_being_removed_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made_again(place: Path, change: Callable[[Manifest], Manifest]) -> Manifest:
        changed = update_manifest(place, change)
        monkeypatch.undo()
        (place / FILM).write_bytes(b"another")
        derived.add(place, [FILM])
        return changed

    monkeypatch.setattr(derived, "update_manifest", made_again)
    derived.remove(folder, [FILM])
    assert [one.size for one in read_manifest(folder).derived] == [7]
    assert (folder / FILM).read_bytes() == b"another"


def test_what_was_removed_while_it_was_being_listed_is_not_listed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = derived.entry

    def removed(place: Path, path: str) -> FileEntry:
        found = entry(place, path)
        derived.remove(place, [path])
        return found

    monkeypatch.setattr(derived, "entry", removed)
    with pytest.raises(FileNotFoundError):
        derived.add(folder, [FILM])
    assert read_manifest(folder).derived == []


def test_a_changed_manifest_is_on_the_disk_before_it_takes_its_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bytes] = []

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").read_bytes())
        assert (folder / "manifest.json").read_bytes() != synced[-1]

    monkeypatch.setattr(os, "fsync", fsync)
    derived.remove(folder, [FILM])
    assert synced == [(folder / "manifest.json").read_bytes()]
