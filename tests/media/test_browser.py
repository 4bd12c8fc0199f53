"""A real headless Chromium publishes to and watches from a real `python -m media`; offers go by the control socket."""

from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
from asyncio import create_subprocess_exec, sleep, timeout
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page

from media.client import WorkerClient
from media.messages import (
    Answer,
    Answered,
    CloseTransport,
    Direction,
    Done,
    Measure,
    Measured,
    Place,
    Placement,
    PublicationFlowing,
    TransportChanged,
)
from tests.support.browser import chromium, eventually, heard, moving_pictures, participant, received

PAGE = "https://lesson.test/"  # cameras are for secure pages; the test itself serves it, empty

PUBLISH = """async (offer) => {
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 1280, height: 720}});
  const peer = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  for (const track of stream.getTracks()) peer.addTransceiver(track, {direction: "sendonly", streams: [stream]});
  window.publishing = peer;
  await peer.setLocalDescription();
  await peer.setRemoteDescription({type: "answer", sdp: await window.answer("send", peer.localDescription.sdp)});
}"""

WATCH = """async () => {
  const peer = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  for (const kind of ["audio", "audio", "audio", "video", "video", "video"])
    peer.addTransceiver(kind, {direction: "recvonly"});
  peer.ontrack = ({track}) => {
    const element = document.createElement(track.kind);
    element.srcObject = new MediaStream([track]);
    element.autoplay = true;
    document.body.append(element);
    element.play();
  };
  window.watching = peer;
  await peer.setLocalDescription();
  await peer.setRemoteDescription({type: "answer", sdp: await window.answer("receive", peer.localDescription.sdp)});
}"""


@asynccontextmanager
async def running_worker() -> AsyncIterator[WorkerClient]:
    """A worker process on loopback, as the supervisor starts it, and its control connection."""
    with tempfile.TemporaryDirectory(prefix="tongke-") as run, socket.socket(type=socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        control = Path(run) / "worker-0.sock"
        process = await create_subprocess_exec(
            *(sys.executable, "-m", "media", "--control", str(control)),
            *("--udp", f"{port.fileno()}=127.0.0.1", "--port", str(port.getsockname()[1])),
            pass_fds=[port.fileno()],
        )
        try:
            async with timeout(10):
                while not control.exists():
                    await sleep(0.02)
            client = await WorkerClient.connect(control)
            yield client
            await client.close()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            assert await process.wait() == 0


async def page_of(client: WorkerClient, page: Page, name: str) -> dict[str, Answered]:
    """Let a page call `answer(direction, sdp)`; what the worker answered comes here, by direction."""
    answers: dict[str, Answered] = {}

    async def answer(direction: Direction, offer: str) -> str:
        reply = await client.request(Answer(f"{name}-{direction}", direction, offer))
        assert isinstance(reply, Answered), reply
        answers[direction] = reply
        return reply.answer

    await page.expose_function("answer", answer)
    await page.route(PAGE, lambda route: route.fulfill(body="", content_type="text/html"))
    await page.goto(PAGE)
    return answers


async def counters(client: WorkerClient) -> dict[str, float]:
    measured = await client.request(Measure())
    assert isinstance(measured, Measured)
    return measured.counters


async def test_a_class_sees_and_hears_what_the_teacher_publishes() -> None:
    async with running_worker() as client, chromium("--autoplay-policy=no-user-gesture-required") as browser:
        teacher = await (await participant(browser)).new_page()
        classroom = await (await participant(browser)).new_page()
        published = await page_of(client, teacher, "teacher")
        watched = await page_of(client, classroom, "class")

        await teacher.evaluate(PUBLISH)
        await classroom.evaluate(WATCH)
        microphone, camera = published["send"].publications
        assert (microphone.kind, camera.kind) == ("audio", "video")
        slots = {slot.mid: slot.kind for slot in watched["receive"].slots}
        assert list(slots.values()) == ["audio"] * 3 + ["video"] * 3

        first_audio, first_video, second_video = "0", "3", "4"
        placed = await client.request(
            Place(
                "class-receive",
                (Placement(first_audio, microphone.publication_id), Placement(first_video, camera.publication_id)),
            )
        )
        assert placed == Done()
        await moving_pictures(classroom)
        await heard(classroom)

        # Switched to another slot and back without negotiating: each goes on where it stopped.
        await client.request(
            Place(
                "class-receive",
                (Placement(first_video, None), Placement(second_video, camera.publication_id)),
            )
        )
        await eventually("the other slot decodes", lambda: decodes(classroom, second_video))
        await client.request(
            Place(
                "class-receive",
                (Placement(second_video, None), Placement(first_video, camera.publication_id)),
            )
        )
        await moving_pictures(classroom)

        seen = await counters(client)
        assert seen["packets_out"] > 0
        assert not {name: value for name, value in seen.items() if name.startswith("dropped_srtp") and value}

        events = client.events()
        told = [await anext(events) for _ in range(4)]
        assert {type(event) for event in told} == {TransportChanged, PublicationFlowing}
        await classroom.evaluate("window.watching.close()")
        assert await anext(events) == TransportChanged("class-receive", "closed")
        assert await client.request(CloseTransport("teacher-send")) == Done()
        assert (await counters(client))["transports"] == 0


async def decodes(page: Page, mid: str) -> bool:
    return any(each.mid == mid and each.frames > 2 for each in await received(page, "video"))
