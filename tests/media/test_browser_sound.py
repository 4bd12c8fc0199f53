"""Sound through a real Chromium, a real worker and lines that lose: redundancy, and who speaks."""

from __future__ import annotations

from asyncio import timeout
from typing import Any

from playwright.async_api import Browser, Page

from media.client import WorkerClient
from media.messages import Answer, Answered, CloseTransport, Done, Place, Placement, SpeechChanged
from tests.bench import offers
from tests.support.browser import chromium, eventually, heard, participant, rerouted
from tests.support.devices import lively
from tests.support.link import Conditions, UdpLink
from tests.support.worker import PUBLISH, WATCH, counters, page_of, running_worker

LOSSY = Conditions(loss=0.1, delay=0.01)

SOUND = """async () => {
  const reports = [...(await window.watching.getStats()).values()];
  return reports.find((each) => each.type === "inbound-rtp" && each.kind === "audio" && each.packetsReceived > 0);
}"""


async def test_chromium_sends_redundant_sound_and_gets_it_once_its_line_loses() -> None:
    async with running_worker() as client, chromium("--autoplay-policy=no-user-gesture-required") as browser:
        address = await _address(client)
        async with UdpLink(address) as up, UdpLink(address) as down:
            teacher = await _page(browser, rerouted(address[1], up.address) + lively(320, 180, 10))
            classroom = await _page(browser, rerouted(address[1], down.address))
            published = await page_of(client, teacher, "teacher")
            await page_of(client, classroom, "class")
            await teacher.evaluate(PUBLISH)
            await classroom.evaluate(WATCH)
            microphone = published["send"].publications[0].publication_id
            assert await client.request(Place("class-receive", (Placement("0", microphone),))) == Done()
            await heard(classroom)
            assert (await counters(client)).get("recovered_by_redundancy", 0) == 0
            plain = await _bytes_per_packet(classroom)

            up.up.conditions = down.down.conditions = LOSSY

            async def recovered() -> bool:
                return (await counters(client)).get("recovered_by_redundancy", 0) >= 5

            async def doubled() -> bool:
                return await _bytes_per_packet(classroom) > 1.6 * plain

            await eventually("lost sound is found in the packets after it", recovered)
            await eventually("the class gets its sound with redundancy", doubled)
            # Every other block that Chromium finds in redundant sound is one that it has, and counts as discarded.
            await eventually("Chromium takes it", lambda: _discards(classroom))
            await heard(classroom)
            async with timeout(10):
                events = client.events()
                while not isinstance(event := await anext(events), SpeechChanged):
                    pass
            assert (event.publication_id, event.speaking) == (microphone, True)


async def _address(client: WorkerClient) -> tuple[str, int]:
    """Where the worker is reached."""
    sdp = offers.watching(offers.Credentials("ufrag", "p" * 24, ":".join(["AA"] * 32)))
    answered = await client.request(Answer("nobody", "receive", sdp))
    assert isinstance(answered, Answered)
    await client.request(CloseTransport("nobody"))
    return offers.remote(answered.answer).address


async def _page(browser: Browser, init_script: str) -> Page:
    return await (await participant(browser, init_script=init_script)).new_page()


async def _sound(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(SOUND)
    return found


async def _bytes_per_packet(page: Page) -> float:
    """Of the sound that comes in half a second."""
    before = await _sound(page)
    await page.wait_for_timeout(500)
    after = await _sound(page)
    packets = after["packetsReceived"] - before["packetsReceived"]
    return float(after["bytesReceived"] - before["bytesReceived"]) / packets if packets else 0.0


async def _discards(page: Page) -> bool:
    return bool((await _sound(page))["packetsDiscarded"] > 50)
