"""What the store has confirmed of one lesson: `.stored.jsonl` in its folder, one line per file, the last one counts.

It is appended to after the store's confirmation and never before, so what a crash costs is that a file is sent twice.
The upload queue is not written down at all: it is what is finished here and not in the ledger.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from recorder.files import replace

LEDGER = ".stored.jsonl"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A file the store has."""

    path: str  # within the lesson's folder
    size: int  # bytes
    sha256: str
    etag: str
    mtime_ns: int  # of the local file when it was read; with the size it tells whether it must be read again

    def is_of(self, status: os.stat_result) -> bool:
        """Whether the local file is still the one that was sent."""
        return (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns)


class Ledger:
    """The ledger of the lesson in `folder`, as far as this process has written or read it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LEDGER
        self._files = _read(self._path)

    def get(self, path: str) -> Confirmed | None:
        return self._files.get(path)

    def paths(self) -> set[str]:
        return set(self._files)

    def add(self, confirmed: Confirmed) -> None:
        """The store has confirmed it. Raises OSError, also when the lesson's folder is gone."""
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(confirmed), separators=(",", ":")) + "\n")
        self._files[confirmed.path] = confirmed

    def sync(self) -> None:
        """Make what it says outlast a loss of power. Raises OSError."""
        with self._path.open("rb") as file:
            os.fsync(file.fileno())

    def remove(self, path: str) -> None:
        """The store has it no longer. Raises OSError."""
        if self._files.pop(path, None) is not None:
            text = "".join(json.dumps(asdict(one), separators=(",", ":")) + "\n" for one in self._files.values())
            replace(self._path, text)


def _read(path: Path) -> dict[str, Confirmed]:
    """A line that a crash has torn is passed over, and what follows it begins anew."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return {}
    found = {}
    for line in text.split("\n"):
        try:
            confirmed = Confirmed(**json.loads(line))
        except (TypeError, ValueError):
            continue
        found[confirmed.path] = confirmed
    if text and not text.endswith("\n"):
        with path.open("a") as file:
            file.write("\n")
    return found
