"""The server process: pages, API and signaling on listening sockets inherited from the supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from dataclasses import dataclass

from aiohttp import web

from server import door, health, tls
from server.app import build
from server.door import QuietAboutBadRequests
from server.failure import EXIT_CODE, CannotWorkError
from server.https_port import HttpsPort
from server.listeners import local_addresses
from server.log import to_stderr
from server.run_folder import RunFolder
from server.secret import load_secret
from server.settings import Settings
from signaling.workers import MediaUnavailableError

CLOSE_TIME = 3.0  # seconds open requests get when the server process ends
KEEP_ALIVE = 75.0  # seconds; longer than a page's 5 s ping and a player's 6 s segments


@dataclass(frozen=True, slots=True)
class Inherited:
    """File descriptors from the supervisor."""

    http: int
    https: int | None
    ready: int  # a line is written to it when work is accepted


def main(settings: Settings, run: RunFolder, inherited: Inherited) -> int:
    """Serve until SIGTERM; returns the exit code."""
    to_stderr("server")
    try:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, run, inherited))
    except CannotWorkError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CODE
    return 0


async def _serve(settings: Settings, run: RunFolder, inherited: Inherited) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    context = tls.server_context(settings, local_addresses()) if inherited.https is not None else None
    app = build(settings, load_secret(settings.secret), run)
    logging.getLogger("aiohttp.server").addFilter(QuietAboutBadRequests())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_TIME, keepalive_timeout=KEEP_ALIVE)
    try:
        await runner.setup()
        await web.SockSite(runner, socket.socket(fileno=inherited.http)).start()
        if inherited.https is not None and context is not None:
            https = socket.socket(fileno=inherited.https)
            workers = [run.handover(number) for number in range(settings.worker_count)]
            await HttpsPort(runner, https, context, workers, app[door.METER].connection).start()
        ready = asyncio.create_task(_tell_when_ready(app, inherited.ready))
        await stop.wait()
        ready.cancel()
    finally:
        await runner.cleanup()


async def _tell_when_ready(app: web.Application, descriptor: int) -> None:
    """Pages are there before; work is accepted when a media worker and the recorder answer."""
    await app[health.RECORDER].reached()
    while not app[health.WORKERS].connected:
        with contextlib.suppress(MediaUnavailableError):
            await app[health.WORKERS].choose()
    os.write(descriptor, b"ready\n")
