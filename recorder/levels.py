"""`levels.bin`: who spoke when. One byte per 20 ms of a microphone's track, from its beginning on, as RFC 6464 has it.

The upper bit says whether the sender heard a voice, the others how far the sound is below full scale in dB.
"""

from __future__ import annotations

from pathlib import Path

LEVELS = "levels.bin"
SILENT = 127  # no voice, -127 dB
SLOT = 960  # ticks of 48 kHz


class LevelLog:
    """Kept in step with the track's samples: it is padded or cut to `until` when begun."""

    def __init__(self, path: Path, start: int, until: int) -> None:
        """`start` is where the track begins, `until` how far it is written, in ticks. Raises OSError."""
        self._path = path
        self._start = start
        self._fresh = bytearray()
        self._count = (until - start) // SLOT  # slots, those in memory included
        if path.exists():
            with path.open("r+b") as file:
                there = len(file.read())
                file.truncate(min(there, self._count))
                self._fresh += bytes([SILENT]) * (self._count - there)
        else:
            self._fresh += bytes([SILENT]) * self._count

    def add(self, end: int, level: int) -> None:
        """Sound of this level reaches up to `end`; gaps before it were silent."""
        slots = (end - self._start) // SLOT - self._count
        if slots > 0:
            self._count += slots
            if slots > 6:  # longer than any packet: a gap came before
                self._fresh += bytes([SILENT]) * (slots - 1)
                slots = 1
            self._fresh += bytes([level]) * slots

    def flush(self) -> None:
        """Put on disk what is in memory. Raises OSError."""
        if self._fresh:
            fresh, self._fresh = self._fresh, bytearray()
            with self._path.open("ab") as file:
                file.write(fresh)
