"""A media worker process as the supervisor starts one, and pages that publish to it and watch from it.

No server and no signaling: offers go by the control socket, straight from the page.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
from asyncio import create_subprocess_exec, sleep, timeout
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from media.client import WorkerClient
from media.messages import Answer, Answered, Direction, Done, Measure, Measured, Place, Placement

PAGE = "https://lesson.test/"  # cameras are for secure pages; the test itself serves it, empty

PUBLISH = """async (offer) => {
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 1280, height: 720}});
  const peer = new RTCPeerConnection({bundlePolicy: "max-bundle", ...window.configuration});
  for (const track of stream.getTracks()) peer.addTransceiver(track, {direction: "sendonly", streams: [stream]});
  window.publishing = peer;
  await peer.setLocalDescription();
  await peer.setRemoteDescription({type: "answer", sdp: await window.answer("send", peer.localDescription.sdp)});
}"""

WATCH = """async () => {
  const peer = new RTCPeerConnection({bundlePolicy: "max-bundle", ...window.configuration});
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


def _bound(wanted: Sequence[tuple[int, str]]) -> tuple[list[tuple[socket.socket, str]], int]:
    """Sockets of these kinds at these hosts, all of one port. A port free for one kind may be in use for another."""
    for attempts_left in range(50, -1, -1):
        port = 0
        sockets: list[tuple[socket.socket, str]] = []
        try:
            for kind, host in wanted:
                one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
                sockets.append((one, host))
                one.bind((host, port))
                port = one.getsockname()[1]
        except OSError:
            for one, _ in sockets:
                one.close()
            if not attempts_left:
                raise
        else:
            return sockets, port
    raise AssertionError


@asynccontextmanager
async def running_worker(
    hosts: Sequence[str] = ("127.0.0.1",), *, udp: bool = True, tcp: bool = True, announce: Sequence[str] = ()
) -> AsyncIterator[WorkerClient]:
    """A worker process, as the supervisor starts it, and its control connection."""
    with tempfile.TemporaryDirectory(prefix="tongke-") as run, contextlib.ExitStack() as stack:
        kinds = [socket.SOCK_DGRAM] * udp + [socket.SOCK_STREAM] * tcp
        sockets, port = _bound([(kind, host) for kind in kinds for host in hosts])
        arguments: list[str] = []
        descriptors: list[int] = []
        for one, host in sockets:
            stack.enter_context(one)
            if one.type == socket.SOCK_STREAM:
                one.listen()
            arguments += ["--tcp" if one.type == socket.SOCK_STREAM else "--udp", f"{one.fileno()}={host}"]
            descriptors.append(one.fileno())
        for host in announce:
            arguments += ["--announce", host]
        control = Path(run) / "worker-0.sock"
        process = await create_subprocess_exec(
            *(sys.executable, "-m", "media", "--control", str(control), *arguments, "--port", str(port)),
            pass_fds=descriptors,
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


async def watch(client: WorkerClient, page: Page, name: str, publisher: str = "teacher") -> None:
    """A page that has called `answer("receive", …)` gets the publisher's microphone and camera in its first slots."""
    places = (Placement("0", f"{publisher}-send-0"), Placement("3", f"{publisher}-send-1"))
    placed = await client.request(Place(f"{name}-receive", places))
    assert placed == Done(), placed


async def selected_pair(page: Page, peer: str) -> dict[str, Any]:
    """What getStats says of the pair a peer connection of the page has selected: protocol, addresses, ports."""
    found: dict[str, Any] = await page.evaluate(
        """async (name) => {
          const stats = await window[name].getStats();
          for (const report of stats.values()) {
            if (report.type !== "transport" || !report.selectedCandidatePairId) continue;
            const pair = stats.get(report.selectedCandidatePairId);
            const local = stats.get(pair.localCandidateId), remote = stats.get(pair.remoteCandidateId);
            return {
              protocol: local.protocol, tcpType: local.tcpType ?? "", type: local.candidateType,
              relay: local.relayProtocol ?? "", address: remote.address, port: remote.port,
              remote: remote.protocol, responses: pair.responsesReceived,
            };
          }
          return {};
        }""",
        peer,
    )
    return found
