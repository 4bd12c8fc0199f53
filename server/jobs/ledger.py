"""What is known of each job: asked for, waiting, running, how far, how it ended. It lies in the store of huey's queue.

huey forgets a task when it hands it out; what is lost with a killed process stands here still and is queued again.
Whoever asks for a job writes that it is wanted, and whether it still is; only the process that runs it writes how far
it is. So no two processes ever write the same key, and none needs a lock but the one that says who runs a job. A job
asked for again has a new id; of the one before nobody wants to know any more.

    job/<lesson_id>/<kind>   which job id that is now
    <job_id>/state           how far it is; not there while it has not begun
    <job_id>/cancel          nobody wants it any more
    <job_id>/lock            who runs it

What a job has made stands in the lesson's manifest, not here: a record that says `done` may be forgotten.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol

from huey.constants import EmptyData
from redis.exceptions import RedisError

from server.jobs.kinds import KINDS, KindName

JobState = Literal["waiting", "running", "done", "nothing", "failed", "cancelled"]
UNFINISHED: tuple[JobState, ...] = ("waiting", "running")

_TALLY = "tally/"  # followed by who keeps it


class JobsUnavailableError(Exception):
    """The store of jobs (a file, or Redis) cannot be used now."""


class Store(Protocol):
    """What is needed of huey's storage; all its values are bytes."""

    def put_data(self, key: str, value: bytes) -> None: ...
    def put_if_empty(self, key: str, value: bytes) -> bool: ...
    def peek_data(self, key: str) -> Any: ...
    def peek_many(self, keys: list[str]) -> dict[Any, Any]: ...
    def delete_data(self, key: str) -> bool: ...
    def result_items(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """What the process that runs a job says of it."""

    state: JobState = "waiting"
    progress: float = 0.0  # 0 … 1
    reason: str = ""  # why it failed: "disk_full", "crashed", "damaged", "internal" …
    attempts: int = 0  # how often it was begun
    at_s: float = 0.0  # when this was written, since 1970


@dataclass(frozen=True, slots=True)
class Job:
    job_id: str
    lesson_id: str
    kind: KindName
    asked_s: float  # since 1970
    known: Progress

    @property
    def unfinished(self) -> bool:
        return self.known.state in UNFINISHED


class Ledger:
    """Every method may wait for a disk or a network, and raises JobsUnavailableError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # ── those who ask ─────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, lesson_id: str, kind: KindName) -> Job:
        """A new job, in place of the one there may have been."""
        job = Job(secrets.token_hex(8), lesson_id, kind, time.time(), Progress())
        with available():
            self._store.put_data(_pointer(lesson_id, kind), _dump({"job_id": job.job_id, "asked_s": job.asked_s}))
        return job

    def find(self, lesson_id: str, kinds: Iterable[KindName]) -> dict[KindName, Job]:
        """The jobs of a lesson that are known, of these kinds."""
        wanted = list(kinds)
        with available():
            pointers = self._many([_pointer(lesson_id, kind) for kind in wanted])
            ids = {kind: _load(value) for kind in wanted if (value := pointers.get(_pointer(lesson_id, kind)))}
            details = self._many([f"{one['job_id']}/{what}" for one in ids.values() for what in ("state", "cancel")])
        return {kind: _job(lesson_id, kind, one, details) for kind, one in ids.items()}

    def cancel(self, job: Job) -> None:
        """Nobody wants it any more; one that runs sees it soon."""
        with available():
            self._store.put_data(f"{job.job_id}/cancel", b"1")

    def forget(self, lesson_id: str, kinds: Iterable[KindName] = tuple(KINDS)) -> None:
        """A lesson's jobs, of these kinds: cancelled and not known any more."""
        with available():
            for kind in kinds:
                self._store.delete_data(_pointer(lesson_id, kind))

    # ── the one who runs ──────────────────────────────────────────────────────────────────────────────────────────

    def claim(self, job_id: str, owner: str) -> bool:
        """Whether `owner` is the one who runs this job now."""
        with available():
            return self._store.put_if_empty(f"{job_id}/lock", owner.encode())

    def release(self, job_id: str) -> None:
        with available():
            self._store.delete_data(f"{job_id}/lock")

    def owner(self, job_id: str) -> str | None:
        """Who runs it."""
        with available():
            value = self._store.peek_data(f"{job_id}/lock")
        return None if value is EmptyData else bytes(value).decode()

    def wanted(self, job: Job) -> bool:
        """Whether anybody still wants this very job."""
        now = self.find(job.lesson_id, (job.kind,)).get(job.kind)
        return now is not None and now.job_id == job.job_id and now.known.state != "cancelled"

    def note(self, job: Job, known: Progress) -> None:
        """How far it is."""
        with available():
            self._store.put_data(f"{job.job_id}/state", _dump(asdict(replace(known, at_s=time.time()))))

    # ── those who look after all ──────────────────────────────────────────────────────────────────────────────────

    def all(self) -> list[Job]:
        """Every job that is known."""
        with available():
            items = {_text(key): value for key, value in self._store.result_items().items()}
        jobs = []
        for key, value in items.items():
            if key.startswith("job/"):
                _, lesson_id, kind = key.split("/")
                if kind in KINDS:
                    jobs.append(_job(lesson_id, kind, _load(value), items))
        return jobs

    def prune(self, before_s: float) -> None:
        """Forget what is finished since before this moment, and all that no job points to any more."""
        kept = set()
        for job in self.all():
            if job.known.state == "done" and job.known.at_s < before_s:
                self.forget(job.lesson_id, (job.kind,))
            else:
                kept.add(job.job_id)
        with available():
            for key in map(_text, self._store.result_items()):
                job_id, slash, what = key.partition("/")
                if slash and what in ("state", "cancel", "lock") and job_id not in kept:
                    self._store.delete_data(key)

    def count(self, owner: str, kind: KindName, outcome: str, seconds: float) -> None:
        """Add to what `owner` has done; nobody else writes that."""
        key = _TALLY + owner.replace("/", "_")
        with available():
            value = self._store.peek_data(key)
            tally = {} if value is EmptyData else _load(value)
            done, took = tally.get(f"{kind}/{outcome}", (0, 0.0))
            tally[f"{kind}/{outcome}"] = (done + 1, took + seconds)
            self._store.put_data(key, _dump(tally))

    def tally(self) -> dict[tuple[str, str], tuple[int, float]]:
        """By kind and outcome: how many jobs have ended so since the store was made, and their seconds together."""
        with available():
            items = self._store.result_items()
        found: dict[tuple[str, str], tuple[int, float]] = {}
        for key, value in items.items():
            if _text(key).startswith(_TALLY):
                for name, (done, took) in _load(value).items():
                    kind, _, outcome = name.partition("/")
                    before = found.get((kind, outcome), (0, 0.0))
                    found[kind, outcome] = (before[0] + done, before[1] + took)
        return found

    def _many(self, keys: list[str]) -> dict[str, bytes]:
        if not keys:
            return {}
        return {_text(key): bytes(value) for key, value in self._store.peek_many(keys).items()}


def _job(lesson_id: str, kind: KindName, pointer: dict[str, Any], details: dict[str, Any]) -> Job:
    job_id = pointer["job_id"]
    state = details.get(f"{job_id}/state")
    known = Progress(**_load(state)) if state is not None else Progress()
    if known.state in UNFINISHED and f"{job_id}/cancel" in details:
        known = replace(known, state="cancelled")
    return Job(job_id, lesson_id, kind, pointer["asked_s"], known)


def _pointer(lesson_id: str, kind: str) -> str:
    return f"job/{lesson_id}/{kind}"


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _load(value: bytes) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(bytes(value))
    return loaded


def _text(key: str | bytes) -> str:
    return key if isinstance(key, str) else key.decode()


@contextlib.contextmanager
def available() -> Iterator[None]:
    """What a store cannot do is a JobsUnavailableError, whichever store it is."""
    try:
        yield
    except (RedisError, sqlite3.Error, OSError) as error:
        raise JobsUnavailableError(str(error)) from error
