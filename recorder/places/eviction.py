"""Frees the disk of what the store has: segments and exports of a lesson that is complete there and in nobody's hands.

Whoever works on a lesson's files holds a shared lock on `.held` in its folder (stored.py), whose time says when that
was last. Initialisation segments stay, so that the recorder can go on with a lesson that is opened again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from recorder.manifest import ManifestError, read_manifest
from recorder.places.ledger import Ledger

HELD = ".held"


def evict(folder: Path) -> int:
    """Take away what the store has just as the manifest says, unless someone holds the lesson; gives the bytes freed.

    Raises OSError.
    """
    freed = 0
    with contextlib.suppress(BlockingIOError, FileNotFoundError, ManifestError), _lock(folder, fcntl.LOCK_EX):
        manifest, ledger = read_manifest(folder), Ledger(folder)
        if manifest.status == "recording":
            return 0
        ledger.sync()  # without it nobody would know where to look for what is taken away
        for entry in (*manifest.files, *manifest.derived):
            known = ledger.get(entry.path)
            if known and is_large(entry.path) and (known.sha256, known.size) == (entry.sha256, entry.size):
                with contextlib.suppress(FileNotFoundError):
                    (folder / entry.path).unlink()
                    freed += entry.size
    return freed


def last_held(folder: Path) -> float:
    """When someone last worked on the lesson's files, in seconds since 1970; 0 for never."""
    try:
        return (folder / HELD).stat().st_mtime
    except OSError:
        return 0.0


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Nothing leaves the folder meanwhile. Raises OSError."""
    with _lock(folder, fcntl.LOCK_SH):
        (folder / HELD).touch()
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.utime(folder / HELD)


@contextlib.contextmanager
def _lock(folder: Path, kind: int) -> Iterator[None]:
    """Alone (LOCK_EX, raises BlockingIOError when that cannot be at once) or with others (LOCK_SH)."""
    with (folder / HELD).open("ab") as lock:
        fcntl.flock(lock, kind if kind == fcntl.LOCK_SH else kind | fcntl.LOCK_NB)
        yield


def is_large(path: str) -> bool:
    """Whether a file may leave for the store; all others always stay here."""
    return path.rpartition("/")[2].startswith("seg-") or path.startswith("export/")
