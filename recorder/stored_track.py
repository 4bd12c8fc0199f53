"""A track's files in a lesson's folder, whether it is being recorded or was: its writer and its playlist."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from recorder.files import PlaylistFile
from recorder.inits import Inits, Named
from recorder.levels import LEVELS
from recorder.manifest import FileEntry, TrackEntry
from recorder.parts import Part
from recorder.playlists import MediaPlaylist
from recorder.segments import SegmentWriter
from recorder.webm_file import WEBM_FILE, WebmWriter
from recorder.writer import Writer

TRACKS = "tracks"  # folder of all tracks of a lesson


class StoredTrack:
    def __init__(
        self,
        lesson: Path,
        epoch_us: int,
        entry: TrackEntry,
        parts: list[Part],
        on_part: Callable[[StoredTrack, Part], None],
    ) -> None:
        """`lesson` is the lesson's folder, `parts` what the journal has; `on_part` is called with each further one."""
        self.entry = entry
        self.folder = lesson / TRACKS / entry.folder
        kind = WebmWriter if entry.codec == "VP8" else SegmentWriter
        self.writer: Writer = kind(self.folder, entry.timescale, parts, lambda part: on_part(self, part))
        self._playlist: MediaPlaylist | None = None  # WebM has none
        if entry.codec != "VP8":
            self._playlist = MediaPlaylist(epoch_us)
            self._inits = Inits(self.folder)
            self._file = PlaylistFile(lesson / entry.playlist, self._playlist)
            for part in parts:
                self.list(part)

    @property
    def levels(self) -> Path:
        return self.folder / LEVELS

    def list(self, part: Part) -> None:
        """Put a part into the playlist."""
        if self._playlist is not None:
            named = self._inits.named_for(part.init, self.entry.codec) if part.init else Named("", self.entry.codec)
            self._playlist.add(part, self.entry.timescale, named.codec, init=named.init)

    def write_playlist(self, ended: bool) -> None:
        """Bring its file up to date. Raises OSError."""
        if self._playlist is not None and not self._playlist.empty:
            self._file.write(ended)

    def media_files(self) -> Iterator[FileEntry]:
        """What its writer has finished."""
        prefix = f"{TRACKS}/{self.entry.folder}/"
        for part in self.writer.files():
            yield FileEntry(prefix + part.file, part.size, part.sha256, part.offset)


def folder_name(publication_id: str) -> str:
    """Whatever a publication is called, a name its folder can have."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", publication_id)[:80]
    if name != publication_id:
        name += "-" + hashlib.sha256(publication_id.encode()).hexdigest()[:8]
    return name


def playlist_of(folder: str, codec: str) -> str:
    """Where a track's playlist lies in the lesson's folder; of WebM the file itself."""
    return f"{TRACKS}/{folder}/{WEBM_FILE if codec == 'VP8' else 'index.m3u8'}"
