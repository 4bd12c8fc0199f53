"""Where a track's samples go: what every writer does, and the journal of parts that they share.

A writer takes samples in order and knows nothing of packets or clocks. What it has written when the process dies is
whole up to the last fragment; `repair.py` finds it again. An OSError leaves the file as it was before the write.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from recorder.formats import Format
from recorder.parts import JOURNAL, Part


class Writer(Protocol):
    """CMAF segments (segments.py) or one WebM file (webm_file.py). Times are ticks of the lesson clock."""

    parts: list[Part]
    begun: int | None  # start of the open part, None between parts
    format: Format | None  # of what was added last

    def set_format(self, format: Format) -> None:
        """What follows needs this format; ends the open part if that is another one."""

    def add(self, start: int, duration: int, data: bytes, key: bool) -> None:
        """The next sample. Raises OSError, as all the others do."""

    def flush(self) -> None:
        """Put on disk what is in memory."""

    def rest(self) -> None:
        """About a second has passed: nothing must stay in memory for long."""

    def cut(self) -> None:
        """End the open part: it enters the journal."""

    def gap(self, start: int, end: int, longest: int) -> None:
        """No media from `start` to `end`, in parts of at most `longest`."""

    def lost(self, start: int, end: int) -> None:
        """From `start` to `end` what is added stands for what never came: the part that has it will say so."""

    def finish(self) -> None:
        """The lesson is over."""

    def files(self) -> list[Part]:
        """All that is on disk and finished, with its hash."""

    def reopen(self) -> None:
        """It is not over after all."""


class Journaled:
    """The parts, in memory and in their journal: what both kinds of writer share."""

    def __init__(self, folder: Path, parts: list[Part], on_part: Callable[[Part], None]) -> None:
        self.folder = folder
        self.parts = parts
        self.begun: int | None = None
        self.format: Format | None = None
        self._on_part = on_part
        self._lost: list[tuple[int, int]] = []  # not told of by a part yet

    def gap(self, start: int, end: int, longest: int) -> None:
        while start < end:
            duration = min(longest, end - start)
            self._enter(Part(start, duration))
            start += duration

    def lost(self, start: int, end: int) -> None:
        if self._lost and start <= self._lost[-1][1]:
            start = self._lost.pop()[0]
        self._lost.append((start, end))

    def flush(self) -> None:
        raise NotImplementedError

    def rest(self) -> None:
        self.flush()

    def cut(self) -> None:
        failed: OSError | None = None
        try:
            self.flush()
        except OSError as error:
            failed = error
        begun, self.begun = self.begun, None
        part = self._completed(begun)
        if part is not None:
            self._enter(replace(part, lost=self._take_lost(part)) if self._lost else part)
        if failed:
            raise failed

    def _take_lost(self, part: Part) -> tuple[tuple[int, int], ...]:
        """What is lost within a part; what is lost later is for the next ones."""
        inside = [(max(a, part.start), min(b, part.end)) for a, b in self._lost]
        self._lost = [(max(a, part.end), b) for a, b in self._lost if b > part.end]
        return tuple((a, b) for a, b in inside if a < b)

    def _enter(self, part: Part) -> None:
        self.parts.append(replace(part, chunks=()) if part.chunks else part)  # nobody asks for them afterwards
        try:
            with (self.folder / JOURNAL).open("a") as journal:
                journal.write(part.to_line())
        finally:
            self._on_part(part)

    def _completed(self, begun: int | None) -> Part | None:
        """The part that was open since `begun`, if anything of it is on disk; the next one begins anew."""
        raise NotImplementedError


def append(descriptor: int, size: int, data: bytes) -> None:
    """Write all of `data` at the end of a file of `size` bytes, or leave it as it was. Raises OSError."""
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise
