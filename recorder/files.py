"""Files as their readers see them: replaced in one step, or grown by whole lines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # parts, which playlists are drawn from, need `replace`
    from recorder.playlists import MediaPlaylist

# What a gap's URI names. Players that know EXT-X-GAP leave it alone; FFmpeg's fetches it, and complains when nothing
# is there: so there is an empty box.
GAP = "gap.m4s"
GAP_DATA = b"\0\0\0\x08free"


def replace(path: Path, text: str, sync: bool = False) -> None:
    """Give `path` new contents in one step: a reader sees the old or the new. Raises OSError, leaving the old.

    With `sync` that holds after a loss of power, too; a recorder leaves it to its one sync a second.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("w") as file:
            file.write(text)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


class PlaylistFile:
    """A playlist on disk. While the lesson lasts it is appended to, which costs a quarter of replacing it."""

    def __init__(self, path: Path, playlist: MediaPlaylist) -> None:
        self._path = path
        self._playlist = playlist
        self._size = 0  # bytes on disk, 0 when we do not know what stands there
        self._gap_is_there = False

    def write(self, ended: bool) -> None:
        """Bring the file up to date. Raises OSError; the next time writes it whole."""
        size, self._size = self._size, 0
        if self._playlist.has_gap and not self._gap_is_there:
            (self._path.parent / GAP).write_bytes(GAP_DATA)
            self._gap_is_there = True
        if ended or not size:
            text = self._playlist.whole(ended)
            replace(self._path, text)
            size = 0 if ended else len(text.encode())
        else:
            more = self._playlist.more().encode()
            with self._path.open("ab", buffering=0) as file:
                if file.write(more) != len(more):
                    file.truncate(size)
                    return
            size += len(more)
        self._size = size
