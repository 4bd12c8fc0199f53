import asyncio
import random

import pytest

from tests.support.link import Conditions
from tests.support.tcp_link import SEGMENT, Flow, Pipe, TcpLink


def carried(conditions: Conditions, segments: int, connections: int = 1, seed: int = 1) -> float:
    """When the last of so many segments arrives, sent as fast as the windows let several connections."""
    pipe, chance = Pipe(conditions), random.Random(seed)
    flows = [Flow(pipe, 2 * conditions.delay, chance) for _ in range(connections)]
    times = [0.0] * connections
    last = 0.0
    for number in range(segments):
        which = number % connections
        while (at := flows[which].ready(times[which])) > times[which]:
            times[which] = at
        last = max(last, flows[which].send(SEGMENT, times[which]))
    return last


def test_what_fits_into_the_first_window_takes_one_delay() -> None:
    assert carried(Conditions(delay=0.04), 10) == pytest.approx(0.04)
    assert carried(Conditions(delay=0.04), 11) == pytest.approx(0.04 + 0.08)


def test_the_window_doubles_each_round_trip_while_nothing_is_lost() -> None:
    assert carried(Conditions(delay=0.04), 10 + 20 + 40) == pytest.approx(0.04 + 2 * 0.08)


def test_a_narrow_path_carries_its_rate_however_many_connections_share_it() -> None:
    narrow = Conditions(rate=2_000_000, delay=0.04)
    for flows in (1, 6):
        assert carried(narrow, 1000, flows) == pytest.approx(1000 * 1500 * 8 / 2e6, rel=0.05)


def test_a_loss_costs_time_and_no_byte() -> None:
    path, rough = Conditions(delay=0.04), Conditions(delay=0.04, loss=0.02)
    assert carried(rough, 400) > 2 * carried(path, 400)
    assert carried(rough, 400, seed=5) == carried(rough, 400, seed=5)


async def test_bytes_arrive_whole_and_in_order_and_the_end_after_them() -> None:
    sent = random.Random(1).randbytes(200_000)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.read()
        writer.write(sent + asked)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, TcpLink(server.sockets[0].getsockname(), Conditions(delay=0.005, loss=0.02)) as link:
        begun = asyncio.get_running_loop().time()
        for _ in range(2):
            reader, writer = await asyncio.open_connection(*link.address)
            writer.write(b"please")
            writer.write_eof()
            assert await reader.read() == sent + b"please"
            writer.close()
        assert asyncio.get_running_loop().time() - begun > 2 * 0.02  # to connect, and there and back
