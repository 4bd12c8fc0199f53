"""The line of a class is cut, for a moment and for long: it waits calmly, and is where it was when the line is back."""

import asyncio
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from tests.bench.peer import own_address
from tests.journeys.people import PATIENCE, SchoolClass, Teacher
from tests.support.browser import chromium, eventually, heard, rerouted
from tests.support.cord import Cord
from tests.support.link import SEVERED, UdpLink
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

NAME = "拉萨三小 五(1)班"
# A minute and more is the same to the page; the server then has a new class of the same name.
LONG = float(
    os.environ.get("TONGKE_TEST_LINE_LOST", "14")
)  # seconds; past the 12 in which the page gives its socket up


async def test_a_class_whose_line_is_cut_for_two_seconds_and_for_long_is_back_by_itself(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        host, port = urlsplit(tongke.http).netloc.split(":")
        async with UdpLink((own_address(), tongke.media_port)) as link, Cord((host, int(port))) as cord:
            script = rerouted(tongke.media_port, link.address)
            pupils = await SchoolClass.arrive(browser, tongke, init_script=script)
            await pupils.page.goto(f"http://{cord.address[0]}:{cord.address[1]}/class#{code}")
            await pupils.see("class-name").fill(NAME)
            await pupils.see("enter-class").click()
            await pupils.see("consent-yes").click()
            await asyncio.gather(pupils.moves("main-video"), heard(pupils.page))
            await pupils.see("hand").click()
            row = teacher.see("participant-row").filter(has_text=NAME)
            await expect(row.locator('[data-testid^="hand-"]')).to_be_visible(timeout=PATIENCE)
            good = link.up.conditions

            async def cut(seconds: float) -> None:
                link.up.conditions = link.down.conditions = SEVERED
                cord.pull()
                await asyncio.sleep(seconds)
                link.up.conditions = link.down.conditions = good
                cord.plug()

            # Two seconds: neither a dialog nor another class; the hand is up as before.
            await cut(2)
            await asyncio.gather(pupils.moves("main-video"), heard(pupils.page))
            await expect(pupils.see("hand")).to_have_attribute("aria-pressed", "true")
            await expect(row).to_have_count(1)

            # Long: one quiet sentence, and the teacher sees that the class is away.
            cutting = asyncio.create_task(cut(LONG))
            await expect(pupils.page.locator('[data-key="notice.rejoining"], [data-key="notice.media"]')).to_be_visible(
                timeout=PATIENCE
            )
            await cutting
            await asyncio.gather(pupils.moves("main-video", within=30), heard(pupils.page))
            await expect(pupils.see("notice")).to_have_count(0, timeout=PATIENCE)
            await expect(row).to_have_count(1, timeout=PATIENCE)
            await expect(row).not_to_have_class(re.compile(r"\baway\b"), timeout=PATIENCE)

            async def consented() -> bool:
                return "含本班" in await pupils.see("recording-dot").inner_text()

            await eventually("a class that is recorded as before", consented)

            # Whatever it was while it was away, it can be called.
            await teacher.give_floor(NAME)
            await pupils.moves("self-video")
            assert teacher.errors == pupils.errors == []
