"""A house for tests of the doors: real rooms behind real HTTP, and real media workers, all in one event loop.

Tokens are `role:lesson[:name[:sub]]`, so that a test reads as it is. `crash` is what kill -9 does: a second set of
rooms begins from the log as it stood and takes the workers over.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from media import messages as media
from media.endpoint import Endpoint, Local
from signaling import placement
from signaling import socket as socket_door
from signaling import whip as whip_door
from signaling.bus_memory import MemoryBus
from signaling.events import Event, RecordingPolicy, SlidesAdded
from signaling.grants import Grant, GrantError, GrantRole, Role
from signaling.observers import LessonInfo, LivePublication, MediaWorker
from signaling.rooms import Limits, Rooms
from signaling.turn import IceServers, no_ice_servers
from signaling.workers import Workers

CAPTURES = Path(__file__).parents[1] / "support" / "captures"
WITHIN = 20.0  # seconds any one answer may take: on a busy machine a worker takes over five to start


def captured_offer(browser: str, direction: str) -> str:
    """An offer as the browser made it."""
    return str(json.loads((CAPTURES / f"{browser}.json").read_text())[direction]["offer"])


def receiving_offer() -> str:
    """What a page offers to receive: three audio and four video sections, made from a browser's own."""
    sdp = captured_offer("chromium", "receive")
    head, *sections = sdp.split("m=")
    audio = next(section for section in sections if section.startswith("audio"))
    video = next(section for section in sections if section.startswith("video"))
    mids = [str(number) for number in range(7)]
    head = re.sub(r"a=group:BUNDLE[^\r\n]*", f"a=group:BUNDLE {' '.join(mids)}", head)
    parts = [audio] * 3 + [video] * 4
    return head + "".join(
        "m=" + re.sub(r"a=mid:\S+", f"a=mid:{mid}", part) for mid, part in zip(mids, parts, strict=True)
    )


def verify(token: str) -> Grant:
    role, _, rest = token.partition(":")
    lesson_id, name, participant_id = [*rest.split(":"), "", ""][:3]
    if role == "expired":
        raise GrantError("token_expired")
    if role not in typing.get_args(GrantRole) and role not in typing.get_args(Role):
        raise GrantError("token_invalid")
    return Grant(lesson_id, typing.cast(GrantRole, role), participant_id or None, name or None, expires_at=4e9)


class Directory:
    """Lessons l-1 … l-9; those in `ended` are over."""

    def __init__(self) -> None:
        self.ended: set[str] = set()

    async def find(self, lesson_id: str) -> LessonInfo | None:
        if not (lesson_id.startswith("l-") and lesson_id[2:].isdigit() and len(lesson_id) == 3):
            return None
        return LessonInfo(lesson_id, "二元一次方程组", "ended" if lesson_id in self.ended else "scheduled", None)


class Watcher:
    """An observer that notes what it is told, and records as the server's recorder attachment does."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.told: list[tuple[Any, ...]] = []
        self.events: list[Event] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    def room_opened(self, lesson_id: str, epoch_us: int, title: str, policy: RecordingPolicy) -> None:
        self.told.append(("opened", lesson_id))

    def event_stored(self, lesson_id: str, event: Event) -> None:
        self.events.append(event)

    def publication_added(self, lesson_id: str, publication: LivePublication, worker: MediaWorker) -> None:
        self.told.append(("added", publication.source, publication.lead))
        record = media.Record(
            publication.publication_id, lesson_id, publication.participant_id, publication.source, publication.lead, 0
        )
        self._ask(worker, record)

    def publication_removed(self, lesson_id: str, publication_id: str, worker: MediaWorker) -> None:
        self.told.append(("removed", publication_id))
        self._ask(worker, media.StopRecording(publication_id))

    async def room_ended(self, lesson_id: str) -> None:
        self.told.append(("ended", lesson_id))
        self.directory.ended.add(lesson_id)

    def _ask(self, worker: MediaWorker, message: media.Request) -> None:
        async def ask() -> None:
            with contextlib.suppress(ConnectionError):
                await worker.request(message)

        task = asyncio.create_task(ask())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Shelf:
    """Slides that are ready, the same for every lesson."""

    def __init__(self, slides: list[SlidesAdded]) -> None:
        self._slides = slides

    async def ready(self, lesson_id: str) -> list[SlidesAdded]:
        return self._slides


class RunningWorker:
    """A media worker of this process, on loopback."""

    def __init__(self, path: Path) -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        self.endpoint = Endpoint([Local(sock, "127.0.0.1")], [], sock.getsockname()[1])
        self._sock = sock
        self._task = asyncio.create_task(self.endpoint.run(str(path), None, str(path.with_suffix(".relay"))))

    def held(self) -> media.Held:
        held = self.endpoint.worker.handle(media.ListHeld(), 0.0)
        assert isinstance(held, media.Held)
        return held

    def tell(self, event: media.Event) -> None:
        self.endpoint.control.tell(event)

    async def die(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._sock.close()


class WorkerProcess:
    """A media worker as the supervisor starts it."""

    def __init__(self, path: Path) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        descriptor, port = self._sock.fileno(), self._sock.getsockname()[1]
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "media",
                f"--control={path}",
                f"--relay={path.with_suffix('.relay')}",
                f"--udp={descriptor}=127.0.0.1",
                f"--port={port}",
            ],
            pass_fds=[self._sock.fileno()],
        )

    async def die(self) -> None:
        self._process.kill()
        self._process.wait()
        self._sock.close()


class House:
    """`processes`: the workers are processes of their own, to be killed by `replace_worker`."""

    def __init__(
        self,
        folder: Path,
        workers: int = 1,
        limits: Limits | None = None,
        *,
        processes: bool = False,
        viewers: int = placement.VIEWERS,
    ) -> None:
        self.folder = folder
        self.directory = Directory()
        self.watcher = Watcher(self.directory)
        self.ice_servers: IceServers = no_ice_servers
        self.shelf: list[SlidesAdded] = []  # slides of every lesson, from the next life of the server on
        self.workers: list[RunningWorker] = []
        self.processes: list[WorkerProcess] = []
        self._in_processes = processes
        self._limits = limits
        self._viewers = viewers  # of one worker
        self._count = workers
        self._logs = folder / "rooms"
        self._lives = 0
        self._session: aiohttp.ClientSession | None = None
        self._people: list[Person] = []

    async def __aenter__(self) -> Self:
        for number in range(self._count):
            if self._in_processes:
                self.processes.append(WorkerProcess(self.path(number)))
            else:
                self.workers.append(RunningWorker(self.path(number)))
        self._session = aiohttp.ClientSession()
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for person in self._people:
            await person.vanish()
        assert self._session is not None
        await self._session.close()
        await self.stop()
        for worker in self.workers:
            await worker.die()
        for process in self.processes:
            await process.die()

    @property
    def http(self) -> aiohttp.ClientSession:
        assert self._session is not None
        return self._session

    def path(self, number: int) -> Path:
        return self.folder / f"worker-{number}.sock"

    async def start(self) -> None:
        """A server process begins."""
        self.bus = MemoryBus(self._logs)
        self.pool = Workers([self.path(number) for number in range(self._count)], self._viewers)
        self.rooms = Rooms(
            bus=self.bus,
            workers=self.pool,
            directory=self.directory,
            observers=[self.watcher],
            verify=verify,
            secret=b"secret",
            limits=self._limits,
            slides=Shelf(self.shelf),
        )
        await self.rooms.start()
        app = web.Application()
        app.add_routes(socket_door.routes(self.rooms, self.ice_servers))
        app.add_routes(whip_door.routes(self.rooms, self.ice_servers))
        app.router.add_get("/page", _empty_page)
        self._runner = web.AppRunner(app, handler_cancellation=False, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        port = typing.cast(asyncio.Server, site._server).sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """The server process is asked to end."""
        await self.rooms.close()
        await self._runner.cleanup()

    async def crash(self) -> None:
        """The server process is killed, and the next one begins."""
        self._lives += 1
        logs = self.folder / f"rooms-{self._lives}"
        shutil.copytree(self._logs, logs)
        await self.stop()
        self._logs = logs
        await self.start()

    async def replace_worker(self, number: int) -> None:
        """The media worker is killed, and the supervisor starts the next one."""
        if self._in_processes:
            await self.processes[number].die()
            self.processes[number] = WorkerProcess(self.path(number))
        else:
            await self.workers[number].die()
            self.workers[number] = RunningWorker(self.path(number))

    async def open(self, lesson_id: str = "l-1") -> Person:
        """A socket that has said nothing yet."""
        person = Person(await self.http.ws_connect(f"{self.url}/ws/{lesson_id}", max_msg_size=0))
        self._people.append(person)
        return person

    async def enter(self, role: str, name: str = "", lesson_id: str = "l-1", **more: Any) -> Person:
        """Someone who has come in."""
        person = await self.open(lesson_id)
        await person.say("hello", token=f"{role}:{lesson_id}", name=name, **more)
        person.welcome = await person.next("welcome")
        return person


class Person:
    """The browser's end of a WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.welcome: dict[str, Any] = {}
        self.heard: list[dict[str, Any]] = []  # and not yet asked for
        self.close_code = 0
        self._numbers = iter(range(100, 1_000_000))

    @property
    def id(self) -> str:
        return str(self.welcome["participant_id"])

    @property
    def resume(self) -> dict[str, Any]:
        return {"session": self.welcome["session"], "seq": self.welcome["seq"]}

    async def say(self, type: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"type": type, **fields}))

    async def ask(self, type: str, **fields: Any) -> dict[str, Any]:
        """Say something and wait for the reply."""
        number = next(self._numbers)
        await self.say(type, id=number, **fields)
        return await self.find(lambda message: message.get("re") == number)

    async def offer(self, direction: str, sdp: str, generation: int = 1, **tracks: str) -> dict[str, Any]:
        """Offer; `tracks` is source by mid with an underscore before: `_0="microphone"`."""
        named = [{"mid": mid[1:], "source": source} for mid, source in tracks.items()]
        return await self.ask("offer", direction=direction, sdp=sdp, generation=generation, tracks=named)

    async def next(self, type: str) -> dict[str, Any]:
        return await self.find(lambda message: message["type"] == type)

    async def event(self, kind: str, **payload: Any) -> dict[str, Any]:
        """The next event of the kind whose payload says this."""
        return await self.find(
            lambda message: (
                message["type"] == "event"
                and message["kind"] == kind
                and all(message["payload"][key] == value for key, value in payload.items())
            )
        )

    async def error(self) -> str:
        return str((await self.next("error"))["code"])

    async def find(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message that fits, of those not yet asked for."""
        async with asyncio.timeout(WITHIN):
            while True:
                for index, message in enumerate(self.heard):
                    if wanted(message):
                        return self.heard.pop(index)
                await self._hear()

    async def closed(self) -> int:
        """The code with which the server closes."""
        async with asyncio.timeout(WITHIN):
            with contextlib.suppress(EOFError):
                while True:
                    await self._hear()
        return self.close_code

    async def quiet(self) -> None:
        """Wait until all that was said so far is heard."""
        await self.ask("ping")

    async def vanish(self) -> None:
        """The line is cut: no goodbye."""
        connection = self.socket._conn
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self.socket._closed = True
        await asyncio.sleep(0)

    async def _hear(self) -> None:
        message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            if message.type is aiohttp.WSMsgType.CLOSE:
                self.close_code = int(message.data)
            raise EOFError(f"closed with {self.close_code}: {self.heard}")
        self.heard.append(json.loads(message.data))


async def _empty_page(request: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>page</title>", content_type="text/html")


async def eventually(what: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(WITHIN):
        while not what():
            await asyncio.sleep(0.005)
