"""All open rooms of this process: opened when the first participant comes, back from their journals after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from signaling.bus import Bus
from signaling.events import Event, RecordingState
from signaling.grants import Verifier
from signaling.observers import LessonDirectory, LessonInfo, LivePublication, MediaWorker, RoomObserver
from signaling.workers import Workers

__all__ = ["LessonDirectory", "LessonInfo", "Limits", "LivePublication", "MediaWorker", "RoomObserver", "Rooms"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds, so that no lesson and no stranger can take what the others need."""

    rooms: int = 500
    participants: int = 500  # in one room, WHIP and WHEP sessions included


class Rooms:
    """The rooms. `secret` signs sessions: the same over restarts, else nobody can resume after one."""

    def __init__(
        self,
        *,
        bus: Bus,
        workers: Workers,
        directory: LessonDirectory,
        observers: Sequence[RoomObserver],
        verify: Verifier,
        secret: bytes,
        limits: Limits | None = None,
    ) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        """Bring back the rooms of the journals, then connect to the workers and adopt what they hold."""

    async def close(self) -> None:
        """End the sockets (1001); lessons stay resumable. Closing twice is harmless."""

    async def end(self, lesson_id: str) -> bool:
        """End the lesson for everyone, as the server; False if it has no room."""
        raise NotImplementedError

    async def events(self, lesson_id: str, after: int = 0) -> list[Event]:
        """The stored events with a greater `seq`; [] if the lesson has no room. For an observer that catches up."""
        raise NotImplementedError

    def set_recording(self, lesson_id: str, state: RecordingState, reason: str | None = None) -> None:
        """Tell the room the truth about its recording (PROTOCOL.md section 3, `recording`)."""
