"""The handouts of lessons: files in the data folder, a folder for each lesson.

A handout is two files, its content and a note that says what it is called; the note is written last, so what a crash
leaves half done is listed for nobody, and goes with the lesson.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from server.phones.pictures import made_anew

HandoutKind = Literal["pdf", "picture"]

MOST = 12  # of one lesson
WORKING = 1  # pictures made anew at once; each may take a second and 200 MB

_LESSON = re.compile(r"[A-Za-z0-9_-]{1,16}")
_HANDOUT = re.compile(r"[0-9a-f]{16}")
_PDF_HEAD = re.compile(rb"%PDF-[12]\.\d")
_PDF_TAIL = 1024  # bytes in which the end of a whole PDF stands, as its readers look for it
_SUFFIX: dict[HandoutKind, str] = {"pdf": "pdf", "picture": "jpg"}


class NoPdfError(ValueError):
    """It begins as a PDF does, but its end is missing."""


class TooManyHandoutsError(Exception):
    """The lesson has as many as it may."""


@dataclass(frozen=True, slots=True)
class Handout:
    handout_id: str
    name: str
    kind: HandoutKind
    size: int  # bytes
    added_at: datetime

    @property
    def file(self) -> str:
        return f"{self.handout_id}.{_SUFFIX[self.kind]}"


class Handouts:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._working = asyncio.Semaphore(WORKING)

    async def add(self, lesson_id: str, name: str, data: bytes) -> Handout:
        """Keep a PDF as it is, a picture made anew (what is hidden in its file does not come through).

        Raises NoPdfError, TooManyHandoutsError, what `made_anew` raises, and OSError.
        """
        folder = self._of(lesson_id)
        if len(await asyncio.to_thread(self.of, lesson_id)) >= MOST:
            raise TooManyHandoutsError(lesson_id)
        kind: HandoutKind = "pdf" if _is_pdf(data) else "picture"
        if kind == "picture":
            async with self._working:
                data = await asyncio.to_thread(made_anew, data)
        made = Handout(secrets.token_hex(8), name, kind, len(data), datetime.now(UTC))
        await asyncio.to_thread(_write, folder, made, data)
        return made

    def of(self, lesson_id: str) -> list[Handout]:
        """All of a lesson, in the order they came."""
        try:
            notes = list(self._of(lesson_id).glob("*.json"))
        except (ValueError, OSError):
            return []
        found = [one for one in map(_read, notes) if one is not None]
        return sorted(found, key=lambda one: (one.added_at, one.handout_id))

    def copy(self, lesson_id: str, other_id: str) -> int:
        """Let another lesson have the handouts of this one, too; how many. Raises TooManyHandoutsError and OSError."""
        here = self.of(lesson_id)
        if len(self.of(other_id)) + len(here) > MOST:
            raise TooManyHandoutsError(other_id)
        for one in here:
            made = replace(one, handout_id=secrets.token_hex(8))
            _write(self._of(other_id), made, (self._of(lesson_id) / one.file).read_bytes())
        return len(here)

    def find(self, lesson_id: str, handout_id: str) -> tuple[Handout, Path] | None:
        if not _LESSON.fullmatch(lesson_id) or not _HANDOUT.fullmatch(handout_id):
            return None
        folder = self._of(lesson_id)
        found = _read(folder / f"{handout_id}.json")
        return (found, folder / found.file) if found is not None and (folder / found.file).is_file() else None

    def remove(self, lesson_id: str, handout_id: str) -> bool:
        """False if there is none. Raises OSError."""
        found = self.find(lesson_id, handout_id)
        if found is None:
            return False
        (self._of(lesson_id) / f"{handout_id}.json").unlink(missing_ok=True)
        found[1].unlink(missing_ok=True)
        return True

    def delete(self, lesson_id: str) -> None:
        """All of a lesson. Raises OSError."""
        if _LESSON.fullmatch(lesson_id):
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(self._of(lesson_id))

    def _of(self, lesson_id: str) -> Path:
        if not _LESSON.fullmatch(lesson_id):
            raise ValueError(lesson_id)
        return self._folder / lesson_id


def _is_pdf(data: bytes) -> bool:
    """By what is in it, whatever it is called. Raises NoPdfError for one that was cut short."""
    if not _PDF_HEAD.match(data):
        return False
    if b"%%EOF" not in data[-_PDF_TAIL:]:
        raise NoPdfError("the end is missing")
    return True


def _write(folder: Path, made: Handout, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content, note = folder / made.file, folder / f"{made.handout_id}.json"
    try:
        content.write_bytes(data)
        part = note.with_suffix(".part")
        part.write_text(json.dumps({**asdict(made), "added_at": made.added_at.isoformat()}), "utf-8")
        part.replace(note)
    except OSError:  # the disk is full: leave nothing on it
        for path in (content, note.with_suffix(".part")):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        raise


def _read(note: Path) -> Handout | None:
    try:
        said = json.loads(note.read_text("utf-8"))
        kind: HandoutKind = "pdf" if said["kind"] == "pdf" else "picture"
        return Handout(
            str(said["handout_id"]),
            str(said["name"]),
            kind,
            int(said["size"]),
            datetime.fromisoformat(said["added_at"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
