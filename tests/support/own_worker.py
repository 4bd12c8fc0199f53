"""A worker on a real port in the test's own process: the test may look into it, and choose for its slots.

Pages reach it by HTTP on loopback, where browsers allow cameras: `POST /answer/{transport_id}/{direction}`.
"""

from __future__ import annotations

import asyncio
import math
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from aiohttp import web

from media.endpoint import Endpoint, Local
from media.messages import Answer, Answered, Direction, Event, LayersWanted, Place, Placement
from media.publication import Publication
from media.subscription import Slot
from media.worker import Worker

SCRIPT = """
const answer = async (id, direction, peer) => {
  await peer.setLocalDescription(await peer.createOffer());
  if (peer.iceGatheringState !== "complete" && navigator.userAgent.includes("Firefox"))
    await new Promise((resolve) => peer.addEventListener("icegatheringstatechange",
      () => peer.iceGatheringState === "complete" && resolve()));
  const reply = await fetch(`/answer/${id}/${direction}`, {method: "POST", body: peer.localDescription.sdp});
  await peer.setRemoteDescription({type: "answer", sdp: await reply.text()});
};
window.publish = async (codec, sendEncodings, id = "teacher") => {
  const stream = await navigator.mediaDevices.getUserMedia({video: {width: 1280, height: 720}});
  const peer = window.publishing = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  const sender = peer.addTransceiver(stream.getVideoTracks()[0], {direction: "sendonly", streams: [stream],
    sendEncodings});
  const known = RTCRtpSender.getCapabilities("video").codecs;
  // Firefox refuses to leave codecs out; it has no H.264 here, and VP8 is what we answer before VP9.
  if (!navigator.userAgent.includes("Firefox"))
    sender.setCodecPreferences(known.filter((it) => [`video/${codec}`, "video/rtx"].includes(it.mimeType)));
  await answer(id, "send", peer);
};
window.activate = async (rids) => {
  const sender = window.publishing.getSenders()[0], parameters = sender.getParameters();
  for (const encoding of parameters.encodings) encoding.active = rids.includes(encoding.rid);
  await sender.setParameters(parameters);
};
window.watch = async (id = "class") => {
  const peer = window.watching = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  const receiver = peer.addTransceiver("video", {direction: "recvonly"});
  const offered = receiver.getHeaderExtensionsToNegotiate?.() ?? [];
  for (const extension of offered)  // Chromium offers to take it only when told to
    if (extension.uri.includes("dependency-descriptor")) extension.direction = "sendrecv";
  receiver.setHeaderExtensionsToNegotiate?.(offered);
  const video = Object.assign(document.createElement("video"), {autoplay: true, muted: true});
  document.body.append(video);
  peer.ontrack = ({track}) => { video.srcObject = new MediaStream([track]); video.play(); };
  await answer(id, "receive", peer);
};
"""
PAGE = f'<!doctype html><meta charset="utf-8"><body><script>{SCRIPT}</script>'


@dataclass
class OwnWorker:
    url: str
    worker: Worker
    port: int  # for media
    offers: dict[str, str] = field(default_factory=dict)  # by transport id
    events: list[Event] = field(default_factory=list)

    def publication(self, id: str = "teacher-0") -> Publication:
        return self.worker._publications[id]

    def slot(self, transport_id: str = "class", mid: str = "0") -> Slot:
        viewer = self.worker._transports[transport_id].viewer
        assert viewer is not None
        return viewer.slots[mid]

    def place(self, publication_id: str = "teacher-0", transport_id: str = "class", mid: str = "0") -> None:
        self.worker.handle(Place(transport_id, (Placement(mid, publication_id),)), time.monotonic())

    @property
    def wanted(self) -> tuple[str, ...] | None:
        """The layers last said to be wanted; None before anything was said."""
        return next((it.rids for it in reversed(self.events) if isinstance(it, LayersWanted)), None)


def lan_address() -> str:
    """An address of this machine that is not loopback: Firefox checks no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))  # nothing is sent
        return str(probe.getsockname()[0])


@asynccontextmanager
async def own_worker(host: str = "127.0.0.1") -> AsyncIterator[OwnWorker]:
    """Run one while the block runs. Firefox checks no loopback address, so it needs another `host`."""
    port = socket.socket(type=socket.SOCK_DGRAM)
    port.bind((host, 0))
    endpoint = Endpoint([Local(port, host)], [], port.getsockname()[1])
    own = OwnWorker("", endpoint.worker, port.getsockname()[1])
    tell = endpoint.worker._tell

    def keep(event: Event) -> None:
        own.events.append(event)
        tell(event)

    endpoint.worker._tell = keep

    async def answer(request: web.Request) -> web.Response:
        direction: Direction = "send" if request.match_info["direction"] == "send" else "receive"
        transport_id = request.match_info["id"]
        own.offers[transport_id] = await request.text()
        reply = endpoint.worker.handle(Answer(transport_id, direction, own.offers[transport_id]), time.monotonic())
        assert isinstance(reply, Answered), reply
        return web.Response(text=reply.answer, content_type="application/sdp")

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", page), web.post("/answer/{id}/{direction}", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    own.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/"  # type: ignore[attr-defined]
    # No server ever comes; a worker that is alone for half a minute would end, and a busy machine needs longer.
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder, patch("media.endpoint.ALONE", math.inf):
        running = asyncio.create_task(endpoint.run(str(Path(folder) / "worker.sock"), None))
        try:
            yield own
        finally:
            endpoint.stop()
            await running
            await runner.cleanup()
            port.close()
