"""Moves finished lessons to another store or folder: every file checked against the manifest, the manifest last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recorder.content_types import content_type
from recorder.manifest import NAME, locked, read_manifest
from recorder.parts import JOURNAL
from recorder.places.place import Place, PlaceError
from recorder.places.store import Digest, Store
from recorder.places.verify import LessonOpenError, grouped
from recorder.places.waiting import check
from recorder.rendering.progress import Progress, ignored


def move(place: Place, lesson_id: str, target: Store, progress: Progress = ignored) -> int:
    """Copy a lesson to `target`, then forget it here; gives its bytes.

    Raises LookupError, LessonOpenError, PlaceError, DamagedError (mend it first), OSError; then it is still here.
    """
    with _copied(place, lesson_id, target, progress) as size:
        place.delete(lesson_id)
    return size


def copy(place: Place, lesson_id: str, target: Store, progress: Progress = ignored) -> int:
    """Copy a lesson to `target`, where it is a lesson once all of it is there. Raises as `move`."""
    with _copied(place, lesson_id, target, progress) as size:
        return size


@contextmanager
def _copied(place: Place, lesson_id: str, target: Store, progress: Progress) -> Iterator[int]:
    """The lesson is at `target` just as it is here, and nobody changes it meanwhile; gives its bytes."""
    with place.local(lesson_id) as folder:
        known, size = b"", 0
        while known != (known := _manifest(folder)):  # jobs go on making and converting while we send
            size = _send_all(folder, target, progress)
        with locked(folder):
            if known != _manifest(folder):
                raise PlaceError(f"{lesson_id} has changed just now; try again")
            size += _send(folder, NAME, target)
            yield size


def _manifest(folder: Path) -> bytes:
    if read_manifest(folder).status == "recording":
        raise LessonOpenError(folder.name)
    return (folder / NAME).read_bytes()


def _send_all(folder: Path, target: Store, progress: Progress) -> int:
    """Everything but the manifest."""
    manifest = read_manifest(folder)
    entries = grouped((*manifest.files, *manifest.derived))
    paths = [*entries, *(_below(folder, path) for path in sorted(folder.glob(f"tracks/*/{JOURNAL}")))]
    size = 0
    for number, path in enumerate(paths, 1):
        try:
            check(folder / path, tuple(entries.get(path, ())))
            size += _send(folder, path, target)
        except FileNotFoundError:
            if read_manifest(folder) == manifest:
                raise
            return size  # it has just gone, as the manifest knows
        progress(number / len(paths))
    return size


def _send(folder: Path, path: str, target: Store) -> int:
    digest = Digest.of(folder / path)
    name = f"{folder.name}/{path}"
    there = target.head(name)
    # What an earlier attempt has brought there need not go again.
    if there is None or (there.size, there.etag) != (digest.size, digest.md5):
        target.put(name, folder / path, digest, content_type(path))
    return digest.size


def _below(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
