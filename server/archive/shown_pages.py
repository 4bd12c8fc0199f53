"""Puts the pages of slides that a lesson has shown into its archive.

Only what was shown is kept, as with everything else (recording_policy.py says what that is): a page that nobody turned
to is in no file of the archive.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from recorder import slides

_log = logging.getLogger("tongke.recording")


class ShownPages:
    def __init__(self, archive: Path, find: Callable[[str, str, int, bool], Path | None]) -> None:
        """`archive` is the folder of all lessons; `find` knows where a picture is: lesson, slides, page, small."""
        self._archive = archive
        self._find = find

    def keep(self, lesson_id: str, pages: Iterable[str]) -> None:
        """Have these pages, large and small, in the lesson's archive. What is there already costs nothing.

        A page that is not there any more is passed over: its slides were taken away a moment ago. Raises OSError.
        """
        folder = self._archive / lesson_id
        for surface in pages:
            if not slides.is_page(surface):
                continue
            slides_id, _, page = surface.partition("/")
            for path, small in zip(slides.page_files(surface), (False, True), strict=True):
                try:
                    if not (folder / path).exists():
                        slides.put(folder, path, self._source(lesson_id, slides_id, int(page), small))
                except FileNotFoundError:
                    _log.warning("a page that was shown is not there", extra={"lesson_id": lesson_id, "page": path})

    def _source(self, lesson_id: str, slides_id: str, page: int, small: bool) -> Path:
        source = self._find(lesson_id, slides_id, page, small)
        if source is None:
            raise FileNotFoundError(f"{slides_id}/{page}")
        return source
