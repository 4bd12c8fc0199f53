"""A real `tongke serve` on free ports, in a folder of its own, with the calls a test needs around it.

The server runs as its users run it: as a command, with its children; tests reach it by its command line and its URLs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import aiohttp
import psutil

READY_WITHIN = 30.0  # seconds; two are the budget, the rest is for a machine that runs other tests too
ENDED_WITHIN = 15.0  # seconds

Part = Literal["worker", "recorder", "server"]
_COMMANDS: dict[Part, re.Pattern[str]] = {
    "worker": re.compile(r" -m media( |$)"),
    "recorder": re.compile(r" -m recorder( |$)"),
    "server": re.compile(r" -m server process( |$)"),
}


@dataclass(frozen=True, slots=True)
class Lesson:
    lesson_id: str
    class_code: str
    join_url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP request brought."""

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class TongkeError(Exception):
    """The command did not do what it should; the argument is what it said."""


class Tongke:
    """`async with Tongke(folder) as tongke:` — started, ready, and stopped at the end."""

    def __init__(self, data: Path, *flags: str) -> None:
        self.data = data
        self.http = ""  # http://127.0.0.1:port
        self.https = ""  # https://127.0.0.1:port, or off
        self.media_port = 0  # UDP, of the first worker
        self._flags = flags
        self._process: Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self._log = data.parent / f"{data.name}.log"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        try:
            await self.start()
        except BaseException:
            await self._session.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()
        await self.stop()

    async def start(self) -> None:
        """Start `serve` and wait for its ready line. Raises TongkeError with its log when it does not come."""
        secure = () if "--https" in self._flags else ("--no-https",)
        command = ("serve", "--http", "127.0.0.1:0", *secure, "--media-port", "0", "--workers", "1", *self._flags)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "server", *command, stdout=PIPE, stderr=log, env=self._environment()
            )
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(READY_WITHIN):
                line = (await self._process.stdout.readline()).decode()
        except TimeoutError:
            line = ""
        said = dict(re.findall(r"(\w+)=(\S+)", line))
        if not line.startswith("ready ") or "http" not in said:
            await self.stop()
            raise TongkeError(f"no ready line but {line!r}\n{self.log[-4000:]}")
        where = said["http"]
        self.http = where.rstrip("/") if "://" in where else f"http://{where}"
        self.https = said.get("https", "off")
        self.media_port = int(said.get("media", "0").partition("-")[0])

    async def stop(self) -> int | None:
        """End it as an operator would, and wait. The exit code; None when it was not running or had to be killed."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            family = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(ENDED_WITHIN):
                    await process.wait()
            except TimeoutError:
                for member in (*family, psutil.Process(process.pid)):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        member.kill()
                await process.wait()
                return None
        return process.returncode

    @property
    def log(self) -> str:
        """What it has written to stderr so far."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def pid(self, part: Part, worker: int = 0) -> int | None:
        """The process id of a child, of several workers this one; None while it is being started again."""
        assert self._process is not None
        for child in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                command = " ".join(child.cmdline())
                if _COMMANDS[part].search(command) and (part != "worker" or f"worker-{worker}.sock" in command):
                    return child.pid
        return None

    def spares(self) -> int:
        """How many processes stand by, loaded or loading, to take another's place."""
        assert self._process is not None
        count = 0
        for child in psutil.Process(self._process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                count += "server.spare" in child.cmdline()
        return count

    def kill(self, part: Part, worker: int = 0) -> int:
        """kill -9 of a child; the pid it had."""
        pid = self.pid(part, worker)
        if pid is None:
            raise TongkeError(f"there is no {part} process")
        os.kill(pid, signal.SIGKILL)
        return pid

    async def command(self, *arguments: str) -> str:
        """What `tongke …` prints. Raises TongkeError when it exits with another code than 0."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server", *arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=self._environment()
        )
        said, complained = await process.communicate()
        if process.returncode != 0:
            raise TongkeError(f"tongke {' '.join(arguments)}: {process.returncode}: {complained.decode()}")
        return said.decode()

    async def add_user(self, name: str, role: str) -> str:
        """A new account; its password."""
        return (await self.command("user", "add", name, "--role", role)).partition("password:")[2].strip()

    async def create_lesson(self, title: str = "勾股定理") -> Lesson:
        made = json.loads(await self.command("lesson", "create", "--title", title, "--json"))
        return Lesson(made["lesson_id"], made["class_code"], made["join_url"])

    async def end_lesson(self, lesson_id: str) -> None:
        await self.command("lesson", "end", lesson_id)

    async def token(self, lesson_id: str, role: str, name: str | None = None) -> str:
        """A grant for one lesson and one role."""
        named = ("--name", name) if name else ()
        return (await self.command("token", "--lesson", lesson_id, "--role", role, *named)).strip()

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One HTTP request to the server."""
        assert self._session is not None
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        async with self._session.request(method, self.http + path, data=body, headers=sent) as response:
            return Answer(response.status, dict(response.headers), await response.read())

    async def recording(self, lesson_id: str, token: str) -> Any:
        """The body of GET /api/lessons/{id}/recording. Raises TongkeError for another status than 200."""
        answer = await self.request("GET", f"/api/lessons/{lesson_id}/recording", token=token)
        if answer.status != 200:
            raise TongkeError(f"recording of {lesson_id}: {answer.status} {answer.body!r}")
        return answer.json

    async def finished_recording(self, lesson_id: str, within: float = 5.0) -> Any:
        """The recording of a lesson that has just ended. Raises TongkeError when it is not ready `within` seconds."""
        token = await self.token(lesson_id, "lead_teacher")
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        while (recording := await self.recording(lesson_id, token))["status"] != "ready":
            if loop.time() > until:
                raise TongkeError(f"not ready: {recording}\n{self.log[-4000:]}")
            await asyncio.sleep(0.05)
        return recording

    def _environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TONGKE_")}
        return {**clean, "TONGKE_DATA": str(self.data), "PYTHONUNBUFFERED": "1"}
