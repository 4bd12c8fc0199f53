"""课前检测 in a real browser, behind a link whose rate, delay and loss are known: what is shown is what was set."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import astuple, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

import pytest
from playwright.async_api import Browser, expect

from tests.bench.peer import own_address
from tests.journeys.firefox_people import FirefoxPerson
from tests.journeys.people import Person
from tests.support.browser import chromium, reached_only_at, rerouted
from tests.support.firefox import firefox
from tests.support.link import PERFECT, SEVERED, Conditions, UdpLink
from tests.support.server import Tongke
from tests.support.tcp_link import TcpLink

pytestmark = pytest.mark.journey

NARROW_UP = Conditions(rate=500_000, delay=0.06, loss=0.1)
NARROW_DOWN = Conditions(rate=1_400_000, delay=0.09, loss=0.12)
FAR_UP = replace(NARROW_UP, delay=0.12)  # Firefox's own reports say some 20 ms too much
FAR_DOWN = replace(NARROW_DOWN, delay=0.18)
FIGURES = ("up", "down", "delay", "loss")
DONE = 60_000  # ms: ten seconds, and what the machine's other tests take


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page says of the line; None where it says that it was not measured."""

    up: float | None  # bit/s
    down: float | None
    delay: float | None  # ms
    loss_up: float | None  # share
    loss_down: float | None

    @classmethod
    def read(cls, up: str, down: str, delay: str, losses: str) -> Self:
        shares = [None if (one := number(loss)) is None else one / 100 for loss in losses.split("/")]
        return cls(rate(up), rate(down), number(delay), *shares)

    def is_as(self, up: Conditions, down: Conditions) -> bool:
        """Within 20 %."""
        is_set = (up.rate, down.rate, 1000 * (up.delay + down.delay), up.loss, down.loss)
        return astuple(self) == tuple(pytest.approx(one, rel=0.2) for one in is_set)


class Checker(Person):
    async def check(self, audience: str = "class") -> Shown:
        """One press, and what is shown at the end of it."""
        await self.page.goto(f"{self._tongke.http}/preflight?for={audience}")
        await self.see("preflight-start").click()
        await self.see("preflight-result").wait_for(timeout=DONE)
        if await self.see("preflight-up").count() == 0:
            return Shown(None, None, None, None, None)
        return Shown.read(*[await self.see(f"preflight-{what}").inner_text() for what in FIGURES])

    async def says(self, row: str, *sentences: str) -> None:
        for sentence in sentences:
            await expect(self.see(f"preflight-{row}")).to_contain_text(sentence)


class FirefoxChecker(FirefoxPerson):
    async def check(self, http: str) -> Shown:
        """The same with Firefox."""
        await self.page.goto(f"{http}/preflight?for=class")
        await self.page.click("preflight-start")
        await self.page.see("preflight-result", within=DONE / 1000)
        return Shown.read(*[await self.text(f"preflight-{what}") for what in FIGURES])

    async def text(self, test_id: str) -> str:
        script = """(id) => document.querySelector(`[data-testid="${id}"]`).innerText"""
        return str(await self.page.evaluate(script, test_id))


async def settled(check: Callable[[], Awaitable[Shown]], up: Conditions, down: Conditions) -> Shown:
    """What is shown, looked at again where the machine was too busy to carry as much as the link does."""
    for _ in range(2):
        shown = await check()
        if shown.is_as(up, down):
            return shown
    return await check()


def number(text: str) -> float | None:
    found = re.search(r"[\d.]+", text)
    return float(found.group()) if found else None


def rate(text: str) -> float | None:
    value = number(text)
    return None if value is None else value * (1e6 if "Mb/s" in text else 1e3)


async def checker(browser: Browser, tongke: Tongke, script: str | None = None) -> Checker:
    return await Checker.arrive(browser, tongke, init_script=script)


@pytest.mark.alone
async def test_rate_delay_and_loss_are_shown_as_the_link_sets_them(tmp_path: Path) -> None:
    async with (
        Tongke(tmp_path / "data") as tongke,
        chromium() as browser,
        UdpLink((own_address(), tongke.media_port), NARROW_UP, NARROW_DOWN) as link,
    ):
        person = await checker(browser, tongke, rerouted(tongke.media_port, link.address, tcp=True))
        shown = await settled(person.check, NARROW_UP, NARROW_DOWN)
        assert shown.is_as(NARROW_UP, NARROW_DOWN), shown
        await person.says("line", "上传太慢")
        await expect(person.see("preflight-result")).to_have_attribute("data-count", "1")
        await person.see("heard-no").click()
        await person.says("sound", "没有听到提示音")
        await expect(person.see("preflight-result")).to_have_attribute("data-count", "2")
        assert person.errors == []


@pytest.mark.alone
async def test_firefox_shows_rate_delay_and_loss_as_the_link_sets_them(tmp_path: Path) -> None:
    """It has no device for sound here, and tells a round trip only when a report came in time; else HTTP says it."""
    there, back = Conditions(delay=FAR_UP.delay), Conditions(delay=FAR_DOWN.delay)
    async with (
        Tongke(tmp_path / "data") as tongke,
        firefox() as browser,
        UdpLink((own_address(), tongke.media_port), FAR_UP, FAR_DOWN) as link,
        TcpLink(("127.0.0.1", int(tongke.http.rpartition(":")[2])), there, back) as pages,
    ):
        way = rerouted(tongke.media_port, link.address, tcp=True)
        person = await FirefoxChecker.arrive(browser, tongke, init_script=way)
        shown = await settled(partial(person.check, "http://{}:{}".format(*pages.address)), FAR_UP, FAR_DOWN)
        assert shown.is_as(FAR_UP, FAR_DOWN), shown
        assert "上传太慢" in await person.text("preflight-line")
        assert "一点声音也没有" not in await person.text("preflight-microphone")
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
