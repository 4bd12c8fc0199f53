"""Gives disk space back before recording would have to stop: what can be made again of finished lessons goes.

Exports first, the oldest ones before others, then storyboards. Posters and speech are small, so they stay.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from recorder import derived
from recorder.manifest import ManifestError, StillOpenError

EXPORTS = "export/*"
STORYBOARDS = "storyboard.*"
AGAIN_S = 60.0  # after there was nothing left to take, before we look through all lessons again

logger = logging.getLogger(__name__)


class MakingRoom:
    """Below `low` bytes free of the archive's disk something goes, until `enough` are."""

    def __init__(self, archive: Path, low: int, enough: int) -> None:
        self._archive = archive
        self._low = low
        self._enough = enough
        self._rest_until = 0.0

    def look(self, free: int) -> int:
        """With so many bytes free; gives how many have been freed. Blocks while it works."""
        if free >= self._low or time.monotonic() < self._rest_until:
            return 0
        freed = make_room(self._archive, self._enough - free)
        if free + freed < self._low:
            self._rest_until = time.monotonic() + AGAIN_S
        if freed:
            logger.warning("%s MB of exports and storyboards are removed: little room is left", freed // 1_000_000)
        return freed


def make_room(archive: Path, wanted: int) -> int:
    """Remove derived files until `wanted` bytes are freed, or as many as there are; gives how many that was."""
    freed = 0
    for pattern in (EXPORTS, STORYBOARDS):
        for _, size, folder, path in sorted(_found(archive, pattern)):
            if freed >= wanted:
                return freed
            try:
                derived.remove(folder, [path])
                freed += size
            except (OSError, ManifestError, StillOpenError) as error:
                # A lesson that is opened again or deleted meanwhile, or whose manifest cannot be read.
                logger.info("%s of %s stays: %s", path, folder.name, error)
    return freed


def _found(archive: Path, pattern: str) -> Iterator[tuple[int, int, Path, str]]:
    """When it was made, its size, its lesson's folder and its path in there."""
    for folder in archive.iterdir():
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        for path in folder.glob(pattern):
            try:
                status = path.stat()
            except OSError:
                continue
            if path.is_file():
                yield status.st_mtime_ns, status.st_size, folder, path.relative_to(folder).as_posix()
