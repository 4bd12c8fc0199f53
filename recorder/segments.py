"""A track as CMAF segments: `init-*.mp4` and `seg-*.m4s`, written by appending whole fragments about once a second."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from recorder import boxes
from recorder.formats import Format
from recorder.parts import Part
from recorder.writer import Journaled, append


class SegmentWriter(Journaled):
    def __init__(self, folder: Path, timescale: int, parts: list[Part], on_part: Callable[[Part], None]) -> None:
        super().__init__(folder, parts, on_part)
        self._timescale = timescale
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
            head = Part(0, 0, name, name, 0, len(data), hashlib.sha256(data).hexdigest())
        self.format, self._init = format, head.file
        self._enter(head)  # so that after a crash we know which one an unfinished segment needs

    def add(self, start: int, duration: int, data: bytes, key: bool) -> None:
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
        if self._end - self._start >= self._timescale:
            self.flush()

    def flush(self) -> None:
        if not self._durations:
            return
        self._fragment_number += 1
        all_keys = boxes.DELTA_FLAGS not in self._flags
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
        self._size += len(data)
        self._hash.update(data)
        self._written_end = self._end

    def finish(self) -> None:
        self.cut()

    def files(self) -> list[Part]:
        return list({part.file: part for part in self.parts if not part.gap}.values())

    def reopen(self) -> None:
        pass

    def _completed(self, begun: int | None) -> Part | None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        size, self._size = self._size, 0
        digest, self._hash = self._hash.hexdigest(), hashlib.sha256()
        if not size or begun is None:
            return None
        name = f"seg-{self._number - 1:05}.m4s"
        return Part(begun, self._written_end - begun, name, self._init, 0, size, digest, self._part_key)


def _write_file(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError:
        path.unlink(missing_ok=True)
        raise
