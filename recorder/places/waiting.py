"""What of a lesson is finished here and not yet confirmed by the store: the upload queue, read off the disk.

While a lesson is recorded these are the segments its journals name; what a journal names is never written again. When
it is over these are the files of its manifest, each of which must be what the manifest says, then the journals, and
the manifest last: a store that has a lesson's manifest has all of it that was whole here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recorder.manifest import NAME, FileEntry, Manifest
from recorder.parts import JOURNAL
from recorder.places.ledger import Ledger

READ = 1024 * 1024  # bytes at a time


@dataclass(frozen=True, slots=True)
class Item:
    """A file to be sent."""

    path: str  # within the lesson's folder
    entries: tuple[FileEntry, ...] = ()  # what its bytes must be; none: whatever they are


class DamagedError(Exception):
    """A file that is not what the manifest says, and so must not replace a good one in the store."""


class OpenLesson:
    """Follows the journals of a lesson that is being recorded: each line is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}  # bytes of each journal
        self._known: dict[str, Item] = {}

    def waiting(self, ledger: Ledger) -> list[Item]:
        """Segments and their initialisation segments, in the order they were finished in. Raises OSError."""
        for journal in sorted(self._folder.glob(f"tracks/*/{JOURNAL}")):
            for entry in self._news(journal):
                self._known[entry.path] = Item(entry.path, (entry,))
        for path in [path for path, item in self._known.items() if _has(ledger, item)]:
            del self._known[path]
        return list(self._known.values())

    def _news(self, journal: Path) -> Iterator[FileEntry]:
        at = self._read.get(journal, 0)
        with journal.open("rb") as file:
            if at > file.seek(0, 2):  # cut by a repair
                at = 0
            file.seek(at)
            lines = file.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._read[journal] = at + len(whole)
        for line in whole.splitlines():
            try:
                part = json.loads(line)
                entry = FileEntry(f"tracks/{journal.parent.name}/{part['file']}", part["size"], part["sha256"])
            except (KeyError, TypeError, ValueError, RecursionError):
                continue  # a gap, or what a crash has torn
            if not entry.path.endswith(".webm"):  # that one grows until the lesson is over
                yield entry


def closed(folder: Path, manifest: Manifest, ledger: Ledger) -> list[Item]:
    """What a lesson that is over still has to send, the manifest last. Raises OSError."""
    entries: dict[str, list[FileEntry]] = {}
    for entry in (*manifest.files, *manifest.derived):
        entries.setdefault(entry.path, []).append(entry)
    items = [Item(path, tuple(stretches)) for path, stretches in entries.items()]
    items += [Item(path.relative_to(folder).as_posix()) for path in sorted(folder.glob(f"tracks/*/{JOURNAL}"))]
    wanted = [item for item in items if not _has(ledger, item) and not _unchanged(folder, ledger, item.path)]
    if wanted or not _unchanged(folder, ledger, NAME):
        wanted.append(Item(NAME))
    return wanted


def obsolete(folder: Path, manifest: Manifest, ledger: Ledger) -> set[str]:
    """What the store has of a lesson that is over and that its manifest does not name any more."""
    named = {entry.path for entry in (*manifest.files, *manifest.derived)} | {NAME}
    named |= {path.relative_to(folder).as_posix() for path in folder.glob(f"tracks/*/{JOURNAL}")}
    return ledger.paths() - named


def check(body: Path | bytes, entries: tuple[FileEntry, ...]) -> None:
    """Whether bytes are what the manifest says of them. Raises DamagedError and OSError."""
    for entry in entries:
        if _sha256(body, entry.offset, entry.size) != entry.sha256:
            raise DamagedError(f"{entry.path} is not what the manifest says")


def _sha256(body: Path | bytes, offset: int, size: int) -> str:
    if isinstance(body, bytes):
        return hashlib.sha256(body[offset : offset + size]).hexdigest()
    digest = hashlib.sha256()
    with body.open("rb") as file:
        file.seek(offset)
        while size and (data := file.read(min(READ, size))):
            digest.update(data)
            size -= len(data)
    return digest.hexdigest()


def _has(ledger: Ledger, item: Item) -> bool:
    """Whether the store has just these bytes, as their hash tells; a file of several stretches has none of its own."""
    known = ledger.get(item.path)
    if known is None or len(item.entries) != 1 or item.entries[0].offset:
        return False
    return (known.sha256, known.size) == (item.entries[0].sha256, item.entries[0].size)


def _unchanged(folder: Path, ledger: Ledger, path: str) -> bool:
    """Whether the file here is the one that was sent. One that is not here any more is what it was."""
    known = ledger.get(path)
    if known is None:
        return False
    try:
        return known.is_of((folder / path).stat())
    except FileNotFoundError:
        return True
