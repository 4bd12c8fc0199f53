"""`manifest.json`: what a lesson's archive holds.

While the lesson is recorded it names the lesson and its tracks. When the lesson is over it is written once more, last
of all files and atomically, with each track's times and the sha256 of every part: a reader who sees `ready` sees
everything. Whoever changes it after that does so by `update_manifest`, one after the other.
"""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from recorder.files import replace

NAME = "manifest.json"
LOCK = ".lock"  # beside it; held while a finished lesson's manifest is changed
VERSION = 1
_PATH = re.compile(r"[^./\0][^/\0]*(?:/[^./\0][^/\0]*)*")  # no way out, nothing hidden

Status = Literal["recording", "ready", "damaged"]


class ManifestError(ValueError):
    """The file is there but is no manifest we understand."""


class StillOpenError(Exception):
    """The lesson is being recorded, or again: its manifest belongs to the recorder."""


@dataclass(frozen=True, slots=True)
class TrackEntry:
    """One recorded stretch of a publication in one codec; a change of codec begins another."""

    folder: str  # below tracks/
    publication_id: str
    participant: str
    kind: str  # audio, video
    source: str  # camera, microphone, screen, document_camera, second_microphone
    lead: bool
    codec: str  # "H264", "VP8", "VP9", "AV1", "opus"
    timescale: int  # ticks per second in its parts
    playlist: str  # relative to the lesson's folder
    codecs: str = ""  # as players name it (RFC 6381), known with the first part
    width: int = 0  # of the first picture
    height: int = 0
    start_ms: int = 0  # on the lesson clock; this and what follows is filled in when the lesson is over
    duration_ms: int = 0
    gaps: list[list[int]] = field(default_factory=list)  # [from_ms, to_ms]; in short ones a picture stands
    silenced: list[list[int]] = field(default_factory=list)  # the same of sound; silence stands for what was lost


@dataclass(frozen=True, slots=True)
class FileEntry:
    path: str  # relative to the lesson's folder
    size: int  # bytes
    sha256: str  # hex, of these bytes
    offset: int = 0  # of the first one; a WebM file is listed in stretches


@dataclass(frozen=True, slots=True)
class Manifest:
    lesson_id: str
    epoch_us: int  # the lesson clock's zero, microseconds since 1970
    title: str
    status: Status = "recording"
    reason: str = ""  # why it is damaged
    duration_ms: int = 0  # last media end less first media start
    tracks: list[TrackEntry] = field(default_factory=list)
    files: list[FileEntry] = field(default_factory=list)
    derived: list[FileEntry] = field(default_factory=list)  # made from the others (poster, exports), and can be again
    version: int = VERSION


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the lesson in `folder`. Raises FileNotFoundError and ManifestError."""
    try:
        value: dict[str, Any] = json.loads((folder / NAME).read_text())
        value["tracks"] = [track_entry(track) for track in value["tracks"]]
        value["files"] = [_file_entry(file) for file in value["files"]]
        value["derived"] = [_file_entry(file) for file in value.get("derived", ())]
        return _checked(Manifest(**value))
    except (IsADirectoryError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ManifestError(f"{folder.name}: the manifest cannot be read") from error


def write_manifest(folder: Path, manifest: Manifest, sync: bool = False) -> None:
    """Put the manifest in place, whole or not at all; with `sync` also after a loss of power. Raises OSError."""
    replace(folder / NAME, _text(manifest), sync)


def _text(manifest: Manifest) -> str:
    """As JSON, a file a line. A long lesson has 50 000 files: `asdict` and an indent would take ten times as long."""
    value: dict[str, Any] = {name: getattr(manifest, name) for name in Manifest.__slots__}
    value |= {"tracks": [asdict(track) for track in manifest.tracks], "files": [], "derived": []}
    lines = [f" {json.dumps(name)}: {json.dumps(what, ensure_ascii=False)}" for name, what in value.items()]
    for at, name in enumerate(value):
        if name in ("files", "derived"):
            files = [
                {"path": file.path, "size": file.size, "sha256": file.sha256, "offset": file.offset}
                for file in getattr(manifest, name)
            ]
            lines[at] = f' "{name}": {json.dumps(files, ensure_ascii=False)}'
            if name == "files":  # whose paths are ours: nothing in them looks like the end of an object
                lines[at] = lines[at].replace("}, {", "},\n  {")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def duration_ms(tracks: list[TrackEntry]) -> int:
    """Last media end less first media start, of tracks that have media."""
    if not tracks:
        return 0
    return max(track.start_ms + track.duration_ms for track in tracks) - min(track.start_ms for track in tracks)


def track_entry(value: dict[str, Any]) -> TrackEntry:
    """A track as JSON has it. Raises TypeError and ValueError."""
    entry = TrackEntry(**value)
    holes = [*entry.gaps, *entry.silenced]
    who = (entry.publication_id, entry.participant, entry.kind, entry.source)
    words = (*who, entry.folder, entry.codec, entry.playlist, entry.codecs)
    numbers = (entry.width, entry.height, entry.start_ms, entry.duration_ms, *(ms for gap in holes for ms in gap))
    if any(type(word) is not str for word in words) or any(type(number) is not int for number in numbers):
        raise ValueError("not a track")
    "".join(words).encode()  # half a surrogate pair cannot be told to anybody
    if type(entry.timescale) is not int or entry.timescale <= 0 or any(len(gap) != 2 for gap in holes):
        raise ValueError("not a track")
    if entry.kind not in ("audio", "video") or type(entry.lead) is not bool:
        raise ValueError("not a track")
    if "/" in entry.folder or entry.folder in ("", ".", "..") or not _is_within(entry.playlist):
        raise ValueError("a track elsewhere")
    return entry


def _file_entry(value: dict[str, Any]) -> FileEntry:
    entry = FileEntry(**value)
    if (type(entry.path), type(entry.size), type(entry.sha256), type(entry.offset)) != (str, int, str, int):
        raise ValueError("not a file")
    if entry.size < 0 or entry.offset < 0:
        raise ValueError("not a file")
    entry.path.encode()
    if not _is_within(entry.path):
        raise ValueError("a file elsewhere")
    return entry


def _is_within(path: str) -> bool:
    """Whether it stays in the lesson's folder: a manifest may come from a store that others write to, too."""
    return _PATH.fullmatch(path) is not None


def _checked(manifest: Manifest) -> Manifest:
    words = (manifest.lesson_id, manifest.title, manifest.reason)
    numbers = (manifest.epoch_us, manifest.duration_ms)
    if any(type(word) is not str for word in words) or any(type(number) is not int for number in numbers):
        raise ValueError("not a manifest")
    "".join(words).encode()
    if manifest.status not in get_args(Status):
        raise ValueError("not a manifest")
    return manifest


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep others from changing a finished lesson's manifest meanwhile. Raises OSError."""
    with (folder / LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def update_manifest(folder: Path, change: Callable[[Manifest], Manifest]) -> Manifest:
    """Change a finished lesson's manifest, given to `change` as it is now; gives what was written.

    Several processes may do so at once, so `change` must be quick: hash files before. Raises StillOpenError while the
    lesson is recorded, FileNotFoundError, ManifestError, OSError, and what `change` raises; then nothing is changed.
    """
    with locked(folder):
        known = read_manifest(folder)
        if known.status == "recording":
            raise StillOpenError(folder.name)
        changed = change(known)
        if changed != known:
            write_manifest(folder, changed, sync=True)  # no recorder looks after this lesson any more
        return changed
