"""Jobs as the server process sees them: asks for them, shows how far they are, calls them off. Runs none.

The store of jobs is a file or a network, so everything here goes through a thread. When it cannot be used, a lesson is
as good as ever: what is automatic is made up for later by the process that runs jobs.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from recorder import derived
from recorder.manifest import ManifestError, StillOpenError, read_manifest
from recorder.rebuild import known_manifest
from server.jobs.kinds import EXPORTS, KINDS, ExportKind, KindName
from server.jobs.ledger import UNFINISHED, Job, JobsUnavailableError, Progress
from server.jobs.queue import Queue

MOST = 1000  # exports that wait, more than a node makes in a week

_log = logging.getLogger("tongke.jobs")


class TooManyJobsError(Exception):
    """So many jobs wait that another would have its turn some day next week."""


class NotFinishedError(Exception):
    """The lesson is being recorded still, so nothing can be made of it."""


class NothingRecordedError(LookupError):
    """Nothing of this lesson was recorded."""


@dataclass(frozen=True, slots=True)
class Export:
    """How it stands with one kind of export of a lesson."""

    kind: ExportKind
    known: Progress | None  # None: nobody has asked for it, or it was removed
    size: int | None  # bytes, of one that is there

    @property
    def state(self) -> str:
        if self.known is not None and self.known.state in UNFINISHED:
            return self.known.state  # asked for anew
        if self.size is not None:
            return "done"
        if self.known is None or self.known.state == "done":  # what was made has been removed to make room
            return "none"
        return "failed" if self.known.state == "nothing" else self.known.state

    @property
    def reason(self) -> str | None:
        if self.state != "failed" or self.known is None:
            return None
        return "nothing_to_render" if self.known.state == "nothing" else self.known.reason


class Jobs:
    """Call `close` at the end."""

    def __init__(self, data: Path, archive: Path, redis_url: str = "") -> None:
        self._data = data
        self._archive = archive
        self._redis_url = redis_url
        self._queue: Queue | None = None

    async def closed(self, lesson_id: str) -> None:
        """A lesson's recording has just been closed: make what is made of every lesson. Never raises."""
        try:
            await asyncio.to_thread(self._closed, lesson_id)
        except (JobsUnavailableError, OSError, ManifestError) as error:
            _log.warning("jobs of a lesson have to wait: %s", error, extra={"lesson_id": lesson_id})

    async def exports(self, lesson_id: str, sizes: Mapping[str, int] | None = None) -> list[Export]:
        """How it stands with each kind; `sizes` of the derived files, if they are known already.

        Raises JobsUnavailableError, and NothingRecordedError without `sizes`.
        """
        return await asyncio.to_thread(self._exports, lesson_id, sizes)

    async def request(self, lesson_id: str, kind: ExportKind) -> Export:
        """Ask for an export; one that is there or on its way is not made twice.

        Raises JobsUnavailableError, TooManyJobsError, NothingRecordedError and NotFinishedError.
        """
        return await asyncio.to_thread(self._request, lesson_id, kind)

    async def cancel(self, lesson_id: str, kind: ExportKind) -> None:
        """Call an export off, or remove it when it is there. Raises JobsUnavailableError and NothingRecordedError."""
        await asyncio.to_thread(self._cancel, lesson_id, kind)

    async def forget(self, lesson_id: str) -> None:
        """A lesson is deleted: its jobs are called off. Raises JobsUnavailableError."""
        await asyncio.to_thread(lambda: self._open().ledger.forget(lesson_id))

    async def gauges(self) -> dict[tuple[str, str], int]:
        """How many jobs wait, run or have failed. Raises JobsUnavailableError."""
        jobs = await asyncio.to_thread(lambda: self._open().ledger.all())
        shown = (*UNFINISHED, "failed")
        return dict(Counter((job.kind, job.known.state) for job in jobs if job.known.state in shown))

    async def tally(self) -> dict[tuple[str, str], tuple[int, float]]:
        """By kind and outcome: how many jobs have ended so, and their seconds. Raises JobsUnavailableError."""
        return await asyncio.to_thread(lambda: self._open().ledger.tally())

    async def close(self) -> None:
        if self._queue is not None:
            await asyncio.to_thread(self._queue.close)

    def _open(self) -> Queue:
        if self._queue is None:  # when it is first needed, for it may take a while
            self._queue = Queue(self._data, self._redis_url)
        return self._queue

    def _closed(self, lesson_id: str) -> None:
        put(self._open(), lesson_id, wanted_of(self._archive / lesson_id))

    def _exports(self, lesson_id: str, sizes: Mapping[str, int] | None) -> list[Export]:
        if sizes is None:
            sizes = self._sizes(lesson_id)
        jobs = self._open().ledger.find(lesson_id, EXPORTS)
        return [_export(kind, jobs.get(kind), sizes) for kind in EXPORTS]

    def _request(self, lesson_id: str, kind: ExportKind) -> Export:
        queue = self._open()
        sizes = self._sizes(lesson_id)
        now = _export(kind, queue.ledger.find(lesson_id, (kind,)).get(kind), sizes)
        if now.state == "done" or now.state in UNFINISHED:
            return now
        if self._is_open(lesson_id):
            raise NotFinishedError(lesson_id)
        if len(queue.waiting(MOST)) >= MOST:
            raise TooManyJobsError
        (job,) = put(queue, lesson_id, (kind,))
        return _export(kind, job, sizes)

    def _cancel(self, lesson_id: str, kind: ExportKind) -> None:
        ledger = self._open().ledger
        job = ledger.find(lesson_id, (kind,)).get(kind)
        there = self._sizes(lesson_id).keys() & set(KINDS[kind].files)
        if job is not None and job.unfinished:
            ledger.cancel(job)
            return
        if there:
            try:
                derived.remove(self._archive / lesson_id, KINDS[kind].files)
            except StillOpenError as error:
                raise NotFinishedError(lesson_id) from error
            except FileNotFoundError as error:  # deleted just now
                raise NothingRecordedError(lesson_id) from error
        ledger.forget(lesson_id, (kind,))

    def _is_open(self, lesson_id: str) -> bool:
        try:
            return known_manifest(self._archive / lesson_id).status == "recording"
        except FileNotFoundError as error:
            raise NothingRecordedError(lesson_id) from error
        except OSError:
            return False  # the job will find out what is wrong with it

    def _sizes(self, lesson_id: str) -> dict[str, int]:
        try:
            return {one.path: one.size for one in known_manifest(self._archive / lesson_id).derived}
        except FileNotFoundError as error:
            raise NothingRecordedError(lesson_id) from error
        except OSError:
            return {}  # until it is mended nothing can be said of what there is


def put(queue: Queue, lesson_id: str, kinds: Iterable[KindName]) -> list[Job]:
    """Ask for these jobs. Raises JobsUnavailableError."""
    jobs = [queue.ledger.ask(lesson_id, kind) for kind in kinds]
    for job in jobs:
        queue.put(job)
    return jobs


def wanted_of(folder: Path) -> list[KindName]:
    """What is to be made of the lesson in `folder` because it is over. Raises OSError and ManifestError."""
    manifest = read_manifest(folder)
    if manifest.status == "recording":
        return []
    there = {one.path for one in manifest.derived}
    kinds: list[KindName] = [
        kind.name for kind in KINDS.values() if kind.automatic and kind.files and not there >= set(kind.files)
    ]
    if any(track.codec == "VP8" and track.duration_ms for track in manifest.tracks):
        kinds.append("convert")
    return kinds


def _export(kind: ExportKind, job: Job | None, sizes: Mapping[str, int]) -> Export:
    return Export(kind, job.known if job else None, sizes.get(KINDS[kind].shown))
