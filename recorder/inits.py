"""Which initialisation segment a list names where a part needs one: the first that will do for it.

FFmpeg takes one of them for a list and complains about each further one; browsers begin anew with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from recorder.init_segment import essence, sample_entry


class Named(NamedTuple):
    """What a list says of a part's initialisation segment."""

    init: str
    codec: str  # name of its sample entry: where that changes, players must begin anew


class Inits:
    """Those of a folder, by their names relative to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._named: dict[str, Named] = {}
        self._first: dict[bytes, Named] = {}

    def named_for(self, init: str, codec: str) -> Named:
        """For parts that need `init`; `codec` is what to take them for if it is lost. Raises OSError."""
        named = self._named.get(init)
        if named is None:
            try:
                data = (self._folder / init).read_bytes()
            except FileNotFoundError:
                return Named(init, codec)
            named = Named(init, sample_entry(data) or codec)
            named = self._named[init] = self._first.setdefault(essence(data), named)
        return named
