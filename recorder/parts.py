"""The parts of a track: what `tracks/<folder>/parts.jsonl` says, one line per finished segment or gap.

This journal is the truth the playlists are drawn from: appended to as parts end, read again after a crash, and read by
whoever describes a recording in mid-lesson. Times are ticks of the track's timescale on the lesson clock.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JOURNAL = "parts.jsonl"


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

    @property
    def end(self) -> int:
        return self.start + self.duration

    @property
    def media(self) -> bool:
        return bool(self.file) and self.duration > 0

    @property
    def gap(self) -> bool:
        return not self.file

    def to_line(self) -> str:
        """The part as a line of the journal, newline included; defaults are left out."""
        value: dict[str, Any] = {"start": self.start, "duration": self.duration}
        if not self.gap:
            value |= {"file": self.file, "size": self.size, "sha256": self.sha256}
            value |= {"init": self.init} if self.init else {}
            value |= {"offset": self.offset} if self.offset else {}
            value |= {} if self.key else {"key": False}
        return json.dumps(value, separators=(",", ":")) + "\n"


def read_parts(folder: Path) -> list[Part]:
    """The parts the journal in `folder` lists. A torn last line, as a crash leaves it, is passed over."""
    try:
        text = (folder / JOURNAL).read_text()
    except FileNotFoundError:
        return []
    parts = []
    for line in text.split("\n")[:-1]:
        try:
            parts.append(Part(**json.loads(line)))
        except (TypeError, ValueError):
            continue
    return parts


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
