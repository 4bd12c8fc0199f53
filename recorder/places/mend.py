"""Mends a finished lesson: bad copies are replaced by good ones, and where there is none, what is lost becomes a gap.

A lesson of which something is lost for good is treated as one that a crash has met: `repair.py` takes in what is whole,
and closing it once more draws playlists and manifest anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recorder import derived
from recorder.content_types import content_type
from recorder.lesson import Lesson
from recorder.manifest import NAME, FileEntry, ManifestError, read_manifest
from recorder.places.ledger import Confirmed, Ledger
from recorder.places.place import Place, PlaceError
from recorder.places.store import Digest, Store
from recorder.places.stored import StorePlace
from recorder.places.verify import LessonOpenError, Report, verify
from recorder.recorder import MARKS
from recorder.repair import repair
from recorder.slides import SLIDES

KEPT = ".kept-"  # before the name of what a lesson that is closed anew shall not lose


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done for a lesson; paths within its folder."""

    fetched: tuple[str, ...] = ()  # from the store
    sent: tuple[str, ...] = ()  # to the store
    lost: tuple[str, ...] = ()  # for good: gaps now, or silence; what is not media was made again or left out


def mend(place: Place, lesson_id: str) -> Mended:
    """Mend what `verify` finds. Raises LookupError, LessonOpenError, PlaceError, OSError; then one may try again."""
    report = verify(place, lesson_id)
    store = place.store if isinstance(place, StorePlace) else None
    folder = place.folder / lesson_id
    fetched: list[str] = []
    if store is not None and not _readable(folder):
        fetched += _fetch_manifest(place, store, lesson_id)
        report = verify(place, lesson_id)
    for finding in report.problems:
        if finding.there == "good" and finding.here == "damaged":
            _fetch(place, folder, finding.path)
            fetched.append(finding.path)
    lost = _lost(report)
    if lost:
        _close_anew(place.folder, folder, lost)
        report = verify(place, lesson_id)
    sent = _send(folder, store, report) if store is not None else []
    return Mended(tuple(fetched), tuple(sent), tuple(lost))


def _lost(report: Report) -> list[str]:
    return [finding.path for finding in report.problems if finding.lost]


def _readable(folder: Path) -> bool:
    try:
        read_manifest(folder)
    except (FileNotFoundError, ManifestError):
        return False
    return True


def _fetch_manifest(place: Place, store: Store, lesson_id: str) -> list[str]:
    """Take the lesson's small files from the store: without a manifest nothing here says what they should be."""
    folder = place.folder / lesson_id
    if not (folder / NAME).exists():
        with place.local(lesson_id):  # all of it
            return [NAME]
    with contextlib.suppress(PlaceError):
        if store.fetch(f"{lesson_id}/{NAME}", folder / NAME) is not None:
            return [NAME]
    return []


def _fetch(place: Place, folder: Path, path: str) -> None:
    """Put the store's good copy in the place of a bad one."""
    (folder / path).unlink()
    with place.local(folder.name):  # brings back what is missing, and checks it
        pass


def _close_anew(archive: Path, folder: Path, lost: list[str]) -> None:
    """Make the lesson whole without what is lost. A kill in the middle leaves it to the recorder's next start."""
    ledger = Ledger(folder)
    for path in lost:
        ledger.remove(path)  # or repair would take it as only moved
        with contextlib.suppress(FileNotFoundError):
            if path.startswith(f"{SLIDES}/"):
                (folder / path).unlink()  # nothing in it could be whole but all of it
            else:
                os.utime(folder / path)  # so that repair doubts it
    mark = archive / MARKS / folder.name
    mark.parent.mkdir(exist_ok=True)
    with _alone(archive, folder.name):
        mark.touch()
        with _derived_kept(folder, lost):
            repair(folder)
            Lesson.resume(folder, lambda state, reason: None).close()
        mark.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(archive: Path, lesson_id: str) -> Iterator[None]:
    """No second mending, and no recorder that has the lesson open. Raises LessonOpenError."""
    if (archive / MARKS / lesson_id).exists():
        raise LessonOpenError(lesson_id)
    with (archive / lesson_id / ".mending").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _derived_kept(folder: Path, lost: list[str]) -> Iterator[None]:
    """Keep what was made of the lesson (poster, exports), which is thrown away where a lesson goes on."""
    try:
        known = [entry for entry in read_manifest(folder).derived if entry.path not in lost]
    except (FileNotFoundError, ManifestError):
        known = []
    kept: list[FileEntry] = []
    for entry in known:
        path = folder / entry.path
        if path.exists():
            path.replace(path.with_name(KEPT + path.name))
            kept.append(entry)
    try:
        yield
    finally:
        for entry in kept:
            path = folder / entry.path
            path.with_name(KEPT + path.name).replace(path)
    derived.add(folder, [entry.path for entry in kept])


def _send(folder: Path, store: Store, report: Report) -> list[str]:
    """Send to the store what it has not or has damaged, the manifest last."""
    bad = [finding.path for finding in report.findings if finding.here == "good" and finding.there != "good"]
    if not bad:
        return []
    ledger = Ledger(folder)
    for path in [*bad, NAME]:
        status = (folder / path).stat()
        digest = Digest.of(folder / path)
        etag = store.put(f"{folder.name}/{path}", folder / path, digest, content_type(path))
        ledger.add(Confirmed(path, digest.size, digest.sha256, etag, status.st_mtime_ns))
    return bad
