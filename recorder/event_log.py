"""`events.jsonl`: a lesson's event log beside its media, one JSON object a line, each with a growing `seq`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from recorder.files import replace

EVENTS = "events.jsonl"


class EventError(ValueError):
    """An event that is no JSON object with a seq."""


class EventLog:
    def __init__(self, path: Path) -> None:
        """The log at `path`, which `repair.py` has left whole. Raises OSError and EventError."""
        self._path = path
        self.last_seq = _last_seq(path)  # 0 while it is empty

    def append(self, lines: Iterable[str]) -> int:
        """Add what the log lacks; gives the last seq. Raises EventError (nothing is added) and OSError."""
        fresh, last = [], self.last_seq
        for line in lines:
            seq = seq_of(line)
            if seq > last:
                # As one line, whatever the sender's white space.
                fresh.append(json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":")))
                last = seq
        if fresh:
            size = self._path.stat().st_size if self._path.exists() else 0
            try:
                with self._path.open("ab") as log:
                    log.write(("\n".join(fresh) + "\n").encode())
            except OSError:
                with self._path.open("r+b") as log:
                    log.truncate(size)
                raise
            self.last_seq = last
        return last


def seq_of(line: str) -> int:
    """The seq of an event. Raises EventError."""
    try:
        seq = json.loads(line)["seq"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise EventError(f"not an event: {line[:100]}") from error
    if type(seq) is not int:
        raise EventError(f"an event whose seq is no number: {line[:100]}")
    return seq


def whole_events(path: Path) -> int:
    """Leave out of a log the lines that are no events, as a broken disk makes them; gives how many. Raises OSError."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return 0
    good = [line for line in lines if _is_event(line)]
    if len(good) < len(lines):
        replace(path, b"".join(good).decode())
    return len(lines) - len(good)


def _is_event(line: bytes) -> bool:
    try:
        seq_of(line.decode())
    except ValueError:
        return False
    return True


def _last_seq(path: Path) -> int:
    """The seq of a log's last line, 0 for none."""
    try:
        with path.open("rb") as log:
            log.seek(0, 2)
            size = log.tell()
            log.seek(max(0, size - 1024 * 1024))  # no event is longer
            lines = log.read().splitlines()
    except FileNotFoundError:
        return 0
    return seq_of(lines[-1].decode()) if lines else 0
