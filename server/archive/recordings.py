"""The recordings of this node: where they lie and what can be said of them. Reads files, in threads."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from recorder.describe import NoRecordingError, describe
from recorder.places.place import Place, SignedURL, StoredFile, is_lesson_id
from recorder.places.stored import StorePlace
from recorder.places.uploader import Status, read_status
from recorder.rebuild import known_manifest
from server.lessons.api import RecordingWord

_log = logging.getLogger("tongke.archive")


class Recordings:
    """The archive folder, one folder per lesson in it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._archive = place.folder.absolute()
        self._ready: set[str] = set()  # a finished recording stays one; its manifest need not be read again

    def folder(self, lesson_id: str) -> Path | None:
        """Where a lesson's recording lies, or None if the id cannot be one."""
        return self._archive / lesson_id if is_lesson_id(lesson_id) else None

    async def words(self, lesson_ids: Iterable[str]) -> dict[str, RecordingWord]:
        """For each lesson whether it is recorded, being recorded, or not."""
        return await asyncio.to_thread(lambda: {lesson_id: self.word(lesson_id) for lesson_id in lesson_ids})

    def word(self, lesson_id: str) -> RecordingWord:
        """The same for one lesson; reads its manifest until it is ready."""
        if lesson_id in self._ready:
            return "ready"
        folder = self.folder(lesson_id)
        if folder is None:
            return "none"
        try:
            status = known_manifest(folder).status
        except FileNotFoundError:
            return "none"
        except OSError:
            return "damaged"
        if status == "ready":
            self._ready.add(lesson_id)
        return status

    @property
    def free_bytes(self) -> int:
        """What the archive's disk still takes; 0 while it cannot be told, as before its folder is there."""
        try:
            return shutil.disk_usage(self._archive).free
        except OSError:
            return 0

    def forget(self, lesson_id: str) -> None:
        """The recording has been deleted."""
        self._ready.discard(lesson_id)

    async def describe(self, lesson_id: str) -> dict[str, Any] | None:
        """The recording in the words of the outside contract; None if there is none."""
        folder = self.folder(lesson_id)
        if folder is None:
            return None
        try:
            return await asyncio.to_thread(describe, folder)
        except NoRecordingError:
            return None
        except OSError as error:
            _log.error("a recording cannot be read: %s", error, extra={"lesson_id": lesson_id})
            return {"status": "damaged", "duration_ms": 0, "epoch_ms": 0, "derived": {}, "tracks": []}

    def file(self, lesson_id: str, path: str) -> Path | SignedURL | StoredFile | None:
        """A file of a recording, or None for whatever is none: outside its folder, hidden, not there.

        Raises PlaceError when only the store has it and that does not answer.
        """
        return self._place.file(lesson_id, path)

    def uploads(self) -> Status | None:
        """How the queue of what goes to the store stands; None where there is no store. Reads a file."""
        return read_status(self._archive) if isinstance(self._place, StorePlace) else None
