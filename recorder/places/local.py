"""The archive as a folder of this machine and nothing else."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from recorder.manifest import NAME
from recorder.places.place import Held, is_lesson_id, is_path

DELETED = ".deleted"  # lessons on their way out; a kill in the middle leaves them to `clear`


class LocalPlace:
    """A `Place` with nothing behind it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def file(self, lesson_id: str, path: str) -> Path | None:
        """A file of a lesson that is there. Links that lead out of its folder are none."""
        if not is_lesson_id(lesson_id) or not is_path(path):
            return None
        folder = self.folder / lesson_id
        try:
            found = (folder / path).resolve()
            return found if found.is_relative_to(folder.resolve()) and found.is_file() else None
        except OSError:  # a name longer than any file's
            return None

    def local(self, lesson_id: str) -> Held:
        """The lesson's folder itself."""
        return Held(lambda: self._hold(lesson_id))

    def delete(self, lesson_id: str) -> None:
        """Take a lesson's folder away in one step, then its files. Raises OSError."""
        if not is_lesson_id(lesson_id):
            return
        gone = self.folder / DELETED
        gone.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(gone / lesson_id, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            (self.folder / lesson_id).rename(gone / lesson_id)
        shutil.rmtree(gone / lesson_id, ignore_errors=True)

    def clear(self) -> None:
        """Finish what `delete` had begun when the process was killed."""
        shutil.rmtree(self.folder / DELETED, ignore_errors=True)

    def lessons(self) -> list[str]:
        """The lessons whose folders have a manifest."""
        try:
            return sorted(
                entry.name for entry in self.folder.iterdir() if is_lesson_id(entry.name) and (entry / NAME).is_file()
            )
        except FileNotFoundError:
            return []

    @contextlib.contextmanager
    def _hold(self, lesson_id: str) -> Iterator[Path]:
        folder = self.folder / lesson_id
        if not is_lesson_id(lesson_id) or not (folder / NAME).is_file():
            raise LookupError(f"no lesson {lesson_id[:100]!r} is archived")
        yield folder
