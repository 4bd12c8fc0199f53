"""The media workers of this node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class Workers:
    """`paths`: their control sockets."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
