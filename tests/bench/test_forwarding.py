import pytest

from tests.bench.forwarding import forwarding
from tests.bench.inbound import inbound
from tests.bench.peers import janus, mediasoup
from tests.bench.servers import TONGKE, Kind

PEERS = (mediasoup.kind(), *janus.kinds())


async def test_what_one_publisher_sends_reaches_every_viewer_of_a_real_worker() -> None:
    row = await forwarding(viewers=3, seconds=1.0)
    assert row.dropped == 0
    assert row.packets_out == 3 * row.packets_in > 0


async def test_each_viewer_gets_the_packets_of_its_own_lesson() -> None:
    row = await forwarding(viewers=4, seconds=1.0, lessons=2)
    assert row.dropped == 0
    assert row.packets_out == 2 * row.packets_in > 0


async def test_packets_that_nobody_watches_are_taken_in() -> None:
    assert (await inbound(2, 1.0, TONGKE)).packets_in > 0


@pytest.mark.parametrize("kind", PEERS, ids=[peer.name for peer in PEERS])
async def test_a_peer_that_is_here_does_the_same_work_for_the_same_load(kind: Kind) -> None:
    if kind.missing is not None:
        pytest.skip(f"{kind.name}: {kind.missing}")
    row = await forwarding(viewers=3, seconds=1.0, kind=kind)
    assert row.server == kind.name
    assert row.packets_out > 2 * row.packets_in > 0
