"""The slides of lessons: files in the data folder, a folder for each set below one for each lesson.

    <data>/slides/<lesson_id>/<slides_id>/note.json       what the set is called, how many pages, whether it is ready
                                          source          what was sent, until it is drawn
                                          <page>.webp     longer side 1920; <page>.small.webp is 320 wide

A page never changes once it is there, so other folders (another lesson's, the archive's) may hold it by a second name.
What a crash leaves half done is nobody's slides and is taken away at the next start.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from server.slides.slide_set import (
    NOTE,
    SOURCE,
    SlideSet,
    SlidesKind,
    page_file,
    read_note,
    small_file,
    write_note,
)

MOST = 20  # sets of one lesson

_LESSON = re.compile(r"[A-Za-z0-9_-]{1,16}")
_SLIDES = re.compile(r"[a-z0-9]{8,32}")
_PAGE = re.compile(r"[1-9][0-9]{0,2}(\.small)?\.webp")
_UPLOADS = ".uploads"
_GONE = ".gone-"  # before what is being taken away


class TooManySlidesError(Exception):
    """The lesson has as many as it may."""


class Slides:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def draft(self) -> Path:
        """Where to write what is being sent. Raises OSError."""
        folder = self._folder / _UPLOADS
        folder.mkdir(parents=True, exist_ok=True)
        return folder / secrets.token_hex(8)

    def check(self, lesson_id: str) -> None:
        """Whether one more can come. Raises TooManySlidesError."""
        if sum(one.state != "failed" for one in self.of(lesson_id)) >= MOST:
            raise TooManySlidesError(lesson_id)

    def add(self, lesson_id: str, title: str, kind: SlidesKind, draft: Path) -> SlideSet:
        """A draft becomes a set that is to be drawn. Raises TooManySlidesError and OSError."""
        made = SlideSet(secrets.token_hex(8), title, kind, datetime.now(UTC))
        self._make_room(lesson_id, 1)
        folder = self._of(lesson_id) / made.slides_id
        folder.mkdir(parents=True)
        try:
            draft.replace(folder / SOURCE)
            write_note(folder, made)  # last: a set without a note is none
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return made

    def of(self, lesson_id: str) -> list[SlideSet]:
        """All of a lesson, in the order they came."""
        try:
            folders = [path.parent for path in self._of(lesson_id).glob(f"*/{NOTE}")]
        except (ValueError, OSError):
            return []
        found = [one for one in map(read_note, folders) if one is not None and _SLIDES.fullmatch(one.slides_id)]
        return sorted(found, key=lambda one: (one.added_at, one.slides_id))

    def find(self, lesson_id: str, slides_id: str) -> SlideSet | None:
        folder = self.folder(lesson_id, slides_id)
        return read_note(folder) if folder is not None else None

    def folder(self, lesson_id: str, slides_id: str) -> Path | None:
        """Where a set is, or would be; None for what is no id."""
        if not _LESSON.fullmatch(lesson_id) or not _SLIDES.fullmatch(slides_id):
            return None
        return self._of(lesson_id) / slides_id

    def page(self, lesson_id: str, slides_id: str, page: int, small: bool) -> Path | None:
        """Where the picture of a page is, large or small, if it is drawn."""
        folder = self.folder(lesson_id, slides_id)
        if folder is None:
            return None
        path = folder / (small_file(page) if small else page_file(page))
        return path if path.is_file() else None

    def put(self, lesson_id: str, one: SlideSet) -> None:
        """Write down what is known of a set now. Raises OSError; FileNotFoundError if it was taken away."""
        folder = self.folder(lesson_id, one.slides_id)
        assert folder is not None
        write_note(folder, one)

    def settle(self, lesson_id: str, one: SlideSet) -> None:
        """A set is drawn, or will never be: put that down, and keep of it what is needed then. Raises OSError."""
        self.put(lesson_id, one)
        folder = self._of(lesson_id) / one.slides_id
        for path in folder.iterdir():
            if path.name == SOURCE or path.suffix == ".part" or (one.state == "failed" and path.name != NOTE):
                path.unlink(missing_ok=True)

    def remove(self, lesson_id: str, slides_id: str) -> bool:
        """False if there is none. Raises OSError."""
        folder = self.folder(lesson_id, slides_id)
        return folder is not None and _take_away(folder)

    def delete(self, lesson_id: str) -> None:
        """All of a lesson. Raises OSError."""
        if _LESSON.fullmatch(lesson_id):
            _take_away(self._of(lesson_id))

    def copy(self, lesson_id: str, other_id: str) -> list[SlideSet]:
        """Let another lesson have the slides of this one that are ready. Raises TooManySlidesError and OSError."""
        copied = []
        ready = [one for one in self.of(lesson_id) if one.state == "ready"]
        self._make_room(other_id, len(ready))
        for one in ready:
            source, made = self._of(lesson_id) / one.slides_id, replace(one, slides_id=secrets.token_hex(8))
            target = self._of(other_id) / made.slides_id
            target.mkdir(parents=True)
            try:
                for path in source.iterdir():
                    if _PAGE.fullmatch(path.name):
                        _share(path, target / path.name)
                write_note(target, made)
            except OSError:
                shutil.rmtree(target, ignore_errors=True)
                raise
            copied.append(made)
        return copied

    def unfinished(self) -> Iterator[tuple[str, SlideSet]]:
        """What is to be drawn, lesson by lesson; for a process that begins, which also clears what a crash left."""
        if not self._folder.is_dir():
            return
        for lesson in sorted(self._folder.iterdir()):
            if not _LESSON.fullmatch(lesson.name):
                shutil.rmtree(lesson, ignore_errors=True)  # uploads, and what was being taken away
                continue
            for folder in sorted(lesson.iterdir()):
                one = read_note(folder) if _SLIDES.fullmatch(folder.name) else None
                if one is None:
                    shutil.rmtree(folder, ignore_errors=True)
                elif one.state == "rendering":
                    yield lesson.name, one

    def _make_room(self, lesson_id: str, wanted: int) -> None:
        """What failed makes room for what comes. Raises TooManySlidesError and OSError."""
        here = self.of(lesson_id)
        failed = [one for one in here if one.state == "failed"]
        over = len(here) + wanted - MOST
        if over > len(failed):
            raise TooManySlidesError(lesson_id)
        for one in failed[: max(over, 0)]:
            self.remove(lesson_id, one.slides_id)

    def _of(self, lesson_id: str) -> Path:
        if not _LESSON.fullmatch(lesson_id):
            raise ValueError(lesson_id)
        return self._folder / lesson_id


def _take_away(folder: Path) -> bool:
    """By another name first, under which nobody who is still writing finds it. False if there was none."""
    try:
        folder.rename(folder.with_name(f"{_GONE}{secrets.token_hex(8)}"))
        found = True
    except FileNotFoundError:
        found = False
    for gone in folder.parent.glob(f"{_GONE}*"):  # also what could not be taken away the last time
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(gone)
    return found


def _share(source: Path, target: Path) -> None:
    """A second name for the same file, or a copy where that cannot be. Raises OSError."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copyfile(source, target)
