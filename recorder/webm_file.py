"""A track as one WebM file, of which parts are stretches; what its bytes mean is in webm.py.

Times in the file count from its first frame. It is written by appending a cluster about twice a second; at the end cues
are added and the header is completed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from recorder import webm
from recorder.formats import Format
from recorder.parts import Part
from recorder.writer import Journaled, append

WEBM_FILE = "video.webm"
CLUSTER_MS = 500  # as much as a crash may cost


class WebmWriter(Journaled):
    def __init__(self, folder: Path, timescale: int, parts: list[Part], on_part: Callable[[Part], None]) -> None:
        super().__init__(folder, parts, on_part)
        self._per_ms = timescale // 1000
        self._path = folder / WEBM_FILE
        self._zero = parts[0].start if parts else 0
        self._size = media_end(parts)
        self._cues: Part | None = None
        self._descriptor = -1
        self._hash = hashlib.sha256()
        self._offset = 0  # where the open part begins
        self._part_key = True
        self._end = 0
        self._written_end = 0
        self._times: list[int] = []
        self._frames: list[bytes] = []
        self._keys: list[bool] = []

    def set_format(self, format: Format) -> None:
        if self.format is None:
            self.format = format  # VP8 says each new size itself; the header keeps the first

    def add(self, start: int, duration: int, data: bytes, key: bool) -> None:
        if key and self._times:
            self.flush()  # so that a cluster begins with it, and the cues can name it
        if not self.parts:
            self._begin(start)
        if self.begun is None:
            self.begun, self._part_key, self._offset = start, key, self._size
        self._times.append((start - self._zero) // self._per_ms)
        self._frames.append(data)
        self._keys.append(key)
        self._end = start + duration
        if self._times[-1] - self._times[0] >= CLUSTER_MS:
            self.flush()

    def flush(self) -> None:
        if not self._times:
            return
        times, frames, keys = self._times, self._frames, self._keys
        self._times, self._frames, self._keys = [], [], []
        self._write(webm.cluster(times[0], times, frames, keys))
        self._written_end = self._end

    def finish(self) -> None:
        """Add the cues and complete the header."""
        self.cut()
        if not self.parts:
            return
        self._close()
        head = self.parts[0]
        with self._path.open("r+b") as file:
            width, height = webm.picture_size(file.read(head.size))
            file.truncate(self._size)
            index = webm.cues(
                [
                    ((part.start - self._zero) // self._per_ms, part.offset)
                    for part in self.parts
                    if part.media and part.key
                ]
            )
            file.seek(self._size)
            file.write(index)
            duration_ms = (max(part.end for part in self.parts) - self._zero) // self._per_ms
            header = webm.finished_header(width, height, self._size + len(index), self._size, duration_ms)
            file.seek(0)
            file.write(header)
        self.parts[0] = Part(head.start, 0, WEBM_FILE, "", 0, head.size, hashlib.sha256(header).hexdigest())
        self._cues = Part(head.start, 0, WEBM_FILE, "", self._size, len(index), hashlib.sha256(index).hexdigest())

    def reopen(self) -> None:
        """Take the cues off again, so that clusters can follow."""
        if not self.parts:
            return
        self._cues = None
        head = self.parts[0]
        with self._path.open("r+b") as file:
            width, height = webm.picture_size(file.read(head.size))
            file.truncate(self._size)
            file.seek(0)
            file.write(webm.header(width, height))

    def files(self) -> list[Part]:
        return [part for part in self.parts if not part.gap] + ([self._cues] if self._cues else [])

    def _completed(self, begun: int | None) -> Part | None:
        size = self._size - self._offset
        digest, self._hash = self._hash.hexdigest(), hashlib.sha256()
        if not size or begun is None:
            return None
        return Part(begun, self._written_end - begun, WEBM_FILE, "", self._offset, size, digest, self._part_key)

    def _begin(self, start: int) -> None:
        assert self.format is not None
        self._zero = start
        self._write(webm.header(self.format.width, self.format.height))
        self._enter(Part(start, 0, WEBM_FILE, "", 0, self._size, self._hash.hexdigest()))
        self._hash = hashlib.sha256()

    def _write(self, data: bytes) -> None:
        if self._descriptor < 0:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        append(self._descriptor, self._size, data)
        self._size += len(data)
        self._hash.update(data)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def media_end(parts: list[Part]) -> int:
    """Where a WebM file's clusters end, in bytes, as its parts have it."""
    return max((part.offset + part.size for part in parts), default=0)
