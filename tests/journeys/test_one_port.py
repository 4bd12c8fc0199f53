"""A school whose network lets nothing out but TCP to the HTTPS port: the lesson comes through it all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.journeys.firefox_people import FirefoxClass, FirefoxTeacher
from tests.journeys.people import SchoolClass, Teacher
from tests.support import firefox
from tests.support.browser import Asked, chromium, eventually, moving_pictures, reached_only_at
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

PAIRS = """async () => {
  const found = [];
  for (const peer of window.__peers) {
    if (peer.connectionState !== "connected") continue;
    const stats = await peer.getStats();
    for (const report of stats.values()) {
      if (report.type !== "transport" || !report.selectedCandidatePairId) continue;
      const pair = stats.get(report.selectedCandidatePairId);
      found.push([stats.get(pair.localCandidateId).protocol, stats.get(pair.remoteCandidateId).port]);
    }
  }
  return found;
}"""


async def pairs(page: Asked) -> list[list[Any]]:
    """Protocol and the server's port, of each connection of a page."""
    found: list[list[Any]] = await page.evaluate(PAIRS)
    return found


async def receiving_protocol(tongke: Tongke, lesson_id: str) -> set[str]:
    """By what the classes are reached, as the server measures it."""
    answer = await tongke.request("GET", f"/api/rooms/{lesson_id}/stats", token=await tongke.token(lesson_id, "admin"))
    assert answer.status == 200
    return {
        transport["protocol"]
        for participant in answer.json["participants"]
        if participant["role"] == "receiving_class"
        for transport in participant["transports"]
        if transport["direction"] == "receive"
    }


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_class_with_nothing_but_the_https_port_sees_the_lesson_by_tcp(tmp_path: Path, workers: str) -> None:
    flags = ("--https", "127.0.0.1:0", "--workers", workers)
    async with Tongke(tmp_path / "data", *flags) as tongke, chromium() as browser:
        port = urlsplit(tongke.https).port
        assert port is not None
        teacher = await Teacher.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        pupils = await SchoolClass.arrive(browser, tongke, init_script=reached_only_at(port))
        await pupils.enter(code, "拉萨三小")
        await pupils.moves("main-video")
        await pupils.hear()
        assert await pairs(pupils.page) == [["tcp", port]]
        assert {protocol for protocol, _ in await pairs(teacher.page)} == {"udp"}  # who can have better has it

        async def told() -> bool:
            return await receiving_protocol(tongke, lesson_id) == {"tcp"}

        await eventually("TCP in the statistics", told)
        metrics = (await tongke.request("GET", "/metrics")).body.decode()
        assert 'tongke_https_connections_total{kind="media"} 1.0' in metrics
        assert pupils.errors == teacher.errors == []


async def test_a_class_with_nothing_but_the_workers_port_by_tcp_sees_the_lesson(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        script = reached_only_at(tongke.media_port)
        pupils = await SchoolClass.arrive(browser, tongke, init_script=script)
        await pupils.enter(code, "拉萨三小")
        await pupils.moves("main-video")
        assert await pairs(pupils.page) == [["tcp", tongke.media_port]]

        async def told() -> bool:
            return await receiving_protocol(tongke, lesson_id) == {"tcp"}

        await eventually("TCP in the statistics", told)
        assert pupils.errors == []


@pytest.mark.skipif(firefox.executable() is None, reason="no Firefox on this machine")
async def test_firefox_too_sees_the_lesson_by_the_https_port_alone(tmp_path: Path) -> None:
    # On every address: Firefox sends no check to 127.0.0.1.
    async with Tongke(tmp_path / "data", "--https", "0.0.0.0:0") as tongke, firefox.firefox() as browser:
        port = urlsplit(tongke.https).port
        assert port is not None
        teacher = await FirefoxTeacher.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        pupils = await FirefoxClass.arrive(browser, tongke, init_script=reached_only_at(port))
        await pupils.enter(code, "拉萨三小")
        await moving_pictures(pupils.page)

        async def told() -> bool:
            return await receiving_protocol(tongke, lesson_id) == {"tcp"}

        await eventually("TCP in the statistics", told)
