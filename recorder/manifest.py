"""`manifest.json`: what a lesson's archive holds.

While the lesson is recorded it names the lesson and its tracks. When the lesson is over it is written once more, last
of all files and atomically, with each track's times and the sha256 of every part: a reader who sees `ready` sees
everything.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from recorder.files import replace

NAME = "manifest.json"
VERSION = 1

Status = Literal["recording", "ready", "damaged"]


class ManifestError(ValueError):
    """The file is there but is no manifest we understand."""


@dataclass(frozen=True, slots=True)
class TrackEntry:
    """One recorded stretch of a publication in one codec; a change of codec begins another."""

    folder: str  # below tracks/
    publication_id: str
    participant: str
    kind: str  # audio, video
    source: str  # camera, microphone, screen
    lead: bool
    codec: str  # "H264", "VP8", "VP9", "opus"
    timescale: int  # ticks per second in its parts
    playlist: str  # relative to the lesson's folder
    codecs: str = ""  # as players name it (RFC 6381), known with the first part
    width: int = 0  # of the first picture
    height: int = 0
    start_ms: int = 0  # on the lesson clock; this and what follows is filled in when the lesson is over
    duration_ms: int = 0
    gaps: list[list[int]] = field(default_factory=list)  # [from_ms, to_ms]


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
    version: int = VERSION


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the lesson in `folder`. Raises FileNotFoundError and ManifestError."""
    try:
        value: dict[str, Any] = json.loads((folder / NAME).read_text())
        value["tracks"] = [TrackEntry(**track) for track in value["tracks"]]
        value["files"] = [FileEntry(**file) for file in value["files"]]
        return Manifest(**value)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{folder.name}: the manifest cannot be read") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest in place, whole or not at all. Raises OSError."""
    replace(folder / NAME, json.dumps(asdict(manifest), ensure_ascii=False, indent=1) + "\n")
