"""How a real Chromium reaches a real worker: by TCP where UDP is closed, by IPv6, and on after its path has changed."""

from __future__ import annotations

from playwright.async_api import Browser, Page

from media.client import WorkerClient
from tests.support.browser import chromium, moving_pictures, participant
from tests.support.worker import PUBLISH, WATCH, page_of, running_worker, selected_pair, watch

AUTOPLAY = "--autoplay-policy=no-user-gesture-required"


async def lesson(client: WorkerClient, browser: Browser) -> tuple[Page, Page]:
    """A teacher who publishes and a class that watches."""
    teacher = await (await participant(browser)).new_page()
    classroom = await (await participant(browser)).new_page()
    await page_of(client, teacher, "teacher")
    await page_of(client, classroom, "class")
    await teacher.evaluate(PUBLISH)
    await classroom.evaluate(WATCH)
    await watch(client, classroom, "class")
    return teacher, classroom


async def test_with_udp_closed_chromium_publishes_and_watches_by_tcp_and_says_so() -> None:
    async with running_worker(udp=False) as client, chromium(AUTOPLAY) as browser:
        teacher, classroom = await lesson(client, browser)
        await moving_pictures(classroom)
        for page, peer in ((teacher, "publishing"), (classroom, "watching")):
            pair = await selected_pair(page, peer)
            assert (pair["protocol"], pair["remote"], pair["tcpType"]) == ("tcp", "tcp", "active")


async def test_where_both_are_open_chromium_takes_udp() -> None:
    async with running_worker() as client, chromium(AUTOPLAY) as browser:
        teacher, classroom = await lesson(client, browser)
        await moving_pictures(classroom)
        for page, peer in ((teacher, "publishing"), (classroom, "watching")):
            assert (await selected_pair(page, peer))["protocol"] == "udp"
