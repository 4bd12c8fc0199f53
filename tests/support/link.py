"""A network path that loses, delays, reorders and is narrow: in virtual time, and as real UDP between two sockets.

The kernel's own emulation needs privileges and a module that many machines lack, so the path is made here. The same
seed gives the same fate to the same sequence of datagrams. `Lane` is one direction and knows no socket and no clock;
`Wire` joins two protocol machines by two lanes under virtual time; `UdpLink` stands as a real port before a server.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

Address = tuple[str, int]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What one direction does to a datagram."""

    loss: float = 0.0  # share that never arrives, 0…1
    burst: float = 1.0  # datagrams lost in a row, on average; above 1 losses come in bursts (Gilbert's model)
    delay: float = 0.0  # seconds each datagram takes
    jitter: float = 0.0  # seconds added at most, evenly spread; order is kept
    reorder: float = 0.0  # share that is overtaken by those sent up to `held` seconds later
    held: float = 0.02  # seconds
    rate: float | None = None  # bit/s it carries, headers included; None: all that comes
    queue: float = 0.3  # seconds a datagram may have to wait for its turn; what would wait longer is dropped


PERFECT = Conditions()
LHASA = Conditions(loss=0.05, delay=0.04)  # half of the 80 ms round trip of the budgets, 5 % loss
LHASA_BURSTS = Conditions(loss=0.05, burst=5.0, delay=0.04)  # the same losses, five in a row
SEVERED = Conditions(loss=1.0)

HEADERS = 28  # bytes of IPv4 and UDP, which a narrow path carries too


class Lane(Generic[Item]):
    """One direction: items (datagrams, mostly) in at their time, and out when they are due."""

    def __init__(self, conditions: Conditions = PERFECT, seed: int = 1) -> None:
        self.conditions = conditions  # may be changed at any time; what is under way keeps its fate
        self.sent = 0
        self.octets = 0  # of what was sent
        self.lost = 0  # by chance
        self.overflowed = 0  # because the queue was full
        self._bad = False  # in the middle of a burst
        self._free = 0.0  # when a narrow path will have sent what waits now
        self._chance = random.Random(seed)
        self._count = itertools.count()
        self._last_due = 0.0
        self._under_way: list[tuple[float, int, Item]] = []

    def send(self, item: Item, now: float, size: int = 0) -> None:
        """`size` in bytes, headers included; only a narrow path asks for it."""
        self.sent += 1
        self.octets += size
        # Always three numbers: so a change of one condition leaves the verdicts of the others alone.
        lost, late, held = self._chance.random(), self._chance.random(), self._chance.random()
        conditions = self.conditions
        self._bad = lost < self._risk(conditions)
        if self._bad:
            self.lost += 1
            return
        if conditions.rate is not None:
            start = max(now, self._free)
            if start - now > conditions.queue:
                self.overflowed += 1
                return
            now = self._free = start + size * 8 / conditions.rate
        due = max(self._last_due, now + conditions.delay + conditions.jitter * late)
        if held < conditions.reorder:
            due += conditions.held  # and the ones after it do not wait
        else:
            self._last_due = due
        heapq.heappush(self._under_way, (due, next(self._count), item))

    def receive(self, now: float) -> list[Item]:
        """What has arrived by `now`, in order of arrival."""
        arrived = []
        while self._under_way and self._under_way[0][0] <= now:
            arrived.append(heapq.heappop(self._under_way)[2])
        return arrived

    def _risk(self, conditions: Conditions) -> float:
        """How likely the next one is lost: bursts begin so seldom that the share of all losses stays the same."""
        if conditions.burst <= 1.0 or conditions.loss >= 1.0:
            return conditions.loss
        leave = 1 / conditions.burst
        return 1 - leave if self._bad else leave * conditions.loss / (1 - conditions.loss)

    @property
    def next_arrival(self) -> float | None:
        """When `receive` will next return something, None while nothing is under way."""
        return self._under_way[0][0] if self._under_way else None


Receive = Callable[[bytes, float], list[bytes]]  # a datagram and the time in, datagrams to send out
Poll = Callable[[float], list[bytes]]
Machine = tuple[Receive, Poll]


class Wire:
    """Two machines, each a `receive(datagram, now)` and a `poll(now)` that return datagrams, with a lane each way."""

    def __init__(self, there: Conditions = PERFECT, back: Conditions | None = None, seed: int = 1) -> None:
        self.there: Lane[bytes] = Lane(there, seed)
        self.back: Lane[bytes] = Lane(there if back is None else back, seed + 1)

    def run(
        self, left: Machine, right: Machine, until: float, step: float = 0.005, now: float = 0.0
    ) -> Iterator[float]:
        """Let time pass, by `step` seconds, from `now` to `until`; yields the time so that a test may look and stop."""
        while now <= until:
            for (receive, poll), incoming, outgoing in (
                (left, self.back, self.there),
                (right, self.there, self.back),
            ):
                for datagram in incoming.receive(now):
                    for answer in receive(datagram, now):
                        outgoing.send(answer, now, len(answer) + HEADERS)
                for due in poll(now):
                    outgoing.send(due, now, len(due) + HEADERS)
            yield now
            now += step


class UdpLink:
    """A UDP port that stands for `target`: what comes to it goes on over `up`, the answers come back over `down`.

    Each sender gets a socket of its own towards the target, which so sees as many addresses as there are senders.
    """

    def __init__(
        self, target: Address, up: Conditions = PERFECT, down: Conditions | None = None, seed: int = 1
    ) -> None:
        self.up: Lane[_Parcel] = Lane(up, seed)
        self.down: Lane[_Parcel] = Lane(up if down is None else down, seed + 1)
        self._target = target
        self._front = _udp_socket()
        self._backs: dict[Address, socket.socket] = {}

    async def __aenter__(self) -> Self:
        self._front.bind((self._target[0], 0))
        self._watch(self._front, self._from_sender)
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in (self._front, *self._backs.values()):
            asyncio.get_running_loop().remove_reader(each)
            each.close()

    @property
    def address(self) -> Address:
        """Where to send instead of to the target."""
        host, port = self._front.getsockname()
        return host, port

    def roam(self) -> None:
        """From now on every sender has another address for the target, as behind a NAT that forgot."""
        for each in self._backs.values():
            asyncio.get_running_loop().remove_reader(each)
            each.close()
        self._backs.clear()

    def _from_sender(self, datagram: bytes, sender: Address) -> None:
        back = self._backs.get(sender)
        if back is None:
            back = self._backs[sender] = _udp_socket()
            back.connect(self._target)
            self._watch(back, lambda answer, _: self._carry(self.down, (answer, self._front, sender)))
        self._carry(self.up, (datagram, back, self._target))

    def _watch(self, source: socket.socket, received: Callable[[bytes, Address], None]) -> None:
        def drain() -> None:
            with contextlib.suppress(BlockingIOError, ConnectionError):  # ConnectionError: the target's port is closed
                while True:
                    received(*source.recvfrom(65536))

        asyncio.get_running_loop().add_reader(source, drain)

    def _carry(self, lane: Lane[_Parcel], parcel: _Parcel) -> None:
        loop = asyncio.get_running_loop()
        lane.send(parcel, loop.time(), len(parcel[0]) + HEADERS)
        self._deliver(lane)

    def _deliver(self, lane: Lane[_Parcel]) -> None:
        loop = asyncio.get_running_loop()
        for datagram, source, destination in lane.receive(loop.time()):
            with contextlib.suppress(OSError):  # a full or closed socket loses it, as a network does
                source.sendto(datagram, destination)
        if lane.next_arrival is not None:
            loop.call_at(lane.next_arrival, self._deliver, lane)


_Parcel = tuple[bytes, socket.socket, Address]


def _udp_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    return made
