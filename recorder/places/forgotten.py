"""Lessons that were deleted here and may still be in the store: one empty file each in `.forget/` of the archive.

Such a mark is set before anything is deleted and taken away when the store has nothing of the lesson any more, so a
deletion is carried out however long the store was away.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from recorder.places.store import Store

MARKS = ".forget"


def note(archive: Path, lesson_id: str) -> None:
    """The lesson is to be forgotten. Raises OSError."""
    (archive / MARKS).mkdir(parents=True, exist_ok=True)
    (archive / MARKS / lesson_id).touch()


def known(archive: Path) -> list[str]:
    """Lessons that are being forgotten."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(mark.name for mark in (archive / MARKS).iterdir())
    return []


def is_known(archive: Path, lesson_id: str) -> bool:
    """Whether this lesson is being forgotten."""
    return (archive / MARKS / lesson_id).exists()


def carry_out(archive: Path, store: Store) -> None:
    """Delete what the store still has of them, for the one process that also sends. Raises PlaceError, OSError."""
    for lesson_id in known(archive):
        shutil.rmtree(archive / lesson_id, ignore_errors=True)  # a kill between the mark and the deletion
        purge(store, lesson_id)
        (archive / MARKS / lesson_id).unlink(missing_ok=True)


def purge(store: Store, lesson_id: str) -> None:
    """Delete all the store has of a lesson, its manifest first: then it is none. Raises PlaceError."""
    paths = [found.path for found in store.objects(f"{lesson_id}/")]
    store.delete(path for path in paths if path.endswith("/manifest.json"))
    store.delete(path for path in paths if not path.endswith("/manifest.json"))
