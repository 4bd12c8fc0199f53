"""Real browsers through the doors: Chromium, a real media worker process, WebSocket, WHIP and WHEP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.signaling.house import House
from tests.support.browser import chromium, eventually, heard, moving_pictures, participant, received

CLIENT = """
window.heard = [];
window.enter = async (lesson, token) => {
  const socket = new WebSocket(`ws://${location.host}/ws/${lesson}`);
  const waiting = new Map();
  let number = 0;
  socket.onmessage = ({data}) => {
    const message = JSON.parse(data);
    if (waiting.has(message.re)) waiting.get(message.re)(message);
    else window.heard.push(message);
  };
  await new Promise((resolve) => (socket.onopen = resolve));
  window.ask = (type, fields) => new Promise((resolve) => {
    waiting.set(++number, resolve);
    socket.send(JSON.stringify({type, id: number, ...fields}));
  });
  return (await window.ask("hello", {token})).participant_id;
};
const sending = async () => {
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 640, height: 360}});
  const peer = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  for (const track of stream.getTracks()) peer.addTransceiver(track, {direction: "sendonly"});
  await peer.setLocalDescription();
  return peer;
};
const receiving = async (audio, video) => {
  const peer = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  for (let i = 0; i < audio; i++) peer.addTransceiver("audio", {direction: "recvonly"});
  for (let i = 0; i < video; i++) peer.addTransceiver("video", {direction: "recvonly"});
  peer.ontrack = ({track}) => {
    const element = document.createElement(track.kind);
    element.srcObject = new MediaStream([track]);
    document.body.append(element);
    element.play();
  };
  await peer.setLocalDescription();
  return peer;
};
const offer = async (peer, direction, generation) => {
  const answer = await window.ask("offer", {direction, generation, sdp: peer.localDescription.sdp});
  if (answer.type !== "answer") throw new Error(answer.code);
  await peer.setRemoteDescription({type: "answer", sdp: answer.sdp});
};
window.publish = async (generation) => offer(await sending(), "send", generation);
window.watch = async (generation) => offer(await receiving(3, 4), "receive", generation);
const post = async (peer, path, token) => {
  const headers = {Authorization: `Bearer ${token}`, "Content-Type": "application/sdp"};
  const response = await fetch(path, {method: "POST", headers, body: peer.localDescription.sdp});
  await peer.setRemoteDescription({type: "answer", sdp: await response.text()});
  return {location: response.headers.get("Location"), status: response.status};
};
window.whip = async (lesson, token) => post(await sending(), `/whip/${lesson}`, token);
window.whep = async (lesson, token) => post(await receiving(1, 1), `/whep/${lesson}`, token);
"""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path, processes=True) as house:
        yield house


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def page_of(browser: Browser, house: House) -> Page:
    page = await (await participant(browser, init_script=CLIENT)).new_page()
    await page.goto(f"{house.url}/page")
    return page


async def enter(page: Page, role: str) -> str:
    return str(await page.evaluate("(token) => enter('l-1', token)", f"{role}:l-1"))


async def told(page: Page, type: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await page.evaluate("(type) => heard.filter((one) => one.type === type)", type)
    return found


async def test_a_class_sees_and_hears_the_teacher_then_the_teacher_the_class_until_its_floor_ends(
    house: House, browser: Browser
) -> None:
    teacher, pupils = await page_of(browser, house), await page_of(browser, house)
    await enter(teacher, "lead_teacher")
    class_id = await enter(pupils, "receiving_class")
    await pupils.evaluate("watch(1)")
    await teacher.evaluate("watch(1)")
    await teacher.evaluate("publish(1)")
    await moving_pictures(pupils)
    await heard(pupils)

    await teacher.evaluate("(id) => ask('floor', {participant_id: id, granted: true})", class_id)
    await pupils.evaluate("publish(1)")
    await moving_pictures(teacher)
    await heard(teacher)

    # The page goes on sending; nothing of it may arrive any more.
    await teacher.evaluate("(id) => ask('floor', {participant_id: id, granted: false})", class_id)
    await teacher.wait_for_timeout(300)
    before = sum(stream.packets for stream in await received(teacher))
    await teacher.wait_for_timeout(700)
    assert sum(stream.packets for stream in await received(teacher)) == before
    await moving_pictures(pupils)


async def test_the_picture_is_back_after_the_worker_was_killed(house: House, browser: Browser) -> None:
    teacher, pupils = await page_of(browser, house), await page_of(browser, house)
    await enter(teacher, "lead_teacher")
    await enter(pupils, "receiving_class")
    await pupils.evaluate("watch(1)")
    await teacher.evaluate("publish(1)")
    await moving_pictures(pupils)
    await house.replace_worker(0)

    async def both_told() -> bool:
        return bool(await told(teacher, "media_lost")) and bool(await told(pupils, "media_lost"))

    async def another_is_there() -> bool:
        return all(worker.alive for worker in house.pool.all)

    await eventually("media_lost for both", both_told)
    await eventually("another worker", another_is_there)  # before that an offer is refused after a while
    await teacher.evaluate("publish(2)")
    await pupils.evaluate("watch(2)")
    await moving_pictures(pupils)
    await heard(pupils)


async def test_what_is_published_by_whip_is_watched_by_whep_over_a_crash_of_the_server_process(
    house: House, browser: Browser
) -> None:
    publisher, viewer = await page_of(browser, house), await page_of(browser, house)
    watching = await viewer.evaluate("whep('l-1', 'observer:l-1')")
    publishing = await publisher.evaluate("whip('l-1', 'lead_teacher:l-1')")
    assert (watching["status"], publishing["status"]) == (201, 201)
    await moving_pictures(viewer)
    await heard(viewer)

    await house.crash()
    await moving_pictures(viewer)
    room = house.rooms.find("l-1")
    assert room is not None
    assert len(room.room.state.publications) == 2

    # The server still knows whose session it is, and the end of the browser's peer connection ends the other.
    headers = {"Authorization": "Bearer lead_teacher:l-1"}
    assert (await house.http.delete(house.url + publishing["location"], headers=headers)).status == 200
    assert not room.room.state.publications
    await viewer.evaluate("window.__peers.forEach((peer) => peer.close())")

    async def nobody() -> bool:
        return not room.room.state.participants

    await eventually("the viewer's session has ended", nobody)
