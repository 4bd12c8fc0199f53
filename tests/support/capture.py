"""Captures what real browsers offer and send, as small fixtures for the tests of the media wire.

    python -m tests.support.capture chromium     writes tests/support/captures/chromium.json (or firefox, ffmpeg)

A page publishes a fake camera and microphone to a peer made of nothing but media/'s wire modules, and receives the same
back on a second connection, one packet in forty dropped, so that NACKs are asked for and answered. Kept are the offers,
and in the order they came the first checks, handshake datagrams, RTP and RTCP packets, these two decrypted.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import struct
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import av
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from media import rtcp, rtp, stun
from media.answer import TRANSPORT_WIDE_CC, LocalParameters, Negotiated, answer, candidate
from media.certificate import Certificate
from media.codecs import best_match
from media.dtls import Dtls, SrtpKeys
from media.feedback import TransportWideFeedback
from media.ice import IceLite
from media.ice import Path as IcePath
from media.messages import Direction
from media.reports import Inbound, RoundTrip
from media.sdp import SessionDescription
from tests.support.browser import FLAGS, executable

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


@dataclass
class Capture:
    """What is kept of one peer connection; datagrams in hexadecimal."""

    offer: str = ""
    answer: str = ""
    checks: list[str] = field(default_factory=list)
    dtls: list[str] = field(default_factory=list)
    rtp: list[str] = field(default_factory=list)
    rtcp: list[str] = field(default_factory=list)


class Peer(asyncio.DatagramProtocol):
    """The other end of one peer connection."""

    def __init__(self, direction: Direction, offer: str, certificate: Certificate, host: str) -> None:
        self.direction = direction
        self.capture = Capture(offer=offer)
        self.ice = IceLite(time.monotonic())
        self.partner: Peer | None = None
        self.negotiated: Negotiated
        self.dtls: Dtls
        self._certificate = certificate
        self._host = host
        self._inbound: Session | None = None
        self._outbound: Session | None = None
        self._kinds: Counter[tuple[int, int]] = Counter()
        self._forwarded: dict[tuple[int, int], bytes] = {}  # (ssrc, sequence) as sent -> the plain packet
        self._count = 0
        self._rtx_sequence = 0
        self._feedback = TransportWideFeedback(1)
        self._feedback_id = 0
        self._receptions: dict[int, Inbound] = {}
        self._report_at = 0.0
        self.round_trip = RoundTrip()

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.DatagramTransport = transport
        port = transport.get_extra_info("sockname")[1]
        local = LocalParameters(
            self.ice.ufrag,
            self.ice.pwd,
            self._certificate.fingerprint,
            (candidate(self._host, port, 0),),
            "capture",
            1,
        )
        self.negotiated = answer(SessionDescription.parse(self.capture.offer), self.direction, local)
        self.capture.answer = self.negotiated.sdp
        for section in self.negotiated.sections:
            self._feedback_id = section.extensions.get(TRANSPORT_WIDE_CC, self._feedback_id)
            for source in section.remote:
                self._receptions[source.ssrc] = Inbound(source.ssrc, section.codecs[0].clock_rate)
        remote = self.negotiated.remote
        self.dtls = Dtls(self._certificate, remote.fingerprints, remote.dtls_role)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        now = time.monotonic()
        if data[0] < 4:
            _keep(self.capture.checks, data, 6)
            assert stun.ufrag_of(data) == self.ice.ufrag
            checked = self.ice.check(data, IcePath(0, address), now)
            if checked.reply is not None:
                self._transport.sendto(checked.reply, address)
            if checked.accepted:
                self._send_all(self.dtls.begin(now))
        elif 20 <= data[0] < 64:
            _keep(self.capture.dtls, data, 8)
            self._send_all(self.dtls.receive(data, now))
            if self.dtls.connected and self._inbound is None:
                keys = self.dtls.keys()
                self._inbound = _session(keys, inbound=True)
                self._outbound = _session(keys, inbound=False)
        elif 128 <= data[0] < 192 and self._inbound is not None:
            try:
                if 192 <= data[1] < 224:
                    self._rtcp(self._inbound.unprotect_rtcp(data))
                else:
                    self._rtp(self._inbound.unprotect(data), now)
            except SrtpError:
                print("an SRTP packet that is not authentic", file=sys.stderr)

    def poll(self) -> None:
        self._send_all(self.dtls.poll(time.monotonic()))

        now = time.monotonic()
        for feedback in self._feedback.build(now):
            self.ask(feedback)
        if self.direction == "send" and now >= self._report_at:
            self._report_at = now + 1.0
            self.ask(self.round_trip.reference_time(1, time.time()))

    def ask(self, packet: rtcp.Packet) -> None:
        """Send feedback to the browser, with reports as every compound packet has."""
        if self._outbound is not None and self.ice.target is not None:
            now = time.monotonic()
            blocks = tuple(block for each in self._receptions.values() if (block := each.block(now)) is not None)
            data = bytes(rtcp.ReceiverReport(1, blocks)) + bytes(packet)
            self._transport.sendto(self._outbound.protect_rtcp(data), self.ice.target.address)

    def _send_all(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            if self.ice.target is not None:
                self._transport.sendto(datagram, self.ice.target.address)

    def _rtp(self, packet: bytes, now: float) -> None:
        parsed = rtp.parse(packet)
        assert parsed is not None
        number = parsed.extensions.get(self._feedback_id)
        if number is not None:
            self._feedback.arrived(int.from_bytes(number, "big"), parsed.ssrc, now)
        if parsed.ssrc in self._receptions:
            self._receptions[parsed.ssrc].receive(parsed.sequence, parsed.timestamp, now)
        kind = packet[1] & 127, struct.unpack_from("!I", packet, 8)[0]
        self._kinds[kind] += 1
        if self._kinds[kind] <= 12:
            self.capture.rtp.append(packet.hex())
        if self.partner is not None:
            self.partner.forward(packet, self.negotiated)
        media_ssrcs = {source.ssrc for section in self.negotiated.sections for source in section.remote}
        if kind[1] in media_ssrcs and self._kinds[kind] % 50 == 49:  # as if it had been lost
            self.ask(rtcp.Nack(1, kind[1], (int.from_bytes(packet[2:4], "big"),)))

    def forward(self, packet: bytes, published: Negotiated) -> None:
        """Send a publisher's packet into the slot of its kind."""
        for section in published.sections:
            codec = next((each for each in section.codecs if each.payload_type == packet[1] & 127), None)
            slot = next((each for each in self.negotiated.sections if each.kind == section.kind), None)
            if codec is None or slot is None or slot.local is None or self._outbound is None:
                continue
            match = best_match(codec, slot.codecs)
            if match is None or self.ice.target is None:
                continue
            plain = bytes((packet[0] & 0xEF, packet[1] & 0x80 | match.payload_type)) + packet[2:8]
            plain += slot.local.ssrc.to_bytes(4, "big") + _without_extensions(packet)
            self._forwarded[slot.local.ssrc, int.from_bytes(packet[2:4], "big")] = plain
            self._count += 1
            if self._count % 40:
                self._transport.sendto(self._outbound.protect(plain), self.ice.target.address)

    def _rtcp(self, data: bytes) -> None:
        _keep(self.capture.rtcp, data, 60)
        for packet in rtcp.parse(data):
            if isinstance(packet, rtcp.SenderReport) and packet.ssrc in self._receptions:
                self._receptions[packet.ssrc].sender_report(packet, time.monotonic())
            elif isinstance(packet, rtcp.LastReceiverReference):
                self.round_trip.from_dlrr(packet, time.time())
            if self.direction == "receive" and isinstance(packet, rtcp.Nack):
                for sequence in packet.lost:
                    self._repair(packet.media_ssrc, sequence)
            elif isinstance(packet, rtcp.PictureLoss | rtcp.FullIntraRequest) and self.partner is not None:
                for section in self.partner.negotiated.sections:
                    if section.kind == "video":
                        for source in section.remote:
                            self.partner.ask(rtcp.PictureLoss(1, source.ssrc))

    def _repair(self, ssrc: int, sequence: int) -> None:
        plain = self._forwarded.get((ssrc, sequence))
        slot = next(each for each in self.negotiated.sections if each.local and each.local.ssrc == ssrc)
        assert slot.local is not None
        if plain is None or self._outbound is None or self.ice.target is None:
            return
        if slot.local.rtx_ssrc is not None:
            codec = next(each for each in slot.codecs if each.payload_type == plain[1] & 127)
            assert codec.rtx_payload_type is not None
            self._rtx_sequence += 1
            head = struct.pack("!BBH", plain[0], plain[1] & 0x80 | codec.rtx_payload_type, self._rtx_sequence)
            plain = head + plain[4:8] + slot.local.rtx_ssrc.to_bytes(4, "big") + plain[2:4] + plain[12:]
        self._transport.sendto(self._outbound.protect(plain), self.ice.target.address)


def _keep(kept: list[str], data: bytes, most: int) -> None:
    if len(kept) < most:
        kept.append(data.hex())


def _without_extensions(packet: bytes) -> bytes:
    at = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        at += 4 + 4 * int.from_bytes(packet[at + 2 : at + 4], "big")
    return packet[at:]


def _session(keys: SrtpKeys, *, inbound: bool) -> Session:
    profiles = {
        "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
        "AES128_CM_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    }
    policy = Policy(
        key=keys.remote if inbound else keys.local,
        ssrc_type=Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=profiles[keys.profile],
    )
    policy.allow_repeat_tx = True  # sound is repeated as it was
    return Session(policy)


def _address() -> str:
    """An address of this machine that is not loopback: Firefox checks no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))  # nothing is sent
        return str(probe.getsockname()[0])


async def capture(browser: str) -> dict[str, Capture]:
    """Run one browser (chromium, firefox, or ffmpeg for its WHIP muxer) and return what it sent, by direction."""
    certificate, host = Certificate.generate(), _address()
    peers: dict[Direction, Peer] = {}
    done = asyncio.get_running_loop().create_future()

    async def offer(request: web.Request) -> web.Response:
        direction: Direction = "send" if request.match_info["direction"] == "send" else "receive"
        text = await request.text()
        _, peer = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Peer(direction, text, certificate, host), local_addr=(host, 0)
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
