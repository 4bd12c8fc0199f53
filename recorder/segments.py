"""A track's files on disk: CMAF segments, or one WebM file. Written by appending whole fragments about once a second.

A writer takes samples in order and knows nothing of packets or clocks. What it has written when the process dies is
whole up to the last fragment; `repair.py` finds it again. An OSError leaves the file as it was before the write.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from recorder import boxes, webm
from recorder.formats import Format
from recorder.parts import JOURNAL, Part

WEBM_FILE = "video.webm"


class Writer(Protocol):
    """Where a track's samples go. Times are ticks of the lesson clock."""

    parts: list[Part]
    begun: int | None  # start of the open part, None between parts
    format: Format | None  # of what was added last

    def set_format(self, format: Format) -> None:
        """What follows needs this format; ends the open part if that is another one."""

    def add(self, start: int, duration: int, data: bytes, key: bool) -> None:
        """The next sample. Raises OSError, as all the others do."""

    def flush(self) -> None:
        """Put on disk what is in memory."""

    def cut(self) -> None:
        """End the open part: it enters the journal."""

    def gap(self, start: int, end: int, longest: int) -> None:
        """No media from `start` to `end`, in parts of at most `longest`."""

    def finish(self) -> None:
        """The lesson is over."""

    def files(self) -> list[Part]:
        """All that is on disk and finished, with its hash."""

    def reopen(self) -> None:
        """It is not over after all."""


class _Journaled:
    """The parts, in memory and in their journal."""

    def __init__(self, folder: Path, parts: list[Part], on_part: Callable[[Part], None]) -> None:
        self.folder = folder
        self.parts = parts
        self.begun: int | None = None
        self.format: Format | None = None
        self._on_part = on_part

    def _enter(self, part: Part) -> None:
        self.parts.append(part)
        try:
            with (self.folder / JOURNAL).open("a") as journal:
                journal.write(part.to_line())
        finally:
            self._on_part(part)

    def gap(self, start: int, end: int, longest: int) -> None:
        while start < end:
            duration = min(longest, end - start)
            self._enter(Part(start, duration))
            start += duration


class SegmentWriter(_Journaled):
    """CMAF: `init-*.mp4` and `seg-*.m4s`, one fragment a second."""

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
        _append(self._descriptor, self._size, data)
        self._size += len(data)
        self._hash.update(data)
        self._written_end = self._end

    def cut(self) -> None:
        failed: OSError | None = None
        try:
            self.flush()
        except OSError as error:
            failed = error
        begun, self.begun = self.begun, None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        size, self._size = self._size, 0
        digest, self._hash = self._hash.hexdigest(), hashlib.sha256()
        if size and begun is not None:
            name = f"seg-{self._number - 1:05}.m4s"
            self._enter(Part(begun, self._written_end - begun, name, self._init, 0, size, digest, self._part_key))
        if failed:
            raise failed

    def finish(self) -> None:
        self.cut()

    def files(self) -> list[Part]:
        return list({part.file: part for part in self.parts if not part.gap}.values())

    def reopen(self) -> None:
        pass


class WebmWriter(_Journaled):
    """WebM: one file for the whole track; parts are stretches of it. Times in the file count from its first frame."""

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
        if self._times[-1] - self._times[0] >= 1000:
            self.flush()

    def flush(self) -> None:
        if not self._times:
            return
        times, frames, keys = self._times, self._frames, self._keys
        self._times, self._frames, self._keys = [], [], []
        self._write(webm.cluster(times[0], times, frames, keys))
        self._written_end = self._end

    def cut(self) -> None:
        failed: OSError | None = None
        try:
            self.flush()
        except OSError as error:
            failed = error
        begun, self.begun = self.begun, None
        size = self._size - self._offset
        digest, self._hash = self._hash.hexdigest(), hashlib.sha256()
        if begun is not None and size:
            self._enter(
                Part(begun, self._written_end - begun, WEBM_FILE, "", self._offset, size, digest, self._part_key)
            )
        if failed:
            raise failed

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

    def _begin(self, start: int) -> None:
        assert self.format is not None
        self._zero = start
        self._write(webm.header(self.format.width, self.format.height))
        self._enter(Part(start, 0, WEBM_FILE, "", 0, self._size, self._hash.hexdigest()))
        self._hash = hashlib.sha256()

    def _write(self, data: bytes) -> None:
        if self._descriptor < 0:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        _append(self._descriptor, self._size, data)
        self._size += len(data)
        self._hash.update(data)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def media_end(parts: list[Part]) -> int:
    """Where a WebM file's clusters end, in bytes, as its parts have it."""
    return max((part.offset + part.size for part in parts), default=0)


def _append(descriptor: int, size: int, data: bytes) -> None:
    """Write all of `data` at the end of a file of `size` bytes, or leave it as it was. Raises OSError."""
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise


def _write_file(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError:
        path.unlink(missing_ok=True)
        raise
