"""Where recorded lessons lie, as everyone sees it who reads, works on or deletes one.

The recorder always writes to a folder of this machine; so a `Place` is that folder and perhaps something behind it.
`LocalPlace` (local.py) is the folder alone; `StorePlace` (stored.py) has a store of objects behind it, to which all
that is finished goes; large files may then leave the folder. What is small (manifest, journals, playlists, event log,
levels) always stays here, so describing a lesson never asks the store.

All methods may wait for disk or network: an event loop calls them in a thread, except `Held` in its `async with` form.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

_LESSON_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")  # as the recorder takes them


class PlaceError(Exception):
    """The store behind a place cannot be reached or refuses; trying again later may help."""


@dataclass(frozen=True, slots=True)
class SignedURL:
    """Where a file can be fetched from the store by whoever has this address, for a while."""

    url: str
    expires_s: int


class StoredFile(Protocol):
    """A file that only the store has, to be passed on by us."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def etag(self) -> str:
        """Of its contents, without quotes."""

    def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes from `start` up to, without, `end`, in pieces. Raises PlaceError."""


class Held:
    """A lesson's folder for the time of a `with` or `async with`: complete, and nothing leaves it meanwhile.

    Entering raises LookupError for a lesson that is not there, and PlaceError when its files cannot be fetched.
    """

    def __init__(self, hold: Callable[[], AbstractContextManager[Path]]) -> None:
        self._hold = hold
        self._held: AbstractContextManager[Path] | None = None

    def __enter__(self) -> Path:
        self._held = self._hold()
        return self._held.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held is not None:
            self._held.__exit__(kind, error, trace)

    async def __aenter__(self) -> Path:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.__exit__, kind, error, trace)


class Place(Protocol):
    folder: Path  # of this machine, one folder per lesson in it

    def file(self, lesson_id: str, path: str) -> Path | SignedURL | StoredFile | None:
        """A file of a lesson, `path` as a stranger may have sent it; None for whatever is none. Raises PlaceError."""

    def local(self, lesson_id: str) -> Held:
        """The lesson's folder to work on: `with place.local(id) as folder`, or `async with`."""

    def delete(self, lesson_id: str) -> None:
        """Forget a lesson: at once here, and in the store as soon as it can be reached. Unknown ones are no error."""

    def lessons(self) -> list[str]:
        """All lessons that are archived, here or in the store, in order. Raises PlaceError."""


def is_lesson_id(text: str) -> bool:
    """Whether a lesson can be called so; anything else never becomes a path."""
    return _LESSON_ID.fullmatch(text) is not None


def is_path(path: str) -> bool:
    """Whether `path` can be a file within a lesson's folder: no way out of it, nothing hidden."""
    return bool(path) and "\0" not in path and all(part and not part.startswith(".") for part in path.split("/"))
