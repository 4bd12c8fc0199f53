"""Captures what real browsers offer and send, as small fixtures for the tests of the media wire.

    python -m tests.support.capture chromium     writes tests/support/captures/chromium.json (or firefox, ffmpeg)

A page publishes a fake camera and microphone to a `WirePeer` and receives the same back on a second connection, one
packet in forty left out, so that NACKs are asked for and answered. Kept are the offers, and in the order they came the
first checks, handshake datagrams, RTP and RTCP packets, these two decrypted.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import av
from aiohttp import web
from cryptography.hazmat.primitives import serialization

from media.certificate import Certificate
from media.messages import Direction
from tests.support.browser import FLAGS, executable
from tests.support.wire_peer import Capture, WirePeer

FOLDER = Path(__file__).parent / "captures"
SECONDS = 12.0

_PAGE = """<!doctype html><title>capture</title><script>
async function connect(direction, prepare) {
  const peer = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  await prepare(peer);
  await peer.setLocalDescription(await peer.createOffer());
  const reply = await fetch("/offer/" + direction, {method: "POST", body: peer.localDescription.sdp});
  await peer.setRemoteDescription({type: "answer", sdp: await reply.text()});
  return peer;
}
async function report(peer) {
  const found = {state: peer.connectionState};
  for (const each of (await peer.getStats()).values()) {
    if (each.type === "inbound-rtp") found[each.kind + "_in"] =
      {packets: each.packetsReceived, frames: each.framesDecoded, nacks: each.nackCount,
       repaired: each.retransmittedPacketsReceived};
    if (each.type === "outbound-rtp") found[each.kind + "_out"] =
      {packets: each.packetsSent, nacks: each.nackCount, plis: each.pliCount, repaired: each.retransmittedPacketsSent,
       target: each.targetBitrate};
    if (each.type === "remote-inbound-rtp") found[each.kind + "_rtt"] = each.roundTripTime;
    if (each.type === "candidate-pair" && each.nominated) found.outgoing = each.availableOutgoingBitrate;
  }
  return found;
}
(async () => {
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 640, height: 360}});
  const send = await connect("send", async (peer) => {
    for (const track of stream.getTracks()) peer.addTransceiver(track, {direction: "sendonly", streams: [stream]});
  });
  const receive = await connect("receive", async (peer) => {
    for (const kind of ["audio", "video"]) peer.addTransceiver(kind, {direction: "recvonly"});
  });
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  await fetch("/report", {method: "POST", body: JSON.stringify([await report(send), await report(receive)])});
  send.close();
  receive.close();
  await fetch("/done", {method: "POST"});
})().catch((error) => fetch("/failed", {method: "POST", body: String(error) + error.stack}));
</script>""".replace("SECONDS", str(SECONDS))


def _address() -> str:
    """An address of this machine that is not loopback: Firefox checks no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))  # nothing is sent
        return str(probe.getsockname()[0])


async def capture(browser: str) -> dict[str, Capture]:
    """Run one browser (chromium, firefox, or ffmpeg for its WHIP muxer) and return what it sent, by direction."""
    certificate, host = Certificate.generate(), _address()
    peers: dict[Direction, WirePeer] = {}
    done = asyncio.get_running_loop().create_future()

    async def offer(request: web.Request) -> web.Response:
        direction: Direction = "send" if request.match_info["direction"] == "send" else "receive"
        text = await request.text()
        _, peer = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: WirePeer(direction, text, certificate, host), local_addr=(host, 0)
        )
        peers[direction] = peer
        if len(peers) == 2:
            peers["send"].partner, peers["receive"].partner = peers["receive"], peers["send"]
        headers = {"Location": "/offer/send/1"}
        return web.Response(status=201, text=peer.negotiated.sdp, content_type="application/sdp", headers=headers)

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    async def report(request: web.Request) -> web.Response:
        for each in await request.json():
            print(json.dumps(each))
        return web.Response()

    async def finished(_: web.Request) -> web.Response:
        await asyncio.sleep(0.3)  # the last goodbye
        if not done.done():
            done.set_result(None)
        return web.Response()

    async def failed(request: web.Request) -> web.Response:
        done.set_exception(RuntimeError(await request.text()))
        return web.Response()

    app = web.Application()
    app.add_routes(
        [
            web.get("/", page),
            web.post("/offer/{direction}", offer),
            web.delete("/offer/send/1", finished),
            web.post("/report", report),
            web.post("/done", finished),
            web.post("/failed", failed),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/"  # type: ignore[attr-defined]

    async def tick() -> None:
        while True:
            await asyncio.sleep(0.05)
            for peer in list(peers.values()):
                peer.poll()

    ticking = asyncio.create_task(tick())
    with tempfile.TemporaryDirectory() as folder:
        process = await _start(browser, url, Path(folder))
        try:
            await asyncio.wait_for(done, 60)
        finally:
            ticking.cancel()
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await runner.cleanup()
    for direction, peer in peers.items():
        print(direction, peer.dtls.keys().profile, "round trip", peer.round_trip.seconds, "gone", peer.dtls.closed)
    return {direction: peer.capture for direction, peer in peers.items()}


async def _start(browser: str, url: str, folder: Path) -> asyncio.subprocess.Process:
    if browser == "chromium":
        command = [executable(), "--headless", *FLAGS, f"--user-data-dir={folder}", url]
    elif browser == "ffmpeg":  # a process of its own: its muxer holds the interpreter while it shakes hands
        command = [sys.executable, "-m", "tests.support.capture", "--publish", url + "offer/send", str(folder)]
    else:
        prefs = {
            "media.navigator.streams.fake": True,
            "media.navigator.permission.disabled": True,
            "browser.shell.checkDefaultBrowser": False,
            "datareporting.policy.dataSubmissionEnabled": False,
            "app.update.enabled": False,
            "network.captive-portal-service.enabled": False,
            "browser.aboutwelcome.enabled": False,
        }
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in prefs.items()]
        (folder / "user.js").write_text("".join(lines))
        firefox = shutil.which("firefox-esr") or shutil.which("firefox")
        assert firefox is not None, "no Firefox on this machine"
        command = [firefox, "--headless", "--no-remote", "--profile", str(folder), url]
    null = None if browser == "ffmpeg" else asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(*command, stdout=null, stderr=null)


def _publish_by_ffmpeg(url: str, folder: Path) -> None:
    """Some seconds of black and silence through FFmpeg's WHIP muxer."""
    certificate = Certificate.generate()
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.x509.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        certificate.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    options = {"cert_file": str(folder / "cert.pem"), "key_file": str(folder / "key.pem")}
    with av.open(url, "w", format="whip", options=options) as container:
        video = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "tune": "zerolatency"})
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        video.codec_context.gop_size = 60
        video.options["profile"] = "baseline"
        audio = container.add_stream("libopus", rate=48000, layout="stereo")
        start = time.monotonic()
        for number in range(150):
            picture = av.VideoFrame(640, 360, "yuv420p")
            picture.pts = number
            container.mux(video.encode(picture))
            for _ in range(2 if number % 3 == 2 else 1 if number % 3 else 2):
                sound = av.AudioFrame("s16", "stereo", 960)
                sound.sample_rate = 48000
                for plane in sound.planes:
                    plane.update(bytes(plane.buffer_size))
                container.mux(audio.encode(sound))
            time.sleep(max(0.0, start + (number + 1) / 30 - time.monotonic()))


def main() -> None:
    if sys.argv[1:2] == ["--publish"]:
        return _publish_by_ffmpeg(sys.argv[2], Path(sys.argv[3]))
    for browser in sys.argv[1:]:
        captures = asyncio.run(capture(browser))
        FOLDER.mkdir(exist_ok=True)
        path = FOLDER / f"{browser}.json"
        path.write_text(json.dumps({name: asdict(each) for name, each in captures.items()}, indent=1) + "\n")
        for name, each in captures.items():
            print(name, {key: len(value) for key, value in asdict(each).items()}, path.stat().st_size)


if __name__ == "__main__":
    main()
