"""The process that runs jobs: `python -m server.jobs`, its settings by environment. Ends on SIGTERM, exit code 0.

What it is doing then is called off and queued again. It has the lowest priority there is, also for the kernel when
memory runs out: a lesson that is live always comes first.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sqlite3
import sys
import time
from pathlib import Path

os.nice(19)  # before anything is imported, which is work too

from server.archive.places import open_place  # noqa: E402
from server.jobs.ledger import JobsUnavailableError  # noqa: E402
from server.jobs.queue import FILE, Queue  # noqa: E402
from server.jobs.runner import Runner  # noqa: E402
from server.log import to_stderr  # noqa: E402
from server.settings import Settings, load  # noqa: E402

END_TIME = 3.0  # seconds a job has to end after SIGTERM; what does not end then is run again
AGAIN = 30.0  # seconds until a store that cannot be used is tried again; the supervisor's own patience is shorter

_log = logging.getLogger("tongke.jobs")


def main() -> int:
    to_stderr("jobs")
    logging.getLogger("huey").setLevel(logging.WARNING)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
    settings = load()
    try:
        _work(settings)
    except JobsUnavailableError as error:
        _log.error("jobs cannot run: %s", error)
        time.sleep(AGAIN)  # SIGTERM ends it
        return 1
    return 0


def _work(settings: Settings) -> None:
    queue = _open(settings)
    # One thread: a second job would only make the first one slower.
    consumer = queue.huey.create_consumer(
        workers=1, max_delay=1.0, scheduler_interval=60, graceful_signal="TERM", shutdown_timeout=END_TIME
    )
    place = open_place(settings)
    owner = f"{socket.gethostname()} {settings.data.absolute()}"
    runner = Runner(queue, place, owner, consumer.stop_flag.is_set)

    def look_after() -> None:
        runner.recover()
        runner.make_up()

    queue.serve(runner.run, look_after)
    runner.recover(begun=True)
    look_after()
    consumer.run()


def _open(settings: Settings) -> Queue:
    """The queue. A file that is none any more is put aside: all that was in it can be asked for again."""
    try:
        return Queue(settings.data, settings.redis_url)
    except JobsUnavailableError as error:
        path = settings.data / FILE
        cause = error.__cause__
        if not isinstance(cause, sqlite3.DatabaseError) or isinstance(cause, sqlite3.OperationalError):
            raise
        _log.error("%s is damaged and put aside: %s", path, cause)
        for tail in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(FILE + tail).rename(path.with_name(FILE + ".damaged" + tail))
        return Queue(settings.data, settings.redis_url)


if __name__ == "__main__":
    sys.exit(main())
