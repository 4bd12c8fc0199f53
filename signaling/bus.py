"""Where the logs of rooms live.

A lesson's log holds its public events and, between them, notes of the server's own: with which clock and title the
room was opened, which transport is whose. One process writes a log; whoever comes after it reads it and goes on.
bus_memory.py keeps logs in this process and a folder; every implementation passes tests/signaling/test_bus.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from media.messages import Direction
from signaling.events import Event, RecordingPolicy

Door = Literal["socket", "whip", "whep"]


@dataclass(frozen=True, slots=True)
class Opened:
    """The first entry of every log."""

    epoch_us: int  # the lesson clock's zero, microseconds since 1970
    title: str
    recording_policy: RecordingPolicy = "consented"  # logs of before there were policies lack it


@dataclass(frozen=True, slots=True)
class TransportNote:
    """A participant's transport at a media worker; the last note of a participant and direction holds."""

    transport_id: str
    participant_id: str
    direction: Direction
    door: Door
    generation: int  # of the peer connection, as the browser counts
    ice_generation: int  # restarts of ICE by PATCH, and so the ETag
    open: bool


Entry = Opened | TransportNote | Event


class Bus(Protocol):
    """Logs by lesson. Entries come back in the order they went in."""

    async def lessons(self) -> list[str]:
        """The lessons that have a log."""

    async def read(self, lesson_id: str) -> list[Entry]:
        """A log from its beginning; [] if there is none. A log a crash cut short is read up to the cut."""

    async def append(self, lesson_id: str, entries: Sequence[Entry]) -> None:
        """Add entries. When it returns they outlive this process, or, if storage fails, are held until it works again:
        a full disk must not end a lesson."""

    async def release(self, lesson_id: str) -> None:
        """This process needs the log no longer; it stays."""

    async def remove(self, lesson_id: str) -> None:
        """The log is not needed any more. Removing twice is harmless."""

    async def close(self) -> None:
        """Let go of everything. Closing twice is harmless."""


def events_of(entries: Sequence[Entry], after: int = 0) -> list[Event]:
    """The events among the entries with a greater `seq`."""
    return [entry for entry in entries if isinstance(entry, Event) and entry.seq > after]
