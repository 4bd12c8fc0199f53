"""Whether a finished lesson's files are what its manifest says, here and in the store. Changes nothing."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recorder.manifest import NAME, FileEntry, Manifest, ManifestError, read_manifest
from recorder.places.place import Place, is_lesson_id
from recorder.places.store import Store
from recorder.places.stored import StorePlace

READ = 1024 * 1024  # bytes at a time

Copy = Literal["good", "damaged", "missing", ""]  # "" where there is no store


class LessonOpenError(Exception):
    """The lesson is being recorded; its files still change."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One file: how it is here and how in the store."""

    path: str
    here: Copy
    there: Copy = ""

    @property
    def lost(self) -> bool:
        """No copy is good."""
        return "good" not in (self.here, self.there)

    @property
    def waiting(self) -> bool:
        """Good here and not in the store yet."""
        return self.here == "good" and self.there == "missing"

    @property
    def problem(self) -> bool:
        """Something must be mended. A file that has left for the store is as it should be, and so is one that waits."""
        return self.lost or "damaged" in (self.here, self.there)


@dataclass(frozen=True, slots=True)
class Report:
    lesson_id: str
    files: int
    bytes: int
    findings: tuple[Finding, ...]  # of files that are not good everywhere

    @property
    def problems(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.problem]

    @property
    def waiting(self) -> int:
        return sum(finding.waiting for finding in self.findings)


def verify(place: Place, lesson_id: str, quick: bool = False) -> Report:
    """Look at every file of a lesson; `quick` at sizes only. Raises LookupError, LessonOpenError, PlaceError, OSError.

    A manifest that cannot be read is a finding of its own, and the only one then.
    """
    if not is_lesson_id(lesson_id):
        raise LookupError(lesson_id[:100])
    folder = place.folder / lesson_id
    store = place.store if isinstance(place, StorePlace) else None
    manifest = _manifest(folder, store)
    if manifest is None:
        return Report(lesson_id, 1, 0, (Finding(NAME, "damaged", _manifest_there(store, lesson_id)),))
    if manifest.status == "recording":
        raise LessonOpenError(lesson_id)
    entries = grouped((*manifest.files, *manifest.derived))
    sizes = {found.path: found.size for found in store.objects(f"{lesson_id}/")} if store is not None else {}
    findings = []
    for path, stretches in entries.items():
        here = _here(folder / path, stretches, quick)
        there: Copy = ""
        if store is not None:
            there = _there(store, f"{lesson_id}/{path}", stretches, sizes, quick)
        if here != "good" or there not in ("good", ""):
            findings.append(Finding(path, here, there))
    if not (folder / NAME).exists():
        findings.append(Finding(NAME, "missing", "good"))
    return Report(lesson_id, len(entries), sum(entry.size for entry in manifest.files), tuple(findings))


def grouped(entries: Iterable[FileEntry]) -> dict[str, list[FileEntry]]:
    """The stretches of each file, in their order in it."""
    found: dict[str, list[FileEntry]] = {}
    for entry in entries:
        found.setdefault(entry.path, []).append(entry)
    return {path: sorted(stretches, key=lambda entry: entry.offset) for path, stretches in found.items()}


def matches(pieces: Iterable[bytes], stretches: list[FileEntry]) -> bool:
    """Whether bytes, read once and in order, are what the manifest says of a file's stretches."""
    left = list(stretches)
    digest, at = hashlib.sha256(), 0
    for piece in pieces:
        begin = 0
        while left and begin < len(piece):
            entry = left[0]
            begin = max(begin, entry.offset - at)
            end = min(len(piece), entry.offset + entry.size - at)
            if begin >= len(piece):
                break
            digest.update(piece[begin:end])
            begin = end
            if at + end == entry.offset + entry.size:
                if digest.hexdigest() != entry.sha256:
                    return False
                left.pop(0)
                digest = hashlib.sha256()
        at += len(piece)
    return all(not entry.size and entry.sha256 == hashlib.sha256().hexdigest() for entry in left)


def stored_manifest(store: Store, lesson_id: str) -> Manifest | None:
    """The manifest the store has of a lesson, None if it has none. Raises ManifestError, PlaceError, OSError."""
    with tempfile.TemporaryDirectory(prefix="tongke-") as name:
        folder = Path(name)
        return read_manifest(folder) if store.fetch(f"{lesson_id}/{NAME}", folder / NAME) else None


def _manifest(folder: Path, store: Store | None) -> Manifest | None:
    """The lesson's manifest from here, else from the store; None if it is damaged. Raises LookupError, PlaceError."""
    try:
        return read_manifest(folder)
    except ManifestError:
        return None
    except FileNotFoundError:
        pass
    if store is not None:
        with contextlib.suppress(ManifestError):
            if (manifest := stored_manifest(store, folder.name)) is not None:
                return manifest
    if folder.is_dir():
        return None
    raise LookupError(folder.name)


def _manifest_there(store: Store | None, lesson_id: str) -> Copy:
    if store is None:
        return ""
    try:
        return "good" if stored_manifest(store, lesson_id) is not None else "missing"
    except ManifestError:
        return "damaged"


def _here(path: Path, stretches: list[FileEntry], quick: bool) -> Copy:
    try:
        size = path.stat().st_size
        if size < stretches[-1].offset + stretches[-1].size:
            return "damaged"
        return "good" if quick or matches(_read(path), stretches) else "damaged"
    except FileNotFoundError:
        return "missing"


def _there(store: Store, name: str, stretches: list[FileEntry], sizes: dict[str, int], quick: bool) -> Copy:
    size = sizes.get(name)
    if size is None:
        return "missing"
    if size < stretches[-1].offset + stretches[-1].size:
        return "damaged"
    return "good" if quick or matches(store.pieces(name), stretches) else "damaged"


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(READ):
            yield data
