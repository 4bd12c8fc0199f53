"""huey as we use it: one queue in `<data>/jobs.sqlite3`, or in Redis where several nodes share it.

A task carries nothing but ids, as JSON: huey's own way is pickle, which lets whoever can write to the store run code
here. All that is to be known of a job stands in the ledger, in the same store.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huey import PriorityRedisHuey, SqliteHuey, crontab
from huey.registry import Message
from huey.serializer import Serializer

from server.jobs.kinds import KINDS
from server.jobs.ledger import Job, Ledger, available

FILE = "jobs.sqlite3"
_NAME = "tongke"
_QUICK = min(kind.priority for kind in KINDS.values() if kind.quick)

Run = Callable[[str, str, str], None]  # lesson id, kind, job id


class _Json(Serializer):  # type: ignore[misc] # huey has no types
    """Messages without times: nothing is put off in huey's own schedule."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(list(data)).encode()

    def _deserialize(self, data: bytes) -> Any:
        return Message(*json.loads(bytes(data)))


class Queue:
    """Jobs on their way to whoever runs them; the same for those who ask and for the one who runs."""

    def __init__(self, data: Path, redis_url: str = "") -> None:
        """In the folder `data`, or in Redis. Raises JobsUnavailableError."""
        with available():
            self.huey = _open(data, redis_url)
        self.ledger = Ledger(self.huey.storage)
        self._run: Run | None = None

        def job(lesson_id: str, kind: str, job_id: str) -> None:  # known to huey by its name and this module's
            assert self._run is not None, "jobs run in the process of server/jobs/__main__.py only"
            self._run(lesson_id, kind, job_id)

        self._task = self.huey.task()(job)

    def serve(self, run: Run, look_after: Callable[[], None]) -> None:
        """For the process that runs jobs: what to do with one, and what to do every ten minutes."""
        self._run = run
        self.huey.periodic_task(crontab(minute="*/10"), priority=100, name="look_after")(lambda: look_after())

    def put(self, job: Job) -> None:
        """Give it its turn, by the priority of its kind. Raises JobsUnavailableError."""
        task = self._task.s(job.lesson_id, job.kind, job.job_id)
        task.priority = KINDS[job.kind].priority
        with available():
            self.huey.enqueue(task)

    def waiting(self, most: int | None = None) -> list[tuple[str, str, str]]:
        """Lesson, kind and id of what waits, first those that come first. Raises JobsUnavailableError."""
        with available():
            return [tuple(task.args) for task in self.huey.pending(most) if len(task.args) == 3]

    def run_quick(self) -> bool:
        """Do what is quick and first in the queue, here and now; False when there is no such thing.

        Raises JobsUnavailableError.
        """
        with available():
            first = self.huey.pending(1)
            if not first or (first[0].priority or 0) < _QUICK:
                return False
            task = self.huey.dequeue()  # that one, or one that has just come before it
        if task is None:
            return False
        self.huey.execute(task)
        return True

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        self.huey.storage.close()


def _open(data: Path, redis_url: str) -> Any:
    common = {"results": False, "serializer": _Json()}
    if redis_url:
        return PriorityRedisHuey(_NAME, url=redis_url, **common)
    return SqliteHuey(_NAME, filename=str(data / FILE), cache_mb=1, strict_fifo=True, **common)
