"""Moves finished lessons to another store or folder: every file checked against the manifest, the manifest last."""

from __future__ import annotations

from pathlib import Path

from recorder.content_types import content_type
from recorder.manifest import NAME, read_manifest
from recorder.parts import JOURNAL
from recorder.places.place import Place
from recorder.places.store import Digest, Store
from recorder.places.verify import LessonOpenError, grouped
from recorder.places.waiting import check
from recorder.rendering.progress import Progress, ignored


def move(place: Place, lesson_id: str, target: Store, progress: Progress = ignored) -> int:
    """Copy a lesson to `target`, then forget it here; gives its bytes.

    Raises LookupError, LessonOpenError, PlaceError, DamagedError (mend it first), OSError; then it is still here.
    """
    size = copy(place, lesson_id, target, progress)
    place.delete(lesson_id)
    return size


def copy(place: Place, lesson_id: str, target: Store, progress: Progress = ignored) -> int:
    """Copy a lesson to `target`, where it is a lesson once all of it is there. Raises as `move`."""
    with place.local(lesson_id) as folder:
        manifest = read_manifest(folder)
        if manifest.status == "recording":
            raise LessonOpenError(lesson_id)
        entries = grouped((*manifest.files, *manifest.derived))
        paths = [*entries, *(_below(folder, path) for path in sorted(folder.glob(f"tracks/*/{JOURNAL}"))), NAME]
        size = 0
        for number, path in enumerate(paths, 1):
            check(folder / path, tuple(entries.get(path, ())))
            digest = Digest.of(folder / path)
            name = f"{lesson_id}/{path}"
            there = target.head(name)
            # What an earlier attempt has brought there need not go again.
            if there is None or (there.size, there.etag) != (digest.size, digest.md5):
                target.put(name, folder / path, digest, content_type(path))
            size += digest.size
            progress(number / len(paths))
        return size


def _below(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
