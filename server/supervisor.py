"""Starts the processes of a node, starts again what dies, and ends them in order. It has no logic of its own.

It binds every socket itself and hands them down, so a child that returns finds its port as it was. Children die with it
(PR_SET_PDEATHSIG on Linux). They get a session of their own: Ctrl-C reaches only the supervisor, which ends them in
order.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from server.data_folder import PRIVATE, RUN_PREFIX, DataFolder
from server.failure import EXIT_CODE, CannotWorkError
from server.listeners import Listeners, bind, https_hosts
from server.run_folder import LONGEST_SOCKET, RunFolder
from server.settings import Settings

_log = logging.getLogger("tongke.supervisor")
_PR_SET_PDEATHSIG = 1
START_TIME = 30.0  # seconds until a node that is not ready gives up
OPEN_FILES = 65536


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep alive."""

    name: str
    arguments: Sequence[str]  # after the interpreter
    descriptors: Sequence[int] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    grace: float = 5.0  # seconds between SIGTERM and SIGKILL
    speaks: bool = False  # its stdout is ours
    spare: bool = False  # another one waits beside it, loaded, to take its place (spare.py)
    loads: str = ""  # the module that this one loads beyond its program's own


class Backoff:
    """How long to wait before a child is started again: at once when it had lived, longer each time when it had not."""

    FIRST = 0.1  # seconds
    MOST = 2.0
    LIVED = 5.0  # a child that ran this long was not a false start

    def __init__(self) -> None:
        self._delay = self.FIRST

    def died(self, lived: float) -> float:
        """Seconds to wait after a child that lived this many."""
        if lived >= self.LIVED:
            self._delay = self.FIRST
            return 0.0
        delay, self._delay = self._delay, min(self._delay * 2, self.MOST)
        return delay


class Keeper:
    """One child: started, started again when it dies, ended when asked."""

    SPARE_AFTER = 60.0  # seconds; a node that starts, or is only tried out, has other things to do …
    SPARE_AGAIN = 2.0  # … and so has one that gets back on its feet, but it may fall again

    def __init__(self, child: Child, gave_up: Callable[[], None], log: TextIO) -> None:
        self.child = child
        self._log = log
        self._gave_up = gave_up  # called when the child says that it cannot work
        self._process: asyncio.subprocess.Process | None = None
        self._spare: asyncio.subprocess.Process | None = None
        self._ending = False

    @property
    def pid(self) -> int | None:
        """Of the child, None before the first."""
        return self._process.pid if self._process is not None else None

    @property
    def spare_pid(self) -> int | None:
        return self._spare.pid if self._spare is not None else None

    async def keep(self) -> None:
        """Run the child until `end`."""
        backoff = Backoff()
        spare_after = self.SPARE_AFTER
        while not self._ending:
            started = time.monotonic()
            self._process = self._take_spare() or await self._start(self.child.arguments, asyncio.subprocess.DEVNULL)
            keeping = asyncio.create_task(self._keep_spare(spare_after)) if self.child.spare else None
            spare_after = self.SPARE_AGAIN
            try:
                status = await self._process.wait()
            finally:
                if keeping is not None:
                    keeping.cancel()
            if self._ending:
                break
            if status == EXIT_CODE:
                self._gave_up()
            delay = backoff.died(time.monotonic() - started)
            await asyncio.sleep(delay)
            if not self._ending:  # else it has said in one sentence why it cannot work, and that is all there is to say
                _log.warning("%s died, starting it again", self.child.name, extra={"status": status, "delay": delay})

    async def _keep_spare(self, after: float) -> None:
        """Have a spare from `after` seconds on, until we are cancelled; then it is there to be taken."""
        loads = ["--load", self.child.loads] if self.child.loads else []
        arguments = ["-m", "server.spare", *loads, *self.child.arguments[1:]]
        while True:
            await asyncio.sleep(after)
            self._spare = await self._start(arguments, asyncio.subprocess.PIPE)
            await self._spare.wait()
            after = self.SPARE_AFTER

    def _take_spare(self) -> asyncio.subprocess.Process | None:
        """The spare, told to begin; None if there is none."""
        spare, self._spare = self._spare, None
        if spare is None or spare.returncode is not None or spare.stdin is None:
            return None
        spare.stdin.write(b"\n")  # if it dies of it we shall see it die
        spare.stdin.close()
        return spare

    async def _start(self, arguments: Sequence[str], stdin: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=stdin,
            stdout=sys.stdout if self.child.speaks else self._log,  # stdout is for the ready line
            stderr=self._log,
            pass_fds=self.child.descriptors,
            env={**os.environ, **self.child.environment},
            start_new_session=True,
            preexec_fn=die_with_parent,  # the supervisor has no threads that might hold a lock
        )

    async def end(self) -> None:
        """SIGTERM, and SIGKILL for a child that takes too long."""
        self._ending = True
        if self._spare is not None and self._spare.returncode is None:
            self._spare.kill()
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self.child.grace)
        except TimeoutError:
            _log.error("%s does not end, killing it", self.child.name)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


@dataclass(frozen=True, slots=True)
class Node:
    """A node that accepts work."""

    settings: Settings
    listeners: Listeners

    @property
    def http(self) -> str:
        return f"http://{_reachable(self.listeners.http.getsockname())}"

    @property
    def https(self) -> str | None:
        return f"https://{_reachable(self.listeners.https.getsockname())}" if self.listeners.https else None

    @property
    def media(self) -> str:
        first, last = self.listeners.media[0].port, self.listeners.media[-1].port
        return str(first) if first == last else f"{first}-{last}"

    def ready_line(self) -> str:
        return f"ready http={self.http} https={self.https or 'off'} media={self.media}"


def serve(settings: Settings, companion: Callable[[Node], Child] | None = None, log: TextIO | None = None) -> int:
    """Run a node until SIGTERM or Ctrl-C; returns the exit code. A `companion` is started when it is ready.

    What the processes log goes to `log`, else to stderr. Raises CannotWorkError when it cannot begin.
    """
    _raise_limits()
    os.umask(PRIVATE)
    data = DataFolder(settings.data)
    data.prepare(settings)
    with data.lock():
        data.clear_after_kill()
        listeners = bind(settings)
        run = _make_run_folder()
        try:
            return asyncio.run(_serve(Node(settings, listeners), RunFolder(run), data, companion, log or sys.stderr))
        finally:
            data.forget_run()
            listeners.close()
            shutil.rmtree(run, ignore_errors=True)


async def _serve(
    node: Node, run: RunFolder, data: DataFolder, companion: Callable[[Node], Child] | None, log: TextIO
) -> int:
    stop, failed = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    told, tell = os.pipe()
    keepers = [Keeper(child, failed.set, log) for child in children(node, run, tell)]
    tasks = {asyncio.create_task(keeper.keep()) for keeper in keepers}
    try:
        if not await _ready(told, stop, failed):
            return 0 if stop.is_set() else 1
        data.note_run(node.http, run.path)
        sys.stdout.write(node.ready_line() + "\n")
        sys.stdout.flush()
        # Not before: what they do can wait, and would cost the others their start.
        later = [jobs(node.settings), *uploads(node.settings), *([companion(node)] if companion is not None else [])]
        for child in later:
            keepers.insert(0, Keeper(child, lambda: None, log))
            tasks.add(asyncio.create_task(keepers[0].keep()))
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # a keeper that ended by itself is a bug, and says so
        return 0
    finally:
        # In order: nobody new, then the recordings closed with what the workers still send, then the workers.
        for keeper in keepers:
            await keeper.end()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        os.close(told)
        os.close(tell)


def children(node: Node, run: RunFolder, ready: int) -> list[Child]:
    """The processes of a node, in the order in which they are ended."""
    settings, listeners = node.settings, node.listeners
    server = ["-m", "server", "process", "--run", str(run.path), "--http-fd", str(listeners.http.fileno())]
    descriptors = [listeners.http.fileno(), ready]
    if listeners.https is not None:
        server += ["--https-fd", str(listeners.https.fileno())]
        descriptors.append(listeners.https.fileno())
    server += ["--ready-fd", str(ready)]
    recorder = ["-m", "recorder", "--control", str(run.recorder), "--media", str(run.recorder_media)]
    recorder += ["--archive", str(settings.archive.absolute())]
    found = [
        Child("server", server, descriptors, settings.environment(), grace=8.0, spare=True, loads="server.process"),
        Child("recorder", recorder, grace=8.0, spare=True),
    ]
    for number, media in enumerate(listeners.media):
        worker = ["-m", "media", "--control", str(run.worker(number)), "--recorder", str(run.recorder_media)]
        worker += ["--relay", str(run.relay(number))]
        for ip, udp in media.sockets:
            worker += ["--udp", f"{udp.fileno()}={ip}"]
        for ip, tcp in media.listeners:
            worker += ["--tcp", f"{tcp.fileno()}={ip}"]
        for ip in settings.public_ip:
            worker += ["--announce", ip]
        worker += ["--port", str(media.port), "--number", str(number)]
        if listeners.https is not None:
            worker += ["--handover", str(run.handover(number))]
            for ip in https_hosts(listeners, settings.public_ip):
                worker += ["--handed", f"{listeners.https.getsockname()[1]}={ip}"]
        descriptors = [one.fileno() for _, one in (*media.sockets, *media.listeners)]
        found.append(Child(f"worker-{number}", worker, descriptors, grace=2.0, spare=True))
    return found


def jobs(settings: Settings) -> Child:
    """The process that makes posters, exports and the like of lessons that are over."""
    return Child("jobs", ["-m", "server.jobs"], environment=settings.environment(), grace=4.0)


def uploads(settings: Settings) -> list[Child]:
    """The process that sends recordings to an S3 store, where one is their archive."""
    if not settings.archive_in_store:
        return []
    arguments = [
        "-m",
        "recorder.places",
        "--archive",
        str(settings.archive.absolute()),
        "--store",
        settings.archive_url,
    ]
    arguments += ["--endpoint", settings.archive_endpoint] if settings.archive_endpoint else []
    arguments += ["--region", settings.archive_region] if settings.archive_region else []
    arguments += ["--keep", str(settings.archive_keep_hours)]
    credentials = {}
    if settings.archive_access_key:
        credentials = {
            "AWS_ACCESS_KEY_ID": settings.archive_access_key,
            "AWS_SECRET_ACCESS_KEY": settings.archive_secret_key,
        }
    return [Child("uploads", arguments, environment=credentials, grace=4.0)]


async def _ready(told: int, stop: asyncio.Event, failed: asyncio.Event) -> bool:
    """Wait until the server process says so; False when it cannot or nobody wants it any more."""
    loop = asyncio.get_running_loop()
    said = asyncio.Event()
    loop.add_reader(told, said.set)
    waits = [asyncio.create_task(one.wait()) for one in (said, stop, failed)]
    try:
        done, _ = await asyncio.wait(waits, timeout=START_TIME, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            raise CannotWorkError("Tongke does not become ready; what its processes logged stands above.")
        return said.is_set()
    finally:
        loop.remove_reader(told)
        for task in waits:
            task.cancel()


def _make_run_folder() -> Path:
    """For our user only: whoever reaches the sockets in it is obeyed. Raises CannotWorkError."""
    try:
        run = Path(tempfile.mkdtemp(prefix=RUN_PREFIX))
    except OSError as error:
        raise CannotWorkError(
            f"No folder for temporary files can be written ({error.strerror}): set TMPDIR."
        ) from error
    if len(os.fsencode(RunFolder(run).recorder_media)) > LONGEST_SOCKET:
        run.rmdir()
        raise CannotWorkError(f"The name of the folder for temporary files is too long ({run.parent}): set TMPDIR.")
    return run


def _raise_limits() -> None:
    """As many open files as the system lets us have; each class is one, and the usual soft limit is 1024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _reachable(bound: tuple[str, int]) -> str:
    """Where this machine itself reaches a listener. On localhost browsers give camera and microphone without TLS."""
    host, port = bound[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_parent = os.getpid()


def die_with_parent() -> None:
    """Given as `preexec_fn`: a child gets SIGTERM when its parent dies, however that happens."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != _parent:  # it died before we asked
            os._exit(1)
