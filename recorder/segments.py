"""A track as CMAF segments: `init-*.mp4` and `seg-*.m4s`, written by appending whole fragments about twice a second.

While someone watches by HTTP each fragment is told at once, and its length keeps to what RFC 8216bis wants of partial
segments; where frames are too long or too uneven for that, the segment ends early, for its last one may be short.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from recorder import boxes
from recorder.formats import Format
from recorder.parts import Chunk, Part, init_part
from recorder.playlists import CHUNK_LEAST, CHUNK_TARGET_S
from recorder.writer import Journaled, append

FRAGMENT_S = 0.5  # while nobody watches; 0.03 ms more CPU per lesson second than fragments of a second


class SegmentWriter(Journaled):
    def __init__(self, folder: Path, timescale: int, parts: list[Part], on_part: Callable[[Part], None]) -> None:
        super().__init__(folder, parts, on_part)
        self._timescale = timescale
        self._longest_chunk = int(CHUNK_TARGET_S * timescale)
        self._shortest_chunk = int(CHUNK_TARGET_S * CHUNK_LEAST * timescale) + 1
        self._on_chunk: Callable[[Part], None] | None = None  # while someone watches
        self._chunks: list[Chunk] = []  # of the open segment
        self._whole = False  # the open segment is to be listed as one piece
        self._rested = -1  # the fragment number when we were last told that a second has passed
        self._init = ""
        self._number = 1 + max((int(part.file[4:-4]) for part in parts if part.media), default=0)
        self._fragment_number = len(parts) * 64  # only has to grow
        self._descriptor = -1
        self._size = 0
        self._hash = hashlib.sha256()
        self._part_key = True
        self._end = 0  # of the last sample taken
        self._written_end = 0  # of the last sample on disk
        self._start = 0  # of the samples in memory
        self._durations: list[int] = []
        self._sizes: list[int] = []
        self._flags: list[int] = []
        self._media: list[bytes] = []

    def set_format(self, format: Format) -> None:
        if format == self.format:
            return
        self.cut()
        data = boxes.init_segment(format.entry, self._timescale, format.width, format.height)
        # A camera that lowers its resolution under load comes back to it: the same bytes are the same file.
        known = {part.file: part for part in self.parts if part.file and part.file == part.init}
        head = next((part for part in known.values() if (self.folder / part.file).read_bytes() == data), None)
        if head is None:
            name = f"init-{len(known) + 1}.mp4"
            _write_file(self.folder / name, data)
            head = init_part(name, data, hashlib.sha256(data).hexdigest())
        self.format, self._init = format, head.file
        self._enter(head)  # so that after a crash we know which one an unfinished segment needs

    def watch(self, on_chunk: Callable[[Part], None] | None) -> None:
        """From now on tell the open part with each fragment; None: nobody wants to know. Raises OSError."""
        if (on_chunk is None) != (self._on_chunk is None):
            self.cut()  # its fragments are not such as players may have them
        self._on_chunk = on_chunk

    def add(self, start: int, duration: int, data: bytes, key: bool) -> None:
        if self._on_chunk is not None:
            self._fit(start, duration)
        durations = self._durations
        if durations:
            if start != self._end:
                self.flush()
                self._start = start
        else:
            self._start = start
            if self.begun is None:
                self.begun, self._part_key = start, key
        durations.append(duration)
        self._sizes.append(len(data))
        self._flags.append(boxes.KEY_FLAGS if key else boxes.DELTA_FLAGS)
        self._media.append(data)
        self._end = start + duration
        length = self._end - self._start
        # Half a second is all a crash may cost; players that are told of fragments want them as near to one as it gets.
        whole = FRAGMENT_S if self._on_chunk is None else 1
        if 2 * length + duration >= 2 * whole * self._timescale and (
            self._on_chunk is None or length >= self._shortest_chunk
        ):
            self.flush()

    def rest(self) -> None:
        if self._durations and self._rested == self._fragment_number:
            # Nothing has come for a while to complete the fragment.
            if self._on_chunk is None:
                self.flush()
            else:
                self.cut()
        self._rested = self._fragment_number

    def flush(self) -> None:
        if not self._durations:
            return
        self._fragment_number += 1
        all_keys = boxes.DELTA_FLAGS not in self._flags
        key, duration = self._flags[0] == boxes.KEY_FLAGS, self._end - self._start
        data = boxes.fragment(
            self._fragment_number,
            self._start,
            self._durations,
            self._sizes,
            () if all_keys else self._flags,
            b"".join(self._media),
        )
        # Emptied first: what cannot be written is lost, and must not be tried again with each packet.
        self._durations, self._sizes, self._flags, self._media = [], [], [], []
        if self._descriptor < 0:
            path = self.folder / f"seg-{self._number:05}.m4s"
            self._number += 1
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        append(self._descriptor, self._size, data)
        offset = self._size
        self._size += len(data)
        self._hash.update(data)
        self._written_end = self._end
        if self._on_chunk is not None:
            self._chunks.append(Chunk(duration, offset, len(data), key))
            if not self._whole and self.begun is not None:
                self._on_chunk(self._part(self.begun, ""))

    def finish(self) -> None:
        self.cut()

    def files(self) -> list[Part]:
        return list({part.file: part for part in self.parts if not part.gap}.values())

    def reopen(self) -> None:
        pass

    def _fit(self, start: int, duration: int) -> None:
        """End what the next sample must not become a part of."""
        length = self._end - self._start if self._durations else 0
        if self._whole:
            self.cut()
        elif length and (start != self._end or length + duration > self._longest_chunk):
            if start == self._end and length >= self._shortest_chunk:
                self.flush()
            else:
                self.cut()
        if duration > self._longest_chunk:
            self.cut()
            self._whole = True

    def _part(self, begun: int, digest: str) -> Part:
        """What is written of the open segment."""
        name = f"seg-{self._number - 1:05}.m4s"
        chunks = () if self._whole else tuple(self._chunks)
        return Part(begun, self._written_end - begun, name, self._init, 0, self._size, digest, self._part_key, chunks)

    def _completed(self, begun: int | None) -> Part | None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        part = self._part(begun, self._hash.hexdigest()) if self._size and begun is not None else None
        self._size, self._hash = 0, hashlib.sha256()
        self._chunks, self._whole = [], False
        return part


def _write_file(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError:
        path.unlink(missing_ok=True)
        raise
