"""A real page that publishes through a line: it comes to use it, and gives way when the line shrinks."""

from __future__ import annotations

from tests.bench.upstream import DELAY, NARROW, WANTED, estimated, publishing
from tests.support.browser import eventually
from tests.support.link import Conditions


async def test_a_page_uses_the_line_it_has_and_gives_way_when_that_shrinks() -> None:
    async with publishing("chromium") as (page, link, worker):

        async def uses_it() -> bool:
            return await estimated(page) >= WANTED

        async def gives_way() -> bool:
            return 0 < await estimated(page) <= NARROW

        await eventually("an estimate of what the camera takes", uses_it, within=60)
        link.up.conditions = Conditions(delay=DELAY, rate=NARROW)
        await eventually("an estimate of no more than the line carries", gives_way, within=60)
        assert worker.counters["feedbacks_out"] > 0
