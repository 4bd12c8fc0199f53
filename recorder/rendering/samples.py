"""A recorded track read back: its samples in order, on the lesson clock, as its journal of parts lists them.

Read straight from the files we wrote ourselves: no probing, any part at once, and a part that is missing or torn costs
itself and nothing else.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recorder import boxes, webm
from recorder.manifest import TrackEntry
from recorder.parts import Part, read_parts


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame or a packet of sound as it was sent; for H.264 each NAL unit has its length before it."""

    start: int  # ticks of its track since the lesson clock's zero
    duration: int  # ticks; 0 in WebM, which does not say
    key: bool
    init: str  # the initialisation segment its decoder needs, in the track's folder; empty in WebM
    data: bytes


class Samples:
    """Iterate over it for all samples, or over `since` for those from some part on."""

    def __init__(self, folder: Path, entry: TrackEntry) -> None:
        """A track of the lesson in `folder`. Raises OSError when its journal cannot be read."""
        self.entry = entry
        self.folder = folder / "tracks" / entry.folder
        parts = read_parts(self.folder)
        self.parts = [part for part in parts if part.media]
        self._starts = [part.start for part in self.parts]
        self._zero = next((part.start for part in parts if part.file and not part.media), 0)

    def __iter__(self) -> Iterator[Sample]:
        return self.since(0)

    def since(self, number: int) -> Iterator[Sample]:
        """The samples of part `number` and all that follow. Files that are not there are passed over."""
        for part in self.parts[number:]:
            try:
                yield from self.of(part)
            except FileNotFoundError:
                continue

    def number_at(self, ticks: int) -> int:
        """The last part that begins with a key frame at this time or before; 0 if there is none."""
        number = bisect.bisect_right(self._starts, ticks) - 1
        while number > 0 and not self.parts[number].key:
            number -= 1
        return max(0, number)

    def extradata(self, init: str) -> bytes:
        """What an initialisation segment tells the decoder: the contents of avcC. Raises OSError."""
        head = (self.folder / init).read_bytes()
        at = head.find(b"avcC")
        return head[at + 4 : at - 4 + int.from_bytes(head[at - 4 : at], "big")] if at >= 0 else b""

    def of(self, part: Part) -> Iterator[Sample]:
        """The samples of one part. Raises OSError."""
        if part.init:
            data = (self.folder / part.file).read_bytes()
            for span in boxes.samples(data):
                media = data[span.offset : span.offset + span.size]
                yield Sample(span.start, span.duration, span.key, part.init, media)
            return
        with (self.folder / part.file).open("rb") as file:
            file.seek(part.offset)
            data = file.read(part.size)
        per_ms = self.entry.timescale // 1000
        for cluster in webm.clusters(data, 0):
            for block in webm.blocks(data, cluster):
                media = data[block.offset : block.offset + block.size]
                yield Sample(self._zero + block.at_ms * per_ms, 0, block.key, "", media)
