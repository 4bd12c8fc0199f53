"""A room full of talk: sixty WebSocket clients, five messages and ten signals a second. How late is it heard?

    python -m tests.bench.room [--seconds S] [--clients N]

A real server, as its users run it; a teacher and classes that say hello as pages do. Messages go to everybody, signals
to the teacher and back to their sender. A delay is from the sender's call until the text is in the receiver's hands, in
one process with one clock, so what the load itself is late counts against the server.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from array import array
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench.machine import Meter
from tests.support.server import Tongke

CLIENTS = 60  # the teacher among them
MESSAGES = 5.0  # a second, of the whole room
SIGNALS = 10.0
BUDGET = 200.0  # ms, of 95 in 100
WORDS = ("slower", "unclear", "inaudible", "again")
PING = 5.0  # seconds, as pages do
WITHIN = 30.0  # seconds for a welcome, and for the last event to come


@dataclass(frozen=True, slots=True)
class Room:
    """One room for a while."""

    clients: int
    seconds: float
    messages: int
    signals: int
    heard: int  # of all of them by all who were to hear them
    missing: int
    p50_ms: float
    p95_ms: float
    worst_ms: float
    cpu_share: float  # of one core, the server process
    load_share: float  # of one core, this load
    others: float  # share of the machine

    @property
    def kept(self) -> bool:
        return self.p95_ms < BUDGET and self.missing == 0

    def __str__(self) -> str:
        return (
            f"{self.clients} clients for {self.seconds:.0f} s, {self.messages} messages and {self.signals} signals: "
            f"p50 {self.p50_ms:.1f} ms, p95 {self.p95_ms:.1f} ms, at worst {self.worst_ms:.0f} ms, {self.missing} of "
            f"{self.heard + self.missing} missing; server {self.cpu_share:.1%} of a core, load {self.load_share:.1%}, "
            f"others {self.others:.0%}: {'kept' if self.kept else 'MISSED'}"
        )


class Talk:
    """What was said when, and how late it was heard."""

    def __init__(self) -> None:
        self.delays = array("d")  # seconds
        self.expected = 0
        self.messages: list[float] = []  # when each was sent; its text is its number
        self.signals: defaultdict[str, list[float]] = defaultdict(list)  # by who gave them, in order

    @property
    def missing(self) -> int:
        return self.expected - len(self.delays)


class Client:
    """One page's socket."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, talk: Talk) -> None:
        self.participant_id = ""
        self._ws = ws
        self._talk = talk
        self._numbers = itertools.count(1)
        self._signals: defaultdict[str, int] = defaultdict(int)  # heard, by who gave them

    async def enter(self, token: str, name: str) -> None:
        welcome = await self.ask("welcome", "hello", token=token, name=name, headcount=40)
        self.participant_id = welcome["participant_id"]

    async def ask(self, reply: str, kind: str, **fields: Any) -> Any:
        """The reply of this type, before anybody listens. Raises RuntimeError when it is refused."""
        await self.say(kind, id=next(self._numbers), **fields)
        async with asyncio.timeout(WITHIN):
            while (said := await self._ws.receive_json())["type"] != reply:
                if said["type"] == "error":
                    raise RuntimeError(f"refused: {said}")
        return said

    async def say(self, kind: str, **fields: Any) -> None:
        await self._ws.send_str(json.dumps({"type": kind, **fields}))

    async def listen(self) -> None:
        """Until the socket closes. Raises RuntimeError for what the server refuses."""
        async for text in self._ws:
            now = time.monotonic()
            if text.type is not aiohttp.WSMsgType.TEXT:
                return
            said = json.loads(text.data)
            if said["type"] == "error":
                raise RuntimeError(f"refused: {said}")
            if said["type"] != "event":
                continue
            if said["kind"] == "chat":
                self._talk.delays.append(now - self._talk.messages[int(said["payload"]["text"])])
            elif said["kind"] == "signal":
                giver = said["payload"]["participant_id"]
                self._talk.delays.append(now - self._talk.signals[giver][self._signals[giver]])
                self._signals[giver] += 1

    async def ping(self) -> None:
        await asyncio.sleep(random.uniform(0, PING))
        while True:
            await self.say("ping", id=next(self._numbers))
            await asyncio.sleep(PING)


async def room(seconds: float = 600.0, clients: int = CLIENTS) -> Room:
    """One row."""
    with tempfile.TemporaryDirectory() as folder:
        async with Tongke(Path(folder) / "data") as tongke, aiohttp.ClientSession() as session:
            return await _talked(tongke, session, seconds, clients)


async def _talked(tongke: Tongke, session: aiohttp.ClientSession, seconds: float, clients: int) -> Room:
    lesson = await tongke.create_lesson("热闹的课")
    grants = {role: await tongke.token(lesson.lesson_id, role) for role in ("lead_teacher", "receiving_class")}
    talk = Talk()
    people = []
    for number in range(clients):
        client = Client(await session.ws_connect(f"{tongke.http}/ws/{lesson.lesson_id}"), talk)
        await client.enter(grants["receiving_class" if number else "lead_teacher"], f"六({number})班")
        people.append(client)
        if number == 0:
            await client.ask("done", "start")
            await client.ask("done", "chat_to_all", allowed=True)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for each in people for work in (each.listen(), each.ping())]
        pid = tongke.pid("server")
        assert pid is not None
        meter = Meter(pid)
        async with asyncio.TaskGroup() as both:
            both.create_task(_chat(people, talk, seconds))
            both.create_task(_signal(people[1:], talk, seconds))
        cost = meter.cost()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WITHIN):
                while talk.missing:
                    await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
    cuts = statistics.quantiles(talk.delays, n=100, method="inclusive")
    return Room(
        clients,
        seconds,
        len(talk.messages),
        sum(map(len, talk.signals.values())),
        len(talk.delays),
        talk.missing,
        cuts[49] * 1000,
        cuts[94] * 1000,
        max(talk.delays) * 1000,
        cost.cpu / cost.seconds,
        cost.ours / cost.seconds,
        cost.others,
    )


async def _chat(people: list[Client], talk: Talk, seconds: float) -> None:
    async for number in _beat(MESSAGES, seconds):
        talk.expected += len(people)
        talk.messages.append(time.monotonic())
        await people[number % len(people)].say("chat", text=str(number), to="all")


async def _signal(classes: list[Client], talk: Talk, seconds: float) -> None:
    async for number in _beat(SIGNALS, seconds):
        giver = classes[number % len(classes)]
        talk.expected += 2  # the teacher, and the class itself
        talk.signals[giver.participant_id].append(time.monotonic())
        await giver.say("signal", signal=random.choice(WORDS))


async def _beat(rate: float, seconds: float) -> Any:
    """Numbers from 0, so many a second, whatever the work between them takes."""
    begun = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        yield number


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.room")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    given = parser.parse_args()
    row = asyncio.run(room(given.seconds, given.clients))
    print(row)
    return 0 if row.kept else 1


if __name__ == "__main__":
    sys.exit(main())
