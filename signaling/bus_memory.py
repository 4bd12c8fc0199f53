"""The bus of one process: logs in memory, and in a folder so that the next process goes on where a killed one stopped.

A log is a file of JSON lines, `<folder>/<lesson_id>.jsonl`. A line is handed to the kernel before it is sent to
anybody, which outlives the process though not a power cut; the archive's copy, which is synced every second, does that.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from signaling.bus import Entry, Opened, TransportNote
from signaling.events import Event, EventError

log = logging.getLogger(__name__)

_LESSON_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOTES: dict[str, TypeAdapter[Opened] | TypeAdapter[TransportNote]] = {
    "opened": TypeAdapter(Opened),
    "transport": TypeAdapter(TransportNote),
}


class MemoryBus:
    """`folder` None: nothing outlives the process."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._logs: dict[str, _Log] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    async def lessons(self) -> list[str]:
        found = set(self._logs)
        if self._folder is not None:
            found |= {path.stem for path in self._folder.glob("*.jsonl")}
        return sorted(lesson_id for lesson_id in found if _LESSON_ID.fullmatch(lesson_id))

    async def read(self, lesson_id: str) -> list[Entry]:
        known = self._logs.get(lesson_id)
        return list(known.entries) if known is not None else _Log(self._path(lesson_id)).entries

    async def append(self, lesson_id: str, entries: Sequence[Entry]) -> None:
        self._log(lesson_id).append(entries)

    async def release(self, lesson_id: str) -> None:
        if self._folder is not None and (known := self._logs.pop(lesson_id, None)) is not None:
            known.close()

    async def remove(self, lesson_id: str) -> None:
        known = self._log(lesson_id)
        del self._logs[lesson_id]
        known.close()
        if known.path is not None:
            known.path.unlink(missing_ok=True)

    async def close(self) -> None:
        for lesson_id in list(self._logs):
            await self.release(lesson_id)

    def _log(self, lesson_id: str) -> _Log:
        known = self._logs.get(lesson_id)
        if known is None:
            known = self._logs[lesson_id] = _Log(self._path(lesson_id))
        return known

    def _path(self, lesson_id: str) -> Path | None:
        if not _LESSON_ID.fullmatch(lesson_id):
            raise ValueError("a lesson id that is no file name")
        return None if self._folder is None else self._folder / f"{lesson_id}.jsonl"


class _Log:
    """One lesson's entries and its file, which may lag behind while the disk refuses."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self._written = 0  # entries in the file
        self._size = 0  # bytes of whole lines in the file
        self._file: int | None = None
        self._failing = False
        if path is not None and path.exists():
            self.entries, self._size = _read(path)
            self._written = len(self.entries)

    def append(self, entries: Sequence[Entry]) -> None:
        self.entries += entries
        if self.path is None:
            return
        data = b"".join(_line(entry) for entry in self.entries[self._written :])
        try:
            if self._file is None:
                self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            # What a crash or a full disk left of a line is cut off before the next is written.
            os.ftruncate(self._file, self._size)
            if os.pwrite(self._file, data, self._size) != len(data):
                raise OSError("the disk took only a part")
        except OSError as error:
            if not self._failing:
                log.warning("the log of a room cannot be written, the lesson goes on: %s", error)
            self._failing = True
        else:
            self._failing = False
            self._size += len(data)
            self._written = len(self.entries)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _line(entry: Entry) -> bytes:
    if isinstance(entry, Event):
        value = {"entry": "event", **entry.to_wire()}
    else:
        value = {"entry": "opened" if isinstance(entry, Opened) else "transport", **asdict(entry)}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _read(path: Path) -> tuple[list[Entry], int]:
    """The entries up to the first line that is none, and their bytes."""
    data = path.read_bytes()
    entries: list[Entry] = []
    size = seq = 0
    for line in data.splitlines(keepends=True):
        try:
            if not line.endswith(b"\n"):
                raise EventError("half a line")
            entry = _parse(json.loads(line))
            if isinstance(entry, Event):
                if entry.seq != seq + 1:
                    raise EventError(f"event {entry.seq} after {seq}")
                seq = entry.seq
        except (EventError, ValidationError, ValueError, TypeError, KeyError) as error:
            log.warning(
                "the log of a room ends in a broken line, %d bytes are passed over: %s", len(data) - size, error
            )
            break
        entries.append(entry)
        size += len(line)
    return entries, size


def _parse(value: dict[str, Any]) -> Entry:
    kind = value.pop("entry")
    return Event.from_wire(value) if kind == "event" else _NOTES[kind].validate_python(value)
