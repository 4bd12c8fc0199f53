"""课前检测 in a real browser, behind a link whose rate, delay and loss are known: what is shown is what was set."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.bench.peer import own_address
from tests.journeys.people import Person
from tests.support.browser import chromium, reached_only_at, rerouted
from tests.support.link import PERFECT, SEVERED, Conditions, UdpLink
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

NARROW_UP = Conditions(rate=500_000, delay=0.06, loss=0.1)
NARROW_DOWN = Conditions(rate=1_400_000, delay=0.09, loss=0.12)
DONE = 60_000  # ms: ten seconds, and what the machine's other tests take


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page says of the line; None where it says that it was not measured."""

    up: float | None  # bit/s
    down: float | None
    delay: float | None  # ms
    loss_up: float | None  # share
    loss_down: float | None


class Checker(Person):
    async def check(self, audience: str = "class") -> Shown:
        """One press, and what is shown at the end of it."""
        await self.page.goto(f"{self._tongke.http}/preflight?for={audience}")
        await self.see("preflight-start").click()
        await self.see("preflight-result").wait_for(timeout=DONE)
        if await self.see("preflight-up").count() == 0:
            return Shown(None, None, None, None, None)
        losses = (await self._text("loss")).split("/")
        return Shown(
            rate(await self._text("up")),
            rate(await self._text("down")),
            number(await self._text("delay")),
            *(None if (one := number(loss)) is None else one / 100 for loss in losses),
        )

    async def _text(self, what: str) -> str:
        return await self.see(f"preflight-{what}").inner_text()

    async def says(self, row: str, *sentences: str) -> None:
        for sentence in sentences:
            await expect(self.see(f"preflight-{row}")).to_contain_text(sentence)


def number(text: str) -> float | None:
    found = re.search(r"[\d.]+", text)
    return float(found.group()) if found else None


def rate(text: str) -> float | None:
    value = number(text)
    return None if value is None else value * (1e6 if "Mb/s" in text else 1e3)


async def checker(browser: Browser, tongke: Tongke, script: str | None = None) -> Checker:
    return await Checker.arrive(browser, tongke, init_script=script)


async def test_rate_delay_and_loss_are_shown_as_the_link_sets_them(tmp_path: Path) -> None:
    async with (
        Tongke(tmp_path / "data") as tongke,
        chromium() as browser,
        UdpLink((own_address(), tongke.media_port), NARROW_UP, NARROW_DOWN) as link,
    ):
        person = await checker(browser, tongke, rerouted(tongke.media_port, link.address, tcp=True))
        shown = await person.check("class")
        assert shown.up == pytest.approx(NARROW_UP.rate, rel=0.2), shown
        assert shown.down == pytest.approx(NARROW_DOWN.rate, rel=0.2), shown
        assert shown.delay == pytest.approx(150, rel=0.2), shown
        assert shown.loss_up == pytest.approx(NARROW_UP.loss, rel=0.2), shown
        assert shown.loss_down == pytest.approx(NARROW_DOWN.loss, rel=0.2), shown
        await person.says("line", "上传太慢")
        await expect(person.see("preflight-result")).to_have_attribute("data-count", "1")
        await person.see("heard-no").click()
        await person.says("sound", "没有听到提示音")
        await expect(person.see("preflight-result")).to_have_attribute("data-count", "2")
        assert person.errors == []


async def test_a_closed_udp_and_a_closed_tcp_are_told_apart(tmp_path: Path) -> None:
    async with (
        Tongke(tmp_path / "data") as tongke,
        chromium() as browser,
        UdpLink((own_address(), tongke.media_port), SEVERED, PERFECT) as link,
    ):
        ways = (
            rerouted(tongke.media_port, link.address, tcp=True),  # TCP goes past the link
            reached_only_at(tongke.media_port, "udp"),
            reached_only_at(1, "udp"),
        )
        people = [await checker(browser, tongke, way) for way in ways]
        by_tcp, by_udp, by_nothing = people
        shown = await asyncio.gather(*(person.check() for person in people))
        assert [one.up is not None for one in shown] == [True, True, False]
        await by_tcp.says("line", f"UDP {tongke.media_port} 端口")
        await by_udp.says("line", f"TCP {tongke.media_port} 端口")
        await by_nothing.says("line", f"UDP 和 TCP {tongke.media_port} 端口")
        assert [person.errors for person in people] == [[], [], []]
