"""The archive in a store of objects, with this machine's folder before it.

What is here is read here. What has left the folder (eviction.py), or was recorded on another machine, is fetched: whole
lessons for those who work on them, single files for those who watch, by a signed address or through us.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from recorder.manifest import NAME, FileEntry, ManifestError, read_manifest
from recorder.places import forgotten, waiting
from recorder.places.eviction import held, is_large
from recorder.places.ledger import LEDGER, Confirmed, Ledger
from recorder.places.local import LocalPlace
from recorder.places.place import Held, PlaceError, SignedURL, is_lesson_id, is_path
from recorder.places.store import Digest, Object, Store
from recorder.recorder import MARKS

SIGNED_S = 3600  # a player that pauses for longer asks us again
LEDGERS = 64  # of lessons being watched, kept in memory
ARRIVING = ".arriving"  # in a lesson's folder: its manifest, until all else is here
FETCHING = ".fetching"  # lock, so that one process at a time fetches a lesson

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Passed:
    """A `StoredFile` of an S3 store."""

    store: Store
    lesson_id: str
    path: str
    size: int
    etag: str

    def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        return self.store.read(f"{self.lesson_id}/{self.path}", start, end)


class StorePlace:
    """A `Place` with a store behind it. With `redirect`, media are fetched from the store by those who watch."""

    def __init__(self, folder: Path, store: Store, redirect: bool = False) -> None:
        self.folder = folder.absolute()
        self.store = store
        self._redirect = redirect
        self._local = LocalPlace(folder)
        self._ledgers: OrderedDict[str, tuple[int, Ledger]] = OrderedDict()

    def file(self, lesson_id: str, path: str) -> Path | SignedURL | Passed | None:
        """A file of a lesson, wherever it is. Raises PlaceError."""
        if (found := self._local.file(lesson_id, path)) is not None:
            return found
        if not is_lesson_id(lesson_id) or not is_path(path) or forgotten.is_known(self.folder, lesson_id):
            return None
        name = f"{lesson_id}/{path}"
        if (self.folder / lesson_id / NAME).exists():
            known = self._ledger(lesson_id).get(path)
            if known is None:
                return None
            size, etag = known.size, known.etag
        else:
            stored = self.store.head(name)
            if stored is None:
                return None
            size, etag = stored.size, stored.etag
        if self._redirect and not path.endswith(".m3u8"):  # whose addresses are relative, and would lack a signature
            return SignedURL(self.store.sign(name, SIGNED_S), SIGNED_S)
        return Passed(self.store, lesson_id, path, size, etag)

    def local(self, lesson_id: str) -> Held:
        """The lesson's folder, with all of its files in it."""
        return Held(lambda: self._hold(lesson_id))

    def delete(self, lesson_id: str) -> None:
        """Forget a lesson here at once; in the store now if it can be reached, else by the uploader. Raises OSError."""
        if not is_lesson_id(lesson_id):
            return
        forgotten.note(self.folder, lesson_id)
        self._local.delete(lesson_id)
        self._ledgers.pop(lesson_id, None)
        try:
            forgotten.purge(self.store, lesson_id)  # the mark stays: the uploader may be sending a file of it just now
        except PlaceError as error:
            logger.warning("%s is deleted here, and in the store when it is back: %s", lesson_id, error)

    def lessons(self) -> list[str]:
        """All lessons, here or in the store. Raises PlaceError."""
        stored = {name for name in self.store.folders() if is_lesson_id(name)}
        return sorted({*self._local.lessons(), *stored} - set(forgotten.known(self.folder)))

    def adopt(self) -> list[str]:
        """Bring the small files of lessons here that only the store has, so that they are known here; gives their ids.

        Lessons come so after a lost disk, or from another machine. Raises PlaceError, OSError.
        """
        found = []
        for lesson_id in self.lessons():
            if not (self.folder / lesson_id / NAME).exists() and not (self.folder / MARKS / lesson_id).exists():
                try:
                    self._fetch_lesson(lesson_id)
                except (LookupError, FileNotFoundError) as error:  # being sent just now, damaged, or deleted
                    logger.warning("not taken from the store: %s", error)
                    continue
                found.append(lesson_id)
        return found

    def clear(self) -> None:
        """Finish what `delete` had begun here when the process was killed."""
        self._local.clear()

    @contextlib.contextmanager
    def _hold(self, lesson_id: str) -> Iterator[Path]:
        folder = self.folder / lesson_id
        if not is_lesson_id(lesson_id) or forgotten.is_known(self.folder, lesson_id):
            raise LookupError(f"no lesson {lesson_id[:100]!r} is archived")
        if not (folder / NAME).is_file():
            self._fetch_lesson(lesson_id)
        with held(folder):
            self._fetch_missing(folder)
            yield folder

    def _fetch_missing(self, folder: Path) -> None:
        """Bring back what has left the folder. Raises PlaceError, ManifestError, OSError."""
        manifest = read_manifest(folder)
        if manifest.status == "recording":
            return
        entries: dict[str, list[FileEntry]] = {}
        for entry in (*manifest.files, *manifest.derived):
            if not (folder / entry.path).exists():
                entries.setdefault(entry.path, []).append(entry)
        if entries:
            with _fetching(folder):
                ledger = Ledger(folder)  # read once: of a long lesson it is 10 MB
                for path, stretches in entries.items():
                    if not (folder / path).exists():
                        self._fetch(folder, path, tuple(stretches), ledger)

    def _fetch_lesson(self, lesson_id: str) -> None:
        """Bring a lesson here that only the store has; its large files stay there. A kill leaves it to the next time.

        Raises LookupError, PlaceError, OSError.
        """
        prefix, folder = f"{lesson_id}/", self.folder / lesson_id
        stored = {found.path.removeprefix(prefix): found for found in self.store.objects(prefix)}
        if NAME not in stored:
            raise LookupError(f"no lesson {lesson_id[:100]!r} is archived")
        folder.mkdir(parents=True, exist_ok=True)
        with _fetching(folder):
            if (folder / NAME).exists():
                return  # another process was faster
            ledger = Ledger(folder)
            for path in sorted(stored):
                if path != NAME and is_path(path) and not is_large(path) and not (folder / path).exists():
                    self._fetch(folder, path, (), ledger)
            self._fetch_manifest(folder, stored, ledger)

    def _fetch_manifest(self, folder: Path, stored: Mapping[str, Object], ledger: Ledger) -> None:
        """The last file of a lesson: with it the lesson is here, and what stays in the store must be known by then."""
        fresh = folder / ARRIVING
        fresh.mkdir(exist_ok=True)
        try:
            self.store.fetch(f"{folder.name}/{NAME}", fresh / NAME)
            manifest = read_manifest(fresh)
        except (FileNotFoundError, ManifestError) as error:
            raise LookupError(f"{folder.name}: its manifest in the store cannot be read") from error
        for entry in (*manifest.files, *manifest.derived):
            known = stored.get(entry.path)
            if known is not None and ledger.get(entry.path) is None and known.size == entry.size:
                ledger.add(Confirmed(entry.path, entry.size, entry.sha256, known.etag, 0))
        (fresh / NAME).replace(folder / NAME)
        fresh.rmdir()
        status, digest = (folder / NAME).stat(), Digest.of(folder / NAME)
        ledger.add(Confirmed(NAME, digest.size, digest.sha256, stored[NAME].etag, status.st_mtime_ns))

    def _fetch(self, folder: Path, path: str, entries: tuple[FileEntry, ...], ledger: Ledger) -> None:
        target = folder / path
        for parent in reversed(PurePosixPath(path).parents[:-1]):
            (folder / parent).mkdir(exist_ok=True)  # not the folder itself: a lesson deleted meanwhile stays deleted
        sha256 = self.store.fetch(f"{folder.name}/{path}", target)
        if sha256 is None:
            logger.error("%s: %s is neither here nor in the store", folder.name, path)
            return
        try:
            waiting.check(target, entries)
        except waiting.DamagedError as error:
            target.unlink()
            raise PlaceError(f"{folder.name}: {error}, in the store") from error
        status = target.stat()
        known = ledger.get(path)
        ledger.add(Confirmed(path, status.st_size, sha256, known.etag if known else "", status.st_mtime_ns))

    def _ledger(self, lesson_id: str) -> Ledger:
        """The lesson's ledger as it is now; read again when it has grown."""
        folder = self.folder / lesson_id
        try:
            stamp = (folder / LEDGER).stat().st_mtime_ns
        except FileNotFoundError:
            stamp = 0
        kept = self._ledgers.get(lesson_id)
        if kept is None or kept[0] != stamp:
            kept = self._ledgers[lesson_id] = (stamp, Ledger(folder))
            while len(self._ledgers) > LEDGERS:
                self._ledgers.popitem(last=False)
        return kept[1]


@contextlib.contextmanager
def _fetching(folder: Path) -> Iterator[None]:
    with (folder / FETCHING).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
