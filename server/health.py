"""Whether the server lives, whether it can work, and its numbers: /healthz, /readyz, /metrics."""

from __future__ import annotations

import asyncio
from typing import Literal

from aiohttp import hdrs, web
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from server.archive.api import ARCHIVE
from server.door import METER
from server.endpoint import Endpoint, Model, reply
from server.jobs import metrics as job_metrics
from server.jobs.api import JOBS
from server.lessons.api import ROOMS
from server.lessons.statistics import SURVEYS
from server.metrics import CONTENT_TYPE, exposition
from server.recording import RecorderAttachment
from signaling.problems import ProblemError
from signaling.workers import Workers

ENGINE = web.AppKey("engine", AsyncEngine)
WORKERS = web.AppKey("workers", Workers)
RECORDER = web.AppKey("recorder", RecorderAttachment)


class Alive(Model):
    status: Literal["ok"] = "ok"


class Ready(Model):
    status: Literal["ready"] = "ready"
    workers: int
    recorder: bool


async def alive(request: web.Request) -> web.Response:
    return reply(Alive())


async def ready(request: web.Request) -> web.Response:
    """Database, a media worker and the recorder: without one of them a lesson is not what was promised."""
    missing = []
    try:
        async with request.app[ENGINE].connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):
        missing.append("database")
    workers = request.app[WORKERS].connected
    if not workers:
        missing.append("media worker")
    if not request.app[RECORDER].connected:
        missing.append("recorder")
    if missing:
        raise ProblemError(503, "not_ready", "The server is not ready", "missing: " + ", ".join(missing))
    return reply(Ready(workers=workers, recorder=True))


async def metrics(request: web.Request) -> web.Response:
    app = request.app
    measured = {str(number): counters for number, counters in (await app[WORKERS].measure()).items()}
    gauges = {
        "rooms": ("Open rooms", app[ROOMS].count),
        "media_workers_connected": ("Media workers that answer", app[WORKERS].connected),
        "recorder_connected": ("Whether the recorder answers", float(app[RECORDER].connected)),
        "recordings_stopped": ("Lessons on air whose recording had to stop", app[RECORDER].stopped),
        "archive_free_bytes": ("Room on the archive's disk", float(app[ARCHIVE].free_bytes)),
    }
    if (uploads := await asyncio.to_thread(app[ARCHIVE].uploads)) is not None:
        gauges |= {
            "archive_store_reachable": ("Whether the S3 store takes recordings", float(uploads.reachable)),
            "archive_waiting_files": ("Files that wait for the store", uploads.waiting_files),
            "archive_waiting_bytes": ("Bytes that wait for the store", uploads.waiting_bytes),
            "archive_waiting_seconds": ("Since when the oldest of them waits", uploads.oldest_s),
        }
    return web.Response(
        body=exposition(
            app[METER], measured, gauges, list(app[SURVEYS].transports), [await job_metrics.measure(app[JOBS])]
        ),
        headers={hdrs.CONTENT_TYPE: CONTENT_TYPE},
    )


ENDPOINTS = (
    Endpoint("GET", "/healthz", alive, "The server process lives", reply=Alive, open=True),
    Endpoint("GET", "/readyz", ready, "The server can carry lessons", reply=Ready, codes=("not_ready",), open=True),
    Endpoint("GET", "/metrics", metrics, "Prometheus metrics", open=True),
)
