"""Files made from a finished lesson's others (poster, storyboard, exports): put into its manifest and taken out again.

They can be made again from what the manifest lists as `files`, so they may go when room is needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from recorder.manifest import FileEntry, Manifest, locked, read_manifest, update_manifest

_PIECE = 1 << 20  # bytes


def entry(folder: Path, path: str) -> FileEntry:
    """What the manifest says of the file `path` in `folder`. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    with (folder / path).open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return FileEntry(path, size, digest.hexdigest())


def add(folder: Path, paths: Iterable[str]) -> Manifest:
    """List files that are in place. Raises what `update_manifest` raises, and OSError for one that is not there."""
    fresh = [entry(folder, path) for path in paths]
    names = {one.path for one in fresh}

    def change(known: Manifest) -> Manifest:
        for name in names:
            (folder / name).stat()  # it may have been removed to make room while it was read
        return replace(known, derived=[*(one for one in known.derived if one.path not in names), *fresh])

    return update_manifest(folder, change)


def remove(folder: Path, paths: Iterable[str]) -> Manifest:
    """Take files out of the list, then off the disk; those that are not there are no error. Raises as `add`."""
    names = set(paths)
    changed = update_manifest(
        folder, lambda known: replace(known, derived=[one for one in known.derived if one.path not in names])
    )
    with locked(folder):  # what has been listed again meanwhile stays
        for name in names - {one.path for one in read_manifest(folder).derived}:
            (folder / name).unlink(missing_ok=True)
    return changed
