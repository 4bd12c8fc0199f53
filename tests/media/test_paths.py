"""How a real Chromium reaches a real worker: by TCP where UDP is closed, by a relay, by IPv6, and on over a restart."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import Browser, Page

from media.client import WorkerClient
from media.messages import Answer, Answered, CloseTransport
from server.listeners import local_addresses
from signaling.turn import ice_servers
from tests.bench import offers
from tests.support import coturn
from tests.support.browser import chromium, moving_pictures, participant, rerouted
from tests.support.link import SEVERED, UdpLink
from tests.support.worker import PUBLISH, WATCH, counters, page_of, running_worker, selected_pair, watch

AUTOPLAY = "--autoplay-policy=no-user-gesture-required"


async def lesson(
    client: WorkerClient, browser: Browser, script: str | None = None, **configuration: object
) -> tuple[Page, Page]:
    """A teacher who publishes and a class that watches; `configuration` is that of their peer connections."""
    teacher = await (await participant(browser, init_script=script)).new_page()
    classroom = await (await participant(browser, init_script=script)).new_page()
    await page_of(client, teacher, "teacher")
    await page_of(client, classroom, "class")
    for page in (teacher, classroom):
        await page.evaluate("(given) => { window.configuration = given; }", configuration)
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


@pytest.mark.skipif(coturn.executable() is None, reason="no coturn here")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_who_gets_out_only_by_a_relay_takes_part_through_a_real_one(transport: str) -> None:
    secret = "north wind and sun"
    async with coturn.coturn(secret) as port, running_worker() as client, chromium(AUTOPLAY) as browser:
        urls = [f"turn:127.0.0.1:{port}?transport={transport}"]
        (server,) = ice_servers(urls, secret.encode(), "p-1", time.time())
        given = {"urls": list(server.urls), "username": server.username, "credential": server.credential}
        teacher, classroom = await lesson(client, browser, iceTransportPolicy="relay", iceServers=[given])
        await moving_pictures(classroom)
        for page, peer in ((teacher, "publishing"), (classroom, "watching")):
            pair = await selected_pair(page, peer)
            assert (pair["type"], pair["relay"], pair["remote"]) == ("relay", transport, "udp")


async def test_by_ipv6_alone_chromium_publishes_and_watches() -> None:
    try:
        address = next(ip for ip in local_addresses() if ":" in ip and ip != "::1")
    except StopIteration:
        pytest.skip("this machine has no IPv6 address")
    async with running_worker([address]) as client, chromium(AUTOPLAY) as browser:
        _, classroom = await lesson(client, browser)
        await moving_pictures(classroom)
        pair = await selected_pair(classroom, "watching")
        assert (pair["protocol"], pair["address"].strip("[]")) == ("udp", address)


RESTART = """async (direction) => {
  const peer = direction === "send" ? window.publishing : window.watching;
  peer.restartIce();
  await peer.setLocalDescription();
  await peer.setRemoteDescription({type: "answer", sdp: await window.answer(direction, peer.localDescription.sdp)});
}"""


async def test_ice_restarts_by_a_reoffer_in_either_direction_and_the_picture_goes_on() -> None:
    async with running_worker() as client, chromium(AUTOPLAY) as browser:
        teacher, classroom = await lesson(client, browser)
        await moving_pictures(classroom)
        await teacher.evaluate(RESTART, "send")
        await classroom.evaluate(RESTART, "receive")
        await moving_pictures(classroom)
        seen = await counters(client)
        assert seen["transports"] == seen["transports_connected"] == 2
        assert await classroom.evaluate("window.watching.connectionState") == "connected"


async def address_of(client: WorkerClient) -> tuple[str, int]:
    """Where a worker is reached by UDP, from an answer of its."""
    credentials = offers.Credentials("none", "n" * 24, ":".join(["AB"] * 32))
    reply = await client.request(Answer("nobody", "receive", offers.watching(credentials, 1, 1)))
    assert isinstance(reply, Answered)
    await client.request(CloseTransport("nobody"))
    return offers.remote(reply.answer).address


async def test_where_udp_goes_nowhere_chromium_finds_the_tcp_port_by_itself() -> None:
    async with running_worker() as client, chromium(AUTOPLAY) as browser:
        target = await address_of(client)
        async with UdpLink(target, SEVERED) as link:
            script = rerouted(target[1], link.address, tcp=True)
            teacher, classroom = await lesson(client, browser, script)
            await moving_pictures(classroom)
            for page, peer in ((teacher, "publishing"), (classroom, "watching")):
                assert (await selected_pair(page, peer))["protocol"] == "tcp"


async def test_a_browser_whose_address_changes_goes_on_without_negotiating() -> None:
    async with running_worker() as client, chromium(AUTOPLAY) as browser:
        target = await address_of(client)
        async with UdpLink(target) as link:
            _, classroom = await lesson(client, browser, rerouted(target[1], link.address))
            await moving_pictures(classroom)
            before = link.up.sent
            link.roam()
            await moving_pictures(classroom)
            assert link.up.sent > before
            seen = await counters(client)
            assert seen["transports"] == seen["transports_connected"] == 2
