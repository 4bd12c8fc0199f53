"""Checks of media: the codecs at hand, and a real peer that publishes and watches through a real media worker.

The worker is one of its own, on free ports of every address, so the check works beside a running server too.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from media import messages, stun
from media.client import WorkerClient
from media.stream_framing import framed
from server.doctor.finding import Finding
from server.listeners import MediaPort, bind_media

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection

START_TIME = 10.0  # seconds a worker may take to listen
FLOW_TIME = 10.0  # seconds in which pictures and sound must have come
TCP_TIME = 3.0  # seconds for an answer by TCP
PICTURES, SOUNDS = 10, 25  # decoded frames of each that count as flowing


def codecs() -> Iterator[Finding]:
    """What muxing, exports and the synthetic lesson need."""
    import av

    missing = []
    for name, mode, what in (
        ("h264", "r", "storyboards"),
        ("opus", "r", "exports"),
        ("libopus", "w", "silence in recordings"),
        ("aac", "w", "exports"),
        ("libx264", "w", "the demo"),
    ):
        try:
            av.Codec(name, mode)  # type: ignore[arg-type]
        except ValueError:
            missing.append(f"{name} ({what})")
    formats = {"mp4", "webm", "whip"} - av.formats_available
    missing += [f"the {name} format" for name in sorted(formats)]
    if missing:
        yield Finding("codecs", "warn", f"Missing: {', '.join(missing)}.", "Install PyAV from its wheel.")
    else:
        yield Finding("codecs", "ok", f"H.264, Opus, AAC, MP4, WebM and WHIP are there (PyAV {av.__version__}).")


def loopback() -> Iterator[Finding]:
    """Pictures and sound through a worker, by every address of this machine."""
    port = bind_media(0, 1)[0]
    try:
        yield from asyncio.run(_loopback(port))
    finally:
        port.close()


async def _loopback(port: MediaPort) -> list[Finding]:
    try:
        async with _worker(port) as worker:
            return [await _through(worker, ip, port.port) for ip, _ in port.sockets]
    except (OSError, TimeoutError) as error:
        return [
            Finding("media", "bad", f"A media worker does not start: {error or 'no answer'}.", "Read what it logged.")
        ]


@contextlib.asynccontextmanager
async def _worker(port: MediaPort) -> AsyncIterator[WorkerClient]:
    """A media worker of our own, connected."""
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:
        control = Path(folder) / "worker.sock"
        arguments = ["-m", "media", "--control", str(control), "--recorder", str(Path(folder) / "recorder.sock")]
        for ip, socket in port.sockets:
            arguments += ["--udp", f"{socket.fileno()}={ip}"]
        for ip, socket in port.listeners:
            arguments += ["--tcp", f"{socket.fileno()}={ip}"]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            "--port",
            str(port.port),
            pass_fds=[socket.fileno() for _, socket in (*port.sockets, *port.listeners)],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sys.stderr,
        )
        try:
            client = await _connect(control, process)
            try:
                yield client
            finally:
                await client.close()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 3)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _connect(control: Path, process: asyncio.subprocess.Process) -> WorkerClient:
    deadline = time.monotonic() + START_TIME
    while True:
        try:
            return await WorkerClient.connect(control)
        except OSError:
            if process.returncode is not None or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)


@dataclass(slots=True)
class _Seen:
    pictures: int = 0
    sounds: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    def came(self, kind: str) -> None:
        if kind == "video":
            self.pictures += 1
        else:
            self.sounds += 1
        if self.pictures >= PICTURES and self.sounds >= SOUNDS:
            self.enough.set()


async def _through(worker: WorkerClient, ip: str, port: int) -> Finding:
    """Publish and watch with the worker's candidates cut down to one address."""
    from aiortc import RTCConfiguration, RTCPeerConnection

    check = f"media {ip}"
    begun = time.monotonic()
    sender, viewer = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    seen = _Seen()
    tasks: list[asyncio.Task[None]] = []
    by_tcp = False
    try:
        await _publish_and_watch(worker, ip, sender, viewer, seen, tasks)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(seen.enough.wait(), FLOW_TIME)
        by_tcp = await _answers_by_tcp(sender.remoteDescription.sdp, ip, port)
    except (_RefusedError, ConnectionError, TimeoutError, ValueError) as error:
        return Finding(check, "bad", f"The media worker refuses an ordinary offer: {error}.", "Please report this.")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, sender.close(), viewer.close(), return_exceptions=True)
        for name in (f"doctor-send-{ip}", f"doctor-receive-{ip}"):
            with contextlib.suppress(ConnectionError, TimeoutError):
                await worker.request(messages.CloseTransport(name))
    if seen.enough.is_set() and not by_tcp:
        return Finding(
            check,
            "warn",
            f"Pictures and sound flow through {ip} by UDP, but by TCP nobody answers.",
            "Let the firewall of this machine pass TCP on the media ports, for classes whose network lets no UDP out.",
        )
    if seen.enough.is_set():
        took = time.monotonic() - begun
        return Finding(
            check, "ok", f"Pictures and sound flow through {ip} (UDP, DTLS, SRTP; {took:.1f} s). TCP answers too."
        )
    if not (sender.connectionState == viewer.connectionState == "connected" or seen.pictures or seen.sounds):
        return Finding(
            check,
            "bad",
            f"No connection through {ip}.",
            "Let the firewall of this machine pass UDP on the media ports.",
        )
    came = f"{seen.pictures} pictures and {seen.sounds} sounds in {FLOW_TIME:.0f} s"
    return Finding(
        check, "bad", f"Connected through {ip}, but only {came}.", "Is the machine overloaded? Else please report this."
    )


async def _answers_by_tcp(answer: str, ip: str, port: int) -> bool:
    """Whether a check by TCP (RFC 6544) of the transport that was answered so is answered as well."""
    found = dict(re.findall(r"^a=ice-(ufrag|pwd):(\S+)", answer, re.MULTILINE))
    name, key = f"{found.get('ufrag', '')}:doctor", found.get("pwd", "").encode()
    try:
        async with asyncio.timeout(TCP_TIME):
            reader, writer = await asyncio.open_connection(ip, port)
            try:
                check = stun.request(name, key, secrets.token_bytes(12), priority=1, use_candidate=False)
                writer.write(framed(check))
                reply = stun.parse(await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big")))
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
    return reply is not None and reply.type == stun.BINDING_RESPONSE


async def _publish_and_watch(
    worker: WorkerClient,
    ip: str,
    sender: RTCPeerConnection,
    viewer: RTCPeerConnection,
    seen: _Seen,
    tasks: list[asyncio.Task[None]],
) -> None:
    from aiortc import MediaStreamTrack
    from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack

    async def count(track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                await track.recv()
                seen.came(track.kind)

    @viewer.on("track")
    def watch(track: MediaStreamTrack) -> None:
        tasks.append(asyncio.create_task(count(track)))

    sender.addTrack(AudioStreamTrack())
    sender.addTrack(VideoStreamTrack())
    published = await _negotiate(worker, sender, f"doctor-send-{ip}", "send", ip)
    viewer.addTransceiver("audio", direction="recvonly")
    viewer.addTransceiver("video", direction="recvonly")
    watched = await _negotiate(worker, viewer, f"doctor-receive-{ip}", "receive", ip)
    by_kind = {publication.kind: publication.publication_id for publication in published.publications}
    placements = tuple(messages.Placement(slot.mid, by_kind.get(slot.kind)) for slot in watched.slots)
    placed = await worker.request(messages.Place(watched.transport_id, placements))
    if isinstance(placed, messages.Refused):
        raise _RefusedError(placed.code)


async def _negotiate(
    worker: WorkerClient, peer: RTCPeerConnection, name: str, direction: messages.Direction, ip: str
) -> messages.Answered:
    from aiortc import RTCSessionDescription

    await peer.setLocalDescription(await peer.createOffer())
    answered = await worker.request(messages.Answer(name, direction, peer.localDescription.sdp))
    if not isinstance(answered, messages.Answered):
        raise _RefusedError(answered.code if isinstance(answered, messages.Refused) else type(answered).__name__)
    await peer.setRemoteDescription(RTCSessionDescription(only(answered.answer, ip), "answer"))
    return answered


def only(sdp: str, ip: str) -> str:
    """The answer with no other candidates than those of one address."""
    kept = [
        line
        for line in sdp.splitlines()
        if not line.startswith("a=candidate:") or line.split()[4].lower() == ip.lower()
    ]
    return "\r\n".join(kept) + "\r\n"


class _RefusedError(Exception):
    """The worker says no; the text is its code."""
