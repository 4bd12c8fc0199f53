"""Photos of pupils' work, by lesson: files in the data folder, made anew before they are kept.

What becomes of them with time: those of a class that is not recorded go when the lesson is over, all others with the
lesson.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from server.phones.pictures import made_anew
from server.recording_policy import may_record
from signaling.events import Event, Photo, Planned, RecordingPolicy
from signaling.observers import LivePublication, MediaWorker
from signaling.state import RoomState

WORKING = 2  # pictures made anew at once; each may take a second and 200 MB

_LESSON = re.compile(r"[A-Za-z0-9_-]{1,16}")
_PHOTO = re.compile(r"[A-Za-z0-9_-]{22}")

_log = logging.getLogger("tongke.phones")


class Photos:
    """The files, and a RoomObserver that takes away what may not stay."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._working = asyncio.Semaphore(WORKING)
        self._policies: dict[str, RecordingPolicy] = {}
        self._events: Callable[[str], Awaitable[list[Event]]] | None = None

    def attach(self, events: Callable[[str], Awaitable[list[Event]]]) -> None:
        """Rooms need their observers first, so what their logs say comes afterwards."""
        self._events = events

    async def keep(self, lesson_id: str, data: bytes) -> str:
        """Make a picture anew and keep it: its id, which nobody guesses. Raises as `made_anew` does, and OSError."""
        async with self._working:
            picture = await asyncio.to_thread(made_anew, data)
        photo_id = secrets.token_urlsafe(16)
        path = self._path(lesson_id, photo_id)
        assert path is not None
        await asyncio.to_thread(_write, path, picture)
        return photo_id

    def find(self, lesson_id: str, photo_id: str) -> Path | None:
        """Where a photo is, if there is one."""
        path = self._path(lesson_id, photo_id)
        return path if path is not None and path.is_file() else None

    def remove(self, lesson_id: str, photo_id: str) -> None:
        if (path := self._path(lesson_id, photo_id)) is not None:
            path.unlink(missing_ok=True)

    def delete(self, lesson_id: str) -> None:
        """All of a lesson. Raises OSError."""
        if _LESSON.fullmatch(lesson_id):
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(self._folder / lesson_id)

    def _path(self, lesson_id: str, photo_id: str) -> Path | None:
        if not _LESSON.fullmatch(lesson_id) or not _PHOTO.fullmatch(photo_id):
            return None
        return self._folder / lesson_id / f"{photo_id}.jpg"

    # ── what rooms tell ───────────────────────────────────────────────────────────────────────────────────────────

    def room_opened(self, lesson_id: str, epoch_us: int, title: str, policy: RecordingPolicy) -> None:
        self._policies[lesson_id] = policy

    def event_stored(self, lesson_id: str, event: Event) -> None:
        if isinstance(event.payload, Planned):
            self._policies[lesson_id] = event.payload.recording_policy

    def publication_added(self, lesson_id: str, publication: LivePublication, worker: MediaWorker) -> None: ...

    def publication_removed(self, lesson_id: str, publication_id: str, worker: MediaWorker) -> None: ...

    async def room_ended(self, lesson_id: str) -> None:
        if self._events is not None and (self._folder / lesson_id).is_dir():
            kept = allowed(await self._events(lesson_id), self._policies.get(lesson_id, "nothing"))
            await asyncio.to_thread(self._remove_all_but, lesson_id, kept)
        self._policies.pop(lesson_id, None)

    def _remove_all_but(self, lesson_id: str, kept: set[str]) -> None:
        for path in (self._folder / lesson_id).iterdir():
            if path.stem not in kept:
                path.unlink(missing_ok=True)


def allowed(events: list[Event], policy: RecordingPolicy) -> set[str]:
    """The photos that may stay after the lesson: of classes that were recorded when they sent them."""
    state, kept = RoomState(), set[str]()
    for event in events:
        state.apply(event)
        if isinstance(event.payload, Photo) and state.recording != "paused":
            sender = state.participants.get(event.payload.participant_id)
            if sender is not None and may_record(policy, sender):
                kept.add(event.payload.photo_id)
    return kept


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)
