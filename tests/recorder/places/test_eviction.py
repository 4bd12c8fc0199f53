"""What leaves the disk is in the store for certain, and stays known."""

import hashlib
import os
from pathlib import Path

import pytest

from recorder.manifest import FileEntry, Manifest, write_manifest
from recorder.places.eviction import evict
from recorder.places.ledger import LEDGER, Confirmed, Ledger

SEGMENT = "tracks/p-0/seg-00001.m4s"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished lesson whose one segment the store has."""
    (tmp_path / SEGMENT).parent.mkdir(parents=True)
    (tmp_path / SEGMENT).write_bytes(b"media")
    sha256 = hashlib.sha256(b"media").hexdigest()
    write_manifest(tmp_path, Manifest("lesson", 0, "", "ready", files=[FileEntry(SEGMENT, 5, sha256)]))
    Ledger(tmp_path).add(Confirmed(SEGMENT, 5, sha256, "etag", 1))
    return tmp_path


def test_the_ledger_is_on_the_disk_before_anything_leaves_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        assert (folder / SEGMENT).exists()

    monkeypatch.setattr(os, "fsync", fsync)
    assert evict(folder) == 5
    assert synced == [str((folder / LEDGER).resolve())]
    assert not (folder / SEGMENT).exists()


def test_what_the_store_has_otherwise_or_nobody_confirmed_stays(folder: Path) -> None:
    (folder / LEDGER).write_text("")
    assert evict(folder) == 0
    Ledger(folder).add(Confirmed(SEGMENT, 5, "another", "etag", 1))
    assert evict(folder) == 0
    (folder / LEDGER).unlink()
    assert evict(folder) == 0
    assert (folder / SEGMENT).exists()
