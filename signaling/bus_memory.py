"""The bus of one process: journals in files of a folder."""

from __future__ import annotations

from pathlib import Path


class MemoryBus:
    """`folder` None: nothing outlives the process (tests)."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
