"""A network path as TCP makes it felt: a port that stands for a server, behind which bytes take their time.

A lost segment does not vanish, as in link.py; it comes a round trip later, holds up those behind it, and halves how
much its connection has under way. `Flow` is one direction of one connection and knows no socket and no clock; all
connections of a direction share one `Pipe`. `TcpLink` is the real port.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass
from typing import Self

from tests.support.link import Address, Conditions

SEGMENT = 1448  # bytes of a connection that one packet carries
HEADERS = 52  # bytes of IPv4 and TCP with its time stamps, which a narrow path carries too
FIRST_WINDOW = 10.0  # segments a new connection sends at once (RFC 6928)
LEAST_WINDOW = 2.0


@dataclass(slots=True)
class Pipe:
    """One direction of a path: what it does, and when it will have sent what waits now."""

    conditions: Conditions
    free: float = 0.0


class Flow:
    """One direction of one connection: slow start, then one segment more each round trip (RFC 5681)."""

    def __init__(self, pipe: Pipe, round_trip: float, chance: random.Random) -> None:
        self.window = FIRST_WINDOW  # segments
        self._pipe = pipe
        self._round_trip = round_trip
        self._chance = chance
        self._slow_start = True
        self._last_due = 0.0
        self._told: deque[float] = deque()  # when the sender will hear that each segment under way has arrived

    def ready(self, now: float) -> float:
        """When the next segment may leave: now, or when one under way has been acknowledged."""
        while self._told and self._told[0] <= now:
            self._told.popleft()
            self.window += 1.0 if self._slow_start else 1.0 / self.window
        return self._told[0] if len(self._told) >= self.window else now

    def send(self, size: int, now: float) -> float:
        """When so many bytes that leave now arrive."""
        conditions = self._pipe.conditions
        left = max(now, self._pipe.free)
        if conditions.rate is not None:
            left += (size + HEADERS) * 8 / conditions.rate
            self._pipe.free = left
        due = left + conditions.delay
        if self._chance.random() < conditions.loss:
            due += self._round_trip
            self.window = max(LEAST_WINDOW, self.window / 2)
            self._slow_start = False
        due = self._last_due = max(due, self._last_due)
        self._told.append(due + self._round_trip - conditions.delay)
        return due


class TcpLink:
    """A TCP port that stands for `target`. Connecting takes a round trip, as everywhere."""

    def __init__(
        self, target: Address, up: Conditions, down: Conditions | None = None, *, host: str = "127.0.0.1", seed: int = 1
    ) -> None:
        self._target = target
        self._host = host
        self._up, self._down = Pipe(up), Pipe(up if down is None else down)
        self._chance = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, self._host, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def address(self) -> Address:
        """Where to connect instead of to the target."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()
        return host, port

    @property
    def _round_trip(self) -> float:
        return self._up.conditions.delay + self._down.conditions.delay

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._join(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server: asyncio.StreamWriter | None = None
        try:
            answers, server = await asyncio.open_connection(*self._target)
            connected = asyncio.get_running_loop().time() + self._round_trip
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(reader, server, self._flow(self._up), connected))
                both.create_task(self._carry(answers, writer, self._flow(self._down), 0.0))
        except* OSError:
            pass  # one end is gone: so is the connection
        finally:
            for each in (writer, server):
                if each is not None:
                    each.close()

    def _flow(self, pipe: Pipe) -> Flow:
        return Flow(pipe, self._round_trip, self._chance)

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, flow: Flow, not_before: float
    ) -> None:
        """One direction, until its end, which arrives in its turn."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=1000)

        async def deliver() -> None:
            while True:
                due, octets = await under_way.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not octets:
                    if sink.can_write_eof():
                        sink.write_eof()
                    return
                sink.write(octets)
                await sink.drain()

        async with asyncio.TaskGroup() as group:
            group.create_task(deliver())
            while True:
                octets = await source.read(SEGMENT)
                now = max(loop.time(), not_before)
                while (at := flow.ready(now)) > now:
                    now = at
                await asyncio.sleep(max(0.0, now - loop.time()))
                await under_way.put((flow.send(len(octets), now), octets))
                if not octets:
                    return
