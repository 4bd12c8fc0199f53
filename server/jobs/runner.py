"""Runs jobs, one at a time: fetches the lesson's folder, has its file rendered, puts it in place.

A job that is killed in its midst is run again, three times at most: one that always ends the process (a file that makes
a decoder fall over) must not do so for ever. A job that takes minutes steps aside for those that take seconds, so that
the poster of a lesson that has just ended does not wait for somebody's film.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import logging
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from recorder import derived
from recorder.manifest import ManifestError, StillOpenError, read_manifest
from recorder.places.local import LocalPlace
from recorder.places.place import Place, PlaceError
from recorder.rendering.progress import Cancelled, NothingToRenderError
from server.jobs.kinds import KINDS, KindName
from server.jobs.ledger import Job, JobsUnavailableError, Progress
from server.jobs.queue import Queue
from server.jobs.service import put, wanted_of

MAKING = ".making"  # in the archive's folder: what is not finished, where nobody is served it
ATTEMPTS = 3  # at most
LOOK_EVERY = 0.5  # seconds between two looks whether a running job is still wanted
LEAST_FREE = 512 * 1024 * 1024  # bytes on the disk; jobs stop before exports have to go, and these before recordings do
DEAD_AFTER = 300.0  # seconds without a word of a job that another node runs
RECENT = 7 * 86400.0  # seconds since a lesson in which is made up for what nobody asked for; also how long we remember

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_log = logging.getLogger("tongke.jobs")


class Runner:
    def __init__(self, queue: Queue, place: Place, owner: str, ending: Callable[[], bool]) -> None:
        """`owner` names this process among those that share the queue; `ending` says that it is to end."""
        self._queue = queue
        self._ledger = queue.ledger
        self._place = place
        self._owner = owner
        self._ending = ending
        self._running: set[str] = set()  # job ids; one that takes minutes, and what is done in its midst

    def run(self, lesson_id: str, kind: str, job_id: str) -> None:
        """Run a job, if it is still wanted and nobody else has it. Raises JobsUnavailableError."""
        name = cast(KindName, kind)
        job = self._ledger.find(lesson_id, (name,)).get(name) if kind in KINDS else None
        if job is None or job.job_id != job_id or not job.unfinished or not self._ledger.claim(job_id, self._owner):
            return
        self._running.add(job_id)
        try:
            self._run(job)
        finally:
            self._running.discard(job_id)
            self._ledger.release(job_id)

    def recover(self, begun: bool = False) -> None:
        """Queue again what was lost with a process that died, or when the store of jobs was away.

        `begun`: we have just begun, so what was ours is lost. Raises JobsUnavailableError.
        """
        if begun:
            shutil.rmtree(self._place.folder / MAKING, ignore_errors=True)
        queued = {job_id for _, _, job_id in self._queue.waiting()}
        for job in self._ledger.all():
            if not job.unfinished or job.job_id in queued:
                continue
            owner = self._ledger.owner(job.job_id)
            if job.job_id in self._running:
                continue
            if owner not in (None, self._owner) and time.time() - job.known.at_s < DEAD_AFTER:
                continue
            if owner is not None:
                self._ledger.release(job.job_id)
            _log.info("a job is queued again", extra={"lesson_id": job.lesson_id, "kind": job.kind})
            self._queue.put(job)

    def make_up(self) -> None:
        """Ask for what lessons of the last days lack: closed while no server ran or the disk was full, or imported."""
        self._ledger.prune(time.time() - RECENT)
        for lesson_id in LocalPlace(self._place.folder).lessons():  # what is new was recorded on this machine
            folder = self._place.folder / lesson_id
            try:
                if time.time() - (folder / "manifest.json").stat().st_mtime > RECENT:
                    continue
                manifest = read_manifest(folder)
                old = time.time() - manifest.epoch_us / 1e6 - manifest.duration_ms / 1e3 > RECENT
                if old and manifest.derived:
                    continue  # not one just brought in: what it lacks was removed to make room
                wanted = wanted_of(folder)
            except (OSError, ManifestError):
                continue
            known = self._ledger.find(lesson_id, wanted)
            put(self._queue, lesson_id, [kind for kind in wanted if kind not in known or _in_vain(known[kind])])

    # ── one job ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self, job: Job) -> None:
        began = time.monotonic()
        known = replace(job.known, state="running", progress=0.0, reason="", attempts=job.known.attempts + 1)
        if known.attempts > ATTEMPTS:
            ended = replace(known, state="failed", reason="crashed")
        else:
            self._ledger.note(job, known)
            ended = self._outcome(job, known)
        self._ledger.note(job, ended)
        if self._ending() and ended.state == "waiting":
            self._queue.put(job)
        seconds = time.monotonic() - began
        outcome = "interrupted" if ended.state == "waiting" else ended.state
        self._ledger.count(self._owner, job.kind, outcome, seconds)
        what = {"lesson_id": job.lesson_id, "kind": job.kind, "outcome": outcome, "seconds": round(seconds, 1)}
        _log.log(logging.ERROR if outcome == "failed" else logging.INFO, "job ended", extra=what)

    def _outcome(self, job: Job, known: Progress) -> Progress:
        """How the job ended."""
        watch = _Watch(self, job, known)
        try:
            self._make(job, watch)
        except Cancelled:
            if self._ending():
                return replace(known, state="waiting", attempts=known.attempts - 1)
            return replace(known, state="cancelled")
        except (NothingToRenderError, _NoSuchLessonError):
            return replace(known, state="nothing")
        except PlaceError as error:
            _log.warning("a job has to wait for the store: %s", error, extra={"lesson_id": job.lesson_id})
            return replace(known, state="waiting", reason="store_unreachable", attempts=known.attempts - 1)
        except Exception as error:
            if not self._wanted(job):
                return replace(known, state="cancelled")  # its lesson was deleted under its hands
            reason = _reason(error)
            _log.log(
                logging.WARNING if reason == "disk_full" else logging.ERROR,
                "a job failed",
                extra={"lesson_id": job.lesson_id, "kind": job.kind, "reason": reason},
                exc_info=None if reason == "disk_full" else error,
            )
            return replace(watch.known, state="failed", reason=reason)
        return replace(known, state="done", progress=1.0)

    def _make(self, job: Job, watch: _Watch) -> None:
        kind = KINDS[job.kind]
        with contextlib.ExitStack() as held:
            try:
                folder = held.enter_context(self._place.local(job.lesson_id))
            except LookupError as error:
                raise _NoSuchLessonError from error
            if read_manifest(folder).status == "recording":
                raise StillOpenError(job.lesson_id)
            watch(0.0)
            # Imported when it is first needed: PyAV takes a fifth of a second and 60 MB.
            module = importlib.import_module(f"recorder.rendering.{kind.name}")
            if not kind.files:
                module.convert(folder, watch)
                return
            work = self._place.folder / MAKING / f"{job.lesson_id}-{kind.name}"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            try:
                module.render(folder, *(work / Path(name).name for name in kind.files), watch)
                watch.check()
                for name in kind.files:
                    _settle(work / Path(name).name, folder, name)
                derived.add(folder, kind.files)
            finally:
                shutil.rmtree(work, ignore_errors=True)

    def look(self, job: Job, known: Progress) -> None:
        """What is done every now and then while a job runs. Raises Cancelled, and OSError when the disk fills up."""
        if self._ending() or not self._wanted(job):
            raise Cancelled
        room = os.statvfs(self._place.folder)
        if room.f_bavail * room.f_frsize < LEAST_FREE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with contextlib.suppress(JobsUnavailableError):
            self._ledger.note(job, known)
            if not KINDS[job.kind].quick:
                while not self._ending() and self._queue.run_quick():
                    pass

    def _wanted(self, job: Job) -> bool:
        try:
            return self._ledger.wanted(job)
        except JobsUnavailableError:
            return True  # nobody can have said otherwise


class _Watch:
    """The `Progress` of a job."""

    def __init__(self, runner: Runner, job: Job, known: Progress) -> None:
        self._runner = runner
        self._job = job
        self.known = known
        self._looked = 0.0  # on the monotonic clock

    def __call__(self, fraction: float) -> None:
        self.known = replace(self.known, progress=round(min(max(self.known.progress, fraction), 1.0), 4))
        if time.monotonic() - self._looked >= LOOK_EVERY:
            self.check()

    def check(self) -> None:
        self._runner.look(self._job, self.known)
        self._looked = time.monotonic()


class _NoSuchLessonError(Exception):
    """It is not archived, or not any more."""


def _settle(made: Path, folder: Path, name: str) -> None:
    """Put a file into a lesson's folder, whole also after a loss of power. Raises OSError."""
    descriptor = os.open(made, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    parent = (folder / name).parent
    if parent != folder:
        parent.mkdir(exist_ok=True)  # and not the folder itself: a deleted lesson must not come into being again
    made.replace(folder / name)


def _reason(error: Exception) -> str:
    """Why a job failed, in a word that stays the same."""
    if isinstance(error, StillOpenError):
        return "recording_open"
    if isinstance(error, OSError) and error.errno in _FULL:
        return "disk_full"
    from av.error import FFmpegError

    if isinstance(error, FFmpegError | FileNotFoundError | ManifestError):
        return "damaged"
    return "internal"


def _in_vain(job: Job) -> bool:
    """Whether it failed for a reason that may have passed."""
    return job.known.state == "failed" and job.known.reason in ("disk_full", "recording_open")
