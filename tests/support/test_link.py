import asyncio
import itertools
import socket
from dataclasses import replace
from typing import cast

from tests.support.link import SEVERED, Conditions, Lane, UdpLink, Wire


def carried(conditions: Conditions, count: int = 1000, seed: int = 1) -> list[tuple[int, float]]:
    """Numbers sent one a millisecond, as they arrive: number and time."""
    lane: Lane[int] = Lane(conditions, seed)
    arrived = []
    for tick in range(count * 2):
        now = tick / 1000
        if tick < count:
            lane.send(tick, now)
        arrived += [(number, now) for number in lane.receive(now)]
    return arrived


def test_a_perfect_lane_delivers_everything_at_once_and_in_order() -> None:
    assert carried(Conditions()) == [(n, n / 1000) for n in range(1000)]


def test_the_same_seed_gives_the_same_fate() -> None:
    rough = Conditions(loss=0.1, delay=0.02, jitter=0.01, reorder=0.05)
    assert carried(rough, seed=7) == carried(rough, seed=7)
    assert carried(rough, seed=7) != carried(rough, seed=8)


def test_loss_is_about_the_share_asked_for() -> None:
    assert 900 < len(carried(Conditions(loss=0.05))) < 980


def test_bursts_lose_the_same_share_in_longer_rows() -> None:
    count = 20_000
    lane: Lane[int] = Lane(Conditions(loss=0.05, burst=5.0))
    fates = []
    for number in range(count):
        before = lane.lost
        lane.send(number, 0.0)
        fates.append(lane.lost > before)
    rows = [len(list(row)) for lost, row in itertools.groupby(fates) if lost]
    assert 0.04 < sum(rows) / count < 0.06
    assert 4 < sum(rows) / len(rows) < 6


def through(rate: float, offered: float, seconds: float = 10.0, queue: float = 0.3) -> tuple[Lane[int], list[float]]:
    """How long datagrams of 1250 bytes, offered at so many bit/s, took through a lane of `rate`."""
    lane: Lane[int] = Lane(Conditions(rate=rate, queue=queue))
    waits, number, now = [], 0, 0.0
    while now < seconds:
        while number * 10_000 / offered <= now:
            lane.send(number, now, 1250)
            number += 1
        waits += [now - arrived * 10_000 / offered for arrived in lane.receive(now)]
        now += 0.001
    return lane, waits


def test_a_narrow_lane_carries_its_rate_and_drops_the_rest() -> None:
    lane, waits = through(rate=400_000, offered=1_500_000)
    assert 390_000 < len(waits) * 10_000 / 10 < 415_000
    assert lane.overflowed > 1000
    assert lane.lost == 0
    assert 0.25 < max(waits) < 0.35


def test_a_narrow_lane_lets_pass_at_once_what_fits() -> None:
    lane, waits = through(rate=1_500_000, offered=400_000)
    assert lane.overflowed == 0
    assert max(waits) < 0.01


def test_a_lane_may_become_narrow_and_wide_again() -> None:
    lane: Lane[int] = Lane(Conditions(rate=1_500_000))
    passed = []
    for tick in range(9000):  # three seconds of each
        now = tick / 1000
        rate = 400_000 if 3 <= now < 6 else 1_500_000
        lane.conditions = replace(lane.conditions, rate=rate)
        if tick % 10 == 0:
            lane.send(tick, now, 1250)  # 1 Mb/s
        passed += [now] * len(lane.receive(now))
    shares = [sum(start <= at < start + 3 for at in passed) / 300 for start in (0, 3, 6)]
    assert shares[0] > 0.98
    assert 0.35 < shares[1] < 0.55
    assert shares[2] > 0.98


def test_a_change_of_delay_leaves_the_losses_alone() -> None:
    near = [number for number, _ in carried(Conditions(loss=0.1))]
    far = [number for number, _ in carried(Conditions(loss=0.1, delay=0.2))]
    assert near == far


def test_jitter_spreads_arrivals_and_keeps_their_order() -> None:
    arrived = carried(Conditions(delay=0.01, jitter=0.02))
    assert [number for number, _ in arrived] == list(range(1000))
    waits = [time - number / 1000 for number, time in arrived]
    assert min(waits) >= 0.01
    assert max(waits) > 0.02


def test_a_held_datagram_is_overtaken() -> None:
    order = [number for number, _ in carried(Conditions(reorder=0.05))]
    assert sorted(order) == list(range(1000))
    assert order != list(range(1000))


def test_a_severed_lane_delivers_nothing() -> None:
    assert carried(SEVERED) == []


def test_two_machines_reach_each_other_through_loss_by_repeating() -> None:
    class Caller:
        """Says "hello" every 100 ms until it is answered."""

        def __init__(self) -> None:
            self.answered: float | None = None
            self._next = 0.0

        def receive(self, datagram: bytes, now: float) -> list[bytes]:
            self.answered = now
            return []

        def poll(self, now: float) -> list[bytes]:
            if self.answered is not None or now < self._next:
                return []
            self._next = now + 0.1
            return [b"hello"]

    caller = Caller()
    wire = Wire(Conditions(loss=0.6, delay=0.04))
    for _ in wire.run((caller.receive, caller.poll), (lambda datagram, _: [datagram], lambda _: []), until=10.0):
        if caller.answered is not None:
            break
    assert caller.answered is not None
    assert caller.answered >= 0.08


class Echo(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.senders: set[tuple[str, int]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.senders.add(addr)
        self.transport.sendto(data, addr)


async def test_datagrams_travel_there_and_back_and_each_sender_keeps_its_own_address() -> None:
    loop = asyncio.get_running_loop()
    transport, echo = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    async with UdpLink(transport.get_extra_info("sockname"), Conditions(delay=0.01)) as link:
        clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for number, client in enumerate(clients):
            client.setblocking(False)
            client.connect(link.address)
            client.send(b"%d" % number)
        for number, client in enumerate(clients):
            assert await asyncio.wait_for(loop.sock_recv(client, 100), 5) == b"%d" % number
            client.close()
    assert len(echo.senders) == 2
    transport.close()


async def test_a_link_can_be_cut_in_the_middle() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    async with UdpLink(transport.get_extra_info("sockname")) as link:
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.setblocking(False)
        client.connect(link.address)
        client.send(b"heard")
        assert await asyncio.wait_for(loop.sock_recv(client, 100), 5) == b"heard"
        link.up.conditions = SEVERED
        client.send(b"not heard")
        while link.up.sent < 2:
            await asyncio.sleep(0)
        assert link.up.lost == 1
        client.close()
    transport.close()
