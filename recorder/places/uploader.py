"""Brings what is finished to the store, and frees the disk of what the store has: a process of its own, never in a
lesson's way. While the store cannot be reached everything stays here and waits; nothing else is touched by that.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path

from recorder.content_types import content_type
from recorder.files import replace
from recorder.manifest import NAME, Manifest, ManifestError, read_manifest
from recorder.places import forgotten, waiting
from recorder.places.eviction import evict, last_held
from recorder.places.ledger import Confirmed, Ledger
from recorder.places.place import PlaceError, is_lesson_id
from recorder.places.store import PIECE, Digest, Store
from recorder.places.waiting import DamagedError, Item, OpenLesson
from recorder.recorder import MARKS

AT_ONCE = 4  # files on their way; more would only take the line from classes
LOOK_S = 2.0  # between two looks at the lessons that are being recorded
LOOK_ALL_S = 15.0  # between two looks at all others
ADOPT_S = 600.0  # between two looks for lessons that only the store has
WORST_BACKOFF_S = 30.0
FAULTS = 3  # files in a row that the store does not take until it counts as gone
STATUS = ".uploads.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """How the queue stands, as `.uploads.json` in the archive's folder tells it to metrics and health."""

    reachable: bool
    waiting_files: int
    waiting_bytes: int
    oldest_s: float  # since when the oldest of them waits
    sent_files: int  # since the process began
    sent_bytes: int
    freed_bytes: int
    error: str  # of the last attempt that failed, "" when the store is there


@dataclass(slots=True)
class _Job:
    folder: Path
    ledger: Ledger
    items: list[Item]
    manifest: tuple[int, int] | None = None  # mtime and size of the one `items` are from; None while recorded


@dataclass(slots=True)
class _Faults:
    """What the store did not take."""

    all: int = 0
    in_a_row: int = 0
    last: PlaceError | None = None

    def add(self, error: PlaceError) -> None:
        self.all += 1
        self.in_a_row += 1
        self.last = error


class Uploader:
    def __init__(
        self,
        archive: Path,
        store: Store,
        keep_s: float,
        low_space: Callable[[], bool] = lambda: False,
        adopt: Callable[[], list[str]] = list,
    ) -> None:
        """`keep_s`: how long large files stay here after the store has them, unless `low_space` says there is none.

        `adopt` is called now and then to bring lessons here that only the store has.
        """
        self._archive = archive
        self._store = store
        self._keep_s = keep_s
        self._low_space = low_space
        self._adopt = adopt
        self._adopted = -ADOPT_S
        self._ledgers: dict[str, Ledger] = {}  # of lessons that are not complete
        self._open: dict[str, OpenLesson] = {}
        self._complete: dict[str, tuple[int, int]] = {}  # manifests that are in the store: mtime, size
        self._evicted: dict[str, float] = {}  # when these, freed since, were last used
        self._looked_at_all = -LOOK_ALL_S
        self._looked_at_all_now = False
        self._sent_files = self._sent_bytes = self._freed = 0
        self._lock = threading.Lock()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        backoff = 0.0
        while not stop.is_set():
            try:
                status = self.once(stop)
                error = status.error
            except OSError as fault:  # of our own disk
                logger.error("the archive cannot be read: %s", fault)
                error = str(fault)
            if error and not backoff:
                logger.warning("the store cannot be reached, what is recorded waits here: %s", error)
            elif backoff and not error:
                logger.info("the store is back")
            backoff = min(backoff * 2 or 1.0, WORST_BACKOFF_S) if error else 0.0
            stop.wait(backoff or LOOK_S)

    def once(self, stop: threading.Event | None = None) -> Status:
        """Send all that waits, as far as the store takes it; then free what may go. Raises OSError.

        When our own disk has no room for the ledger, what was sent is sent again once there is.
        """
        stop = stop or threading.Event()
        error = ""
        jobs = self._jobs()
        try:
            forgotten.carry_out(self._archive, self._store)
            self._send(jobs, stop)
            if time.monotonic() - self._adopted >= ADOPT_S:
                self._adopted = time.monotonic()
                for lesson_id in self._adopt():
                    logger.info("%s: its small files were fetched from the store", lesson_id)
        except (PlaceError, OSError) as fault:
            error = str(fault)
        status = self._status(jobs, error)
        with contextlib.suppress(OSError):  # no room even for that; what follows makes some
            replace(self._archive / STATUS, json.dumps(asdict(status)) + "\n")
        little = self._low_space()
        if little or (not error and self._looked_at_all_now):
            self._free(0.0 if little else self._keep_s)
        return dataclasses.replace(status, freed_bytes=self._freed)

    # ── what there is to do ───────────────────────────────────────────────────────────────────────────────────────

    def _jobs(self) -> list[_Job]:
        """What waits, lesson by lesson: those being recorded first, for their number grows by the second."""
        marks = self._archive / MARKS
        open_ids = sorted(mark.name for mark in marks.iterdir()) if marks.is_dir() else []
        ended = [lesson_id for lesson_id in self._open if lesson_id not in open_ids]
        for lesson_id in ended:
            del self._open[lesson_id]
        self._looked_at_all_now = time.monotonic() - self._looked_at_all >= LOOK_ALL_S or bool(ended)
        jobs = [job for lesson_id in open_ids if (job := self._job(lesson_id, recorded=True))]
        if self._looked_at_all_now:
            self._looked_at_all = time.monotonic()
            closed = sorted(path.name for path in self._archive.iterdir() if is_lesson_id(path.name))
            jobs += [job for name in closed if name not in open_ids and (job := self._job(name, recorded=False))]
        else:  # what an earlier look has found and could not send
            left = [name for name in self._ledgers if name not in open_ids]
            jobs += [job for name in left if (job := self._job(name, recorded=False))]
        return jobs

    def _job(self, lesson_id: str, recorded: bool) -> _Job | None:
        folder = self._archive / lesson_id
        try:
            if recorded:
                followed = self._open.setdefault(lesson_id, OpenLesson(folder))
                ledger = self._ledger(lesson_id)
                items = followed.waiting(ledger)
                return _Job(folder, ledger, items) if items else None
            status = (folder / NAME).stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if self._complete.get(lesson_id) == stamp:
                return None
            manifest = read_manifest(folder)
            if manifest.status == "recording":
                return None  # about to be opened, or its end was not written: the recorder mends it at its start
            ledger = self._ledger(lesson_id)
            items = waiting.closed(folder, manifest, ledger)
            if items:
                return _Job(folder, ledger, items, stamp)
            self._completed(folder, manifest, ledger, stamp)
        except FileNotFoundError:
            self._ledgers.pop(lesson_id, None)  # deleted
        except ManifestError as error:
            logger.warning("not sent: %s", error)
        return None

    def _ledger(self, lesson_id: str) -> Ledger:
        if lesson_id not in self._ledgers:
            self._ledgers[lesson_id] = Ledger(self._archive / lesson_id)
        return self._ledgers[lesson_id]

    # ── doing it ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, jobs: list[_Job], stop: threading.Event) -> None:
        """Send lesson by lesson, files of one in parallel and its manifest last. Raises PlaceError, OSError.

        One file that the store does not take stops no others, but several in a row do.
        """
        faults = _Faults()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="upload") as pool:
            for job in jobs:
                before = faults.all
                self._send_all(pool, job, [item for item in job.items if item.path != NAME], faults, stop)
                if stop.is_set() or faults.in_a_row >= FAULTS:
                    break
                if job.manifest is not None and faults.all == before:
                    self._send_all(pool, job, [Item(NAME)], faults, stop)
                    if faults.all == before:
                        self._finish(job)
        if faults.last is not None:
            raise faults.last

    def _send_all(
        self, pool: ThreadPoolExecutor, job: _Job, items: list[Item], faults: _Faults, stop: threading.Event
    ) -> None:
        left = list(reversed(items))
        running: dict[Future[None], Item] = {}
        while running or (left and faults.in_a_row < FAULTS and not stop.is_set()):
            while left and len(running) < AT_ONCE and faults.in_a_row < FAULTS and not stop.is_set():
                item = left.pop()
                running[pool.submit(self._send_one, job, item)] = item
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                item = running.pop(future)
                try:
                    future.result()
                    faults.in_a_row = 0
                except PlaceError as error:
                    faults.add(error)
                except FileNotFoundError:
                    if (job.folder / NAME).exists():
                        logger.error("%s/%s is missing and cannot be sent", job.folder.name, item.path)
                except DamagedError as error:
                    logger.error("%s: %s; not sent", job.folder.name, error)

    def _send_one(self, job: _Job, item: Item) -> None:
        """Send one file and enter it in the ledger. Raises PlaceError, DamagedError, OSError."""
        lesson_id, path = job.folder.name, job.folder / item.path
        status = path.stat()
        body: Path | bytes = path.read_bytes() if status.st_size <= PIECE else path
        waiting.check(body, item.entries)
        digest = Digest.of(body)
        etag = self._store.put(f"{lesson_id}/{item.path}", body, digest, content_type(item.path))
        with self._lock:
            if not job.folder.exists():
                return  # deleted meanwhile; its tombstone takes the object away again
            job.ledger.add(Confirmed(item.path, digest.size, digest.sha256, etag, status.st_mtime_ns))
            self._sent_files += 1
            self._sent_bytes += digest.size

    def _finish(self, job: _Job) -> None:
        """All of a lesson has been sent, as its manifest was when we looked."""
        try:
            status = (job.folder / NAME).stat()
            if (status.st_mtime_ns, status.st_size) == job.manifest:
                self._completed(job.folder, read_manifest(job.folder), job.ledger, job.manifest)
        except (FileNotFoundError, ManifestError):
            pass  # changed under our hands: looked at again

    def _completed(self, folder: Path, manifest: Manifest, ledger: Ledger, stamp: tuple[int, int]) -> None:
        gone = waiting.obsolete(folder, manifest, ledger)
        if gone:
            self._store.delete(f"{folder.name}/{path}" for path in gone)
            for path in gone:
                ledger.remove(path)
        self._complete[folder.name] = stamp
        self._ledgers.pop(folder.name, None)
        logger.info("%s: all of it is in the store", folder.name)

    def _free(self, keep_s: float) -> None:
        """Take large files away that the store has and nobody has used for so long."""
        for lesson_id, stamp in self._complete.items():
            folder = self._archive / lesson_id
            used = max(stamp[0] / 1e9, last_held(folder))
            if self._evicted.get(lesson_id) == used or time.time() - used < keep_s:
                continue
            if not (self._archive / MARKS / lesson_id).exists():
                self._freed += evict(folder)
                self._evicted[lesson_id] = max(stamp[0] / 1e9, last_held(folder))

    def _status(self, jobs: list[_Job], error: str) -> Status:
        files, size, oldest = 0, 0, time.time()
        for job in jobs:
            for item in job.items:
                known = job.ledger.get(item.path)
                try:
                    status = (job.folder / item.path).stat()
                except OSError:
                    continue
                if known is None or not known.is_of(status):
                    files += 1
                    size += status.st_size
                    oldest = min(oldest, status.st_mtime)
        return Status(
            not error,
            files,
            size,
            round(max(0.0, time.time() - oldest), 1),
            self._sent_files,
            self._sent_bytes,
            self._freed,
            error,
        )


def read_status(archive: Path) -> Status | None:
    """How the queue stands; None where nothing is uploaded or was not yet."""
    try:
        return Status(**json.loads((archive / STATUS).read_text()))
    except (OSError, TypeError, ValueError):
        return None


def little_room(archive: Path, least: int) -> Callable[[], bool]:
    """Whether less than `least` bytes are free where the archive's folder is."""
    return lambda: shutil.disk_usage(archive).free < least
