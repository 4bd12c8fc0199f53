"""One set of slides, and the note in its folder that says what is known of it."""

from __future__ import annotations

import contextlib
import json
import os
import typing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

SlidesKind = Literal["pdf", "picture"]
SlidesState = Literal["rendering", "ready", "failed"]
# Why drawing them failed; what a teacher can do about it, the page says.
SlidesFault = Literal["encrypted", "too_many_pages", "damaged", "too_complex", "disk_full"]

MAX_PAGES = 200

NOTE = "note.json"
SOURCE = "source"  # what was sent, until it is drawn


class CannotDrawError(Exception):
    def __init__(self, reason: SlidesFault) -> None:
        super().__init__(reason)
        self.reason: SlidesFault = reason


@dataclass(frozen=True, slots=True)
class SlideSet:
    slides_id: str
    title: str
    kind: SlidesKind
    added_at: datetime
    state: SlidesState = "rendering"
    reason: SlidesFault | None = None  # of one that failed
    pages: int | None = None  # None: not counted yet
    width: int = 0  # pixels of page 1
    height: int = 0
    tries: int = 0  # how often drawing was begun


def page_file(page: int) -> str:
    return f"{page}.webp"


def small_file(page: int) -> str:
    return f"{page}.small.webp"


def read_note(folder: Path) -> SlideSet | None:
    """What is known of the set in this folder; None where there is no whole note."""
    try:
        said = json.loads((folder / NOTE).read_text("utf-8"))
        return SlideSet(
            slides_id=folder.name,
            title=_text(said["title"]),
            kind=_one_of(said["kind"], SlidesKind),
            added_at=datetime.fromisoformat(said["added_at"]),
            state=_one_of(said["state"], SlidesState),
            reason=None if said["reason"] is None else _one_of(said["reason"], SlidesFault),
            pages=None if said["pages"] is None else int(said["pages"]),
            width=int(said["width"]),
            height=int(said["height"]),
            tries=int(said["tries"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_note(folder: Path, one: SlideSet) -> None:
    """Whole or not at all, and only where there is such a folder. Raises OSError."""
    draft = folder / f"{NOTE}.new"
    try:
        with draft.open("w", encoding="utf-8") as file:
            json.dump({**asdict(one), "added_at": one.added_at.isoformat()}, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / NOTE)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _one_of(value: object, words: Any) -> Any:
    if value not in typing.get_args(words):
        raise ValueError(value)
    return value
