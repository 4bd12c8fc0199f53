"""A whole node against the world: strangers at its UDP port, a disk that fills, other people on its machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import av
import pytest

from server.demo import voice
from tests.bench import offers
from tests.bench.peer import Peer
from tests.bench.stream import AUDIO_LEVEL, AUDIO_TYPE, Source
from tests.support.server import Lesson, Tongke

PATIENCE = 30.0  # seconds until a test gives up on a loaded machine


async def until(true: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await true():
            await asyncio.sleep(0.1)


class Microphone:
    """A lead teacher's device that publishes sound by WHIP; `sent` keeps the datagrams."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.sent: list[bytes] = []
        self._source = Source(111, AUDIO_TYPE, (AUDIO_LEVEL,))
        self._packets = list(voice.packets())[:500]

    def speak(self) -> None:
        """20 ms."""
        number = self._source.packets
        plain = self._source.packet(self._packets[number % len(self._packets)], number * 960, False, 0.0)
        assert self.peer.outbound is not None
        self.sent.append(self.peer.outbound.protect(plain))
        self.peer._send(self.sent[-1])


@contextlib.asynccontextmanager
async def publishing(tongke: Tongke, lesson: Lesson) -> AsyncIterator[Microphone]:
    """Someone who teaches, by sound alone, until the block ends."""
    peer = await session(tongke, lesson, "whip", "lead_teacher")
    microphone = Microphone(peer)

    async def teach() -> None:
        while True:
            microphone.speak()
            await asyncio.sleep(0.02)

    teaching = asyncio.create_task(teach())
    try:
        yield microphone
    finally:
        teaching.cancel()
        peer.close()


async def session(tongke: Tongke, lesson: Lesson, door: str, role: str) -> Peer:
    peer = Peer()
    offer = (
        offers.publishing(peer.credentials, 111, 222, 333)
        if door == "whip"
        else offers.watching(peer.credentials, audio=1, video=0)
    )
    answer = await tongke.request(
        "POST",
        f"/{door}/{lesson.lesson_id}",
        token=await tongke.token(lesson.lesson_id, role),
        body=offer.encode(),
        headers={"Content-Type": "application/sdp"},
    )
    assert answer.status == 201, answer.body
    await peer.connect(offers.remote(answer.body.decode()))
    return peer


async def dropped(tongke: Tongke) -> dict[str, float]:
    """What the media worker has dropped, by reason."""
    text = (await tongke.request("GET", "/metrics")).body.decode()
    found = re.findall(r'^tongke_media_dropped_total\{reason="(\w+)",worker="0"\} (\S+)$', text, re.M)
    return {reason: float(count) for reason, count in found}


def above_info(tongke: Tongke) -> list[str]:
    return [line for line in tongke.log.splitlines() if not re.search(r'"level": "info"|^INFO |^$', line)]


async def test_strangers_at_the_udp_port_are_counted_and_disturb_no_lesson(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with Tongke(tmp_path / "data") as tongke:
        lesson = await tongke.create_lesson()
        heard = 0
        async with publishing(tongke, lesson) as microphone:
            viewer = await session(tongke, lesson, "whep", "receiving_class")

            def listen(packet: bytes, arrival: int) -> None:
                nonlocal heard
                heard += not 192 <= packet[1] <= 223

            viewer.on_media = listen
            await until(lambda: _true(heard > 10))
            before = await dropped(tongke)
            port = microphone.peer._remote.address if microphone.peer._remote else ("", 0)

            _, stranger = await _datagrams(port)
            for size in (0, 1, 2, 19, 20, 100, 1200, 2000):
                for first in (0, 1, 22, 64, 128, 144, 200, 255):
                    stranger.sendto(bytes((first,))[:size] + chance.randbytes(max(0, size - 1)))
            truncated = bytes.fromhex("000100582112a442") + b"x" * 12 + b"\x00\x06\x00\xff" + b"a"
            stranger.sendto(truncated)
            stranger.sendto(b"\x80\x6f" + chance.randbytes(50))

            for datagram in microphone.sent[-20:]:
                microphone.peer._send(datagram)  # replayed
            for _ in range(20):
                forged = bytearray(microphone.sent[-1])
                forged[2:4] = chance.randbytes(2)
                microphone.peer._send(bytes(forged))
            for _ in range(20):
                microphone.peer._send(b"\x80" + bytes((chance.randrange(200, 208),)) + chance.randbytes(30))
            assert microphone.peer.outbound is not None
            for words in (0, 1, 0xFFFF):  # of our own peer, and absurd: lengths that lie
                report = b"\x9f\xcd" + words.to_bytes(2, "big") + chance.randbytes(8)
                microphone.peer._send(microphone.peer.outbound.protect_rtcp(report))

            expected = {
                "unknown_source",
                "unknown_protocol",
                "stun_malformed",
                "srtp_replayed",
                "srtp_unauthentic",
                "srtcp_unauthentic",
                "rtcp_malformed",
            }

            async def counted() -> bool:
                now = await dropped(tongke)
                return all(now.get(reason, 0) > before.get(reason, 0) for reason in expected)

            await until(counted)
            so_far = heard
            await until(lambda: _true(heard > so_far + 10))
            stranger.close()
            viewer.close()
        assert not above_info(tongke)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path, leave: int) -> None:
    """All but `leave` bytes, at once."""
    with (disk / "filler").open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, shutil.disk_usage(disk).free - leave)


async def test_a_full_disk_stops_the_recording_and_not_the_lesson(small_disk: Path, tmp_path: Path) -> None:
    tongke = Tongke(small_disk / "data")
    tongke._log = tmp_path / "log"
    async with tongke, aiohttp.ClientSession() as http:
        lesson = await tongke.create_lesson()
        async with publishing(tongke, lesson), http.ws_connect(f"{tongke.http}/ws/{lesson.lesson_id}") as socket:
            await socket.send_json({"type": "hello", "token": await tongke.token(lesson.lesson_id, "receiving_class")})
            assert (await socket.receive_json(timeout=PATIENCE))["type"] == "welcome"
            listened = 0
            viewer = await session(tongke, lesson, "whep", "receiving_class")

            def listen(packet: bytes, arrival: int) -> None:
                nonlocal listened
                listened += 1

            viewer.on_media = listen
            token = await tongke.token(lesson.lesson_id, "lead_teacher")

            async def some_recorded() -> bool:
                answer = await tongke.request("GET", f"/api/lessons/{lesson.lesson_id}/recording", token=token)
                return answer.status == 200 and answer.json["duration_ms"] >= 3000

            await until(some_recorded)
            fill(small_disk, leave=0)
            message: Any = {}
            async with asyncio.timeout(PATIENCE):
                while message.get("kind") != "recording" or message["payload"]["state"] != "stopped":
                    message = await socket.receive_json()
            assert message["payload"]["reason"] == "disk_full"

            so_far = listened
            await until(lambda: _true(listened > so_far + 50))
            await socket.send_json({"type": "hand", "raised": True, "id": 1})
            entered = await tongke.request(
                "POST",
                "/api/class/enter",
                body=json.dumps({"code": lesson.class_code}).encode(),
                headers={"Content-Type": "application/json"},
            )
            assert entered.status == 200

            await tongke.end_lesson(lesson.lesson_id)
            viewer.close()
        known = await tongke.request("GET", f"/api/lessons/{lesson.lesson_id}", token=token)
        assert known.json["status"] == "ended"
        recording = (await tongke.request("GET", f"/api/lessons/{lesson.lesson_id}/recording", token=token)).json
        assert recording["status"] != "recording"
        assert recording["duration_ms"] >= 3000
        folder = tongke.data / "archive" / lesson.lesson_id
        with av.open(str(folder / "lead-microphone.m3u8"), options={"allowed_extensions": "ALL"}) as played:
            samples = sum(frame.samples for frame in played.decode(audio=0))
        assert samples >= 2.5 * 48000
        assert "traceback" not in tongke.log.lower()


@pytest.mark.parametrize("leave", [0, 20_000_000])
def test_serve_says_in_one_sentence_that_the_disk_is_full(small_disk: Path, leave: int) -> None:
    fill(small_disk, leave)
    flags = ("--http", "127.0.0.1:0", "--no-https", "--media-port", "0", "--workers", "1")
    ended = subprocess.run(
        [sys.executable, "-m", "server", "serve", *flags, "--data", str(small_disk / "data")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert (
        ended.stderr == f"The disk of {small_disk / 'data'} is full: make room or choose another folder with --data.\n"
    )


async def test_nobody_else_on_the_machine_reads_or_enters(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke:
        await tongke.create_lesson()
        run = json.loads((tongke.data / "run.json").read_text())["folder"]
        for root in (tongke.data, Path(run)):
            for path in (root, *root.rglob("*")):
                if not path.is_symlink() and not path.is_socket():  # a socket is as private as its folder
                    assert path.stat().st_mode & 0o077 == 0, path


def _true(value: bool) -> Any:
    async def answer() -> bool:
        return value

    return answer()


async def _datagrams(address: tuple[str, int]) -> tuple[Any, asyncio.DatagramTransport]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=address
    )
    return protocol, transport
