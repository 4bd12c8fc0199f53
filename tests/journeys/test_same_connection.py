"""A line that is gone for some seconds: the page looks for another way on the peer connection it has (RFC 8445)."""

from pathlib import Path

import pytest

from tests.bench.peer import own_address
from tests.journeys.people import SchoolClass, Teacher
from tests.support.browser import chromium, eventually, rerouted
from tests.support.link import SEVERED, UdpLink
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

CREDENTIALS = r"""() => window.__peers.filter((peer) => peer.connectionState !== "closed")
  .map((peer) => /a=ice-ufrag:(\S+)/.exec(peer.localDescription?.sdp ?? "")?.[1])"""


async def test_a_line_that_comes_back_while_ice_restarts_keeps_the_peer_connection(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        async with UdpLink((own_address(), tongke.media_port)) as link:
            pupils = await SchoolClass.arrive(browser, tongke, init_script=rerouted(tongke.media_port, link.address))
            await pupils.enter(code, "拉萨三小")
            await pupils.moves("main-video")
            [before] = await pupils.page.evaluate(CREDENTIALS)
            good = link.up.conditions
            link.up.conditions = link.down.conditions = SEVERED

            async def restarted() -> bool:
                return bool((await pupils.page.evaluate(CREDENTIALS))[0] != before)

            await eventually("an ICE restart", restarted, 30)
            link.up.conditions = link.down.conditions = good
            await pupils.moves("main-video", within=10)
            assert await pupils.page.evaluate("window.__peers.length") == 1
            assert pupils.errors == []
