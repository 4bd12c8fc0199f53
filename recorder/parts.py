"""The parts of a track: what `tracks/<folder>/parts.jsonl` says, one line per finished segment or gap.

This journal is the truth the playlists are drawn from: appended to as parts end, read again after a crash, and read by
whoever describes a recording in mid-lesson. Times are ticks of the track's timescale on the lesson clock. Its first
line says whose parts they are, and initialisation segments stand in it once more: whatever else is damaged, a track
can be made whole from its segments and its journal.
"""

from __future__ import annotations

import binascii
import dataclasses
import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recorder.files import replace
from recorder.manifest import Manifest, TrackEntry, track_entry

JOURNAL = "parts.jsonl"
HOLD_MS = 100  # less between two parts is no gap; they are as good as joined


@dataclass(frozen=True, slots=True)
class Chunk:
    """A fragment of a segment, which a player close behind the lesson fetches before the segment is finished."""

    duration: int  # ticks
    offset: int  # of its first byte in the file
    size: int  # bytes
    key: bool  # begins with a key frame


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a track: bytes of a file, or a gap (then `file` is empty).

    A part without duration is a header: the initialisation segment that the next parts need, or the beginning of a WebM
    file.
    """

    start: int  # ticks since the lesson clock's zero
    duration: int  # ticks
    file: str = ""  # relative to the track's folder
    init: str = ""  # the initialisation segment it needs; empty for WebM
    offset: int = 0  # of its first byte in the file; only WebM has several parts in one file
    size: int = 0  # bytes
    sha256: str = ""  # hex, of these bytes
    key: bool = True  # begins with a key frame
    chunks: tuple[Chunk, ...] = ()  # all of it, if someone watched while it was written; not in the journal
    copy: str = ""  # base64 of the bytes of an initialisation segment
    lost: tuple[tuple[int, int], ...] = ()  # from and to in it a picture or silence stands for what never came

    @property
    def end(self) -> int:
        return self.start + self.duration

    @property
    def media(self) -> bool:
        return bool(self.file) and self.duration > 0

    @property
    def gap(self) -> bool:
        return not self.file

    @property
    def head(self) -> bool:
        """An initialisation segment."""
        return bool(self.file) and self.file == self.init

    @property
    def bytes_kept(self) -> bytes:
        """The bytes of an initialisation segment as the journal has them, b"" if it has not."""
        try:
            return b64decode(self.copy, validate=True)
        except binascii.Error:
            return b""

    def to_line(self) -> str:
        """The part as a line of the journal, newline included; defaults are left out."""
        value: dict[str, Any] = {"start": self.start, "duration": self.duration}
        if not self.gap:
            value |= {"file": self.file, "size": self.size, "sha256": self.sha256}
            value |= {"init": self.init} if self.init else {}
            value |= {"offset": self.offset} if self.offset else {}
            value |= {} if self.key else {"key": False}
            value |= {"copy": self.copy} if self.copy else {}
            value |= {"lost": self.lost} if self.lost else {}
        return json.dumps(value, separators=(",", ":")) + "\n"


def init_part(name: str, data: bytes, sha256: str) -> Part:
    """The part that stands for an initialisation segment."""
    return Part(0, 0, name, name, 0, len(data), sha256, copy=b64encode(data).decode())


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose parts a journal has: what of the manifest cannot be read from media."""

    lesson_id: str
    epoch_us: int
    title: str
    track: TrackEntry


@dataclass(frozen=True, slots=True)
class Journal:
    """What a journal says."""

    owner: Owner | None = None
    parts: list[Part] = field(default_factory=list)
    damaged: bool = False  # lines that say nothing were passed over; a torn last one is none of them


def begin_journal(folder: Path, manifest: Manifest, track: TrackEntry) -> None:
    """Write the first line of a new track's journal. Raises OSError."""
    owner = Owner(manifest.lesson_id, manifest.epoch_us, manifest.title, track)
    replace(folder / JOURNAL, _owner_line(owner))


def read_journal(folder: Path) -> Journal:
    """The journal in `folder`, empty if there is none. A torn last line, as a crash leaves it, is passed over."""
    try:
        text = (folder / JOURNAL).read_text(errors="replace")
    except FileNotFoundError:
        return Journal()
    owner, parts, damaged = None, [], False
    for line in text.split("\n")[:-1]:
        try:
            value = json.loads(line)
            if "track" in value:
                owner = _owner(value)
            else:
                parts.append(_part(value))
        except (TypeError, ValueError, RecursionError):
            damaged = True
    return Journal(owner, parts, damaged)


def write_journal(folder: Path, owner: Owner | None, parts: list[Part]) -> None:
    """Give a track another journal in one step. Raises OSError."""
    lines = [_owner_line(owner)] if owner is not None else []
    replace(folder / JOURNAL, "".join([*lines, *(part.to_line() for part in parts)]))


def read_parts(folder: Path) -> list[Part]:
    """The parts the journal in `folder` lists."""
    return read_journal(folder).parts


def gaps(parts: list[Part], hold: int) -> list[tuple[int, int]]:
    """From and to of each stretch without media, in ticks; holes up to `hold` between parts are no gaps."""
    found: list[tuple[int, int]] = []
    at: int | None = None
    for part in parts:
        if not part.media:
            continue
        if at is not None and part.start - at > hold:
            found.append((at, part.start))
        at = part.end
    return found


def timed(track: TrackEntry, parts: list[Part]) -> TrackEntry:
    """The track with its times as its parts have them; its gaps also tell of losses that players see nothing of."""
    media = [part for part in parts if part.media]
    if not media:
        return track
    per_ms = track.timescale / 1000
    start, end = round(media[0].start / per_ms), round(media[-1].end / per_ms)
    holes = gaps(parts, round(HOLD_MS * per_ms))
    lost = [span for part in parts for span in part.lost]
    if track.kind == "audio":  # which is played through
        return dataclasses.replace(
            track, start_ms=start, duration_ms=end - start, gaps=_ms(holes, per_ms), silenced=_ms(lost, per_ms)
        )
    return dataclasses.replace(track, start_ms=start, duration_ms=end - start, gaps=_ms([*holes, *lost], per_ms))


def _ms(spans: list[tuple[int, int]], per_ms: float) -> list[list[int]]:
    """In milliseconds and in order, those that touch each other as one."""
    joined: list[list[int]] = []
    for start, end in sorted((round(a / per_ms), round(b / per_ms)) for a, b in spans):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return joined


def _owner_line(owner: Owner) -> str:
    return json.dumps(asdict(owner), ensure_ascii=False, separators=(",", ":")) + "\n"


def _owner(value: dict[str, Any]) -> Owner:
    owner = Owner(**{**value, "track": track_entry(value["track"])})
    if (type(owner.lesson_id), type(owner.epoch_us), type(owner.title)) != (str, int, str):
        raise ValueError("not an owner")
    return owner


def _part(value: dict[str, Any]) -> Part:
    part = Part(**value)
    if part.lost:
        part = dataclasses.replace(part, lost=tuple((start, end) for start, end in part.lost))
    numbers = (part.start, part.duration, part.offset, part.size, *(tick for span in part.lost for tick in span))
    words = (part.file, part.init, part.sha256, part.copy)
    if any(type(number) is not int or number < 0 for number in numbers) or any(type(word) is not str for word in words):
        raise ValueError("not a part")
    if "/" in part.file + part.init:
        raise ValueError("a part elsewhere")
    return part
