"""The publisher against a small WHIP door made of aiortc: another implementation, in the DTLS role of ours."""

import asyncio
import base64
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

TOKEN = "a-grant-that-must-not-be-seen"


class Door:
    """Takes offers, decodes what comes, and remembers it."""

    def __init__(self) -> None:
        self.authorizations: list[str] = []
        self.offers: list[str] = []
        self.deleted = 0
        self.refuse: tuple[int, str] | None = None
        self.frames: dict[str, asyncio.Queue[object]] = {"audio": asyncio.Queue(), "video": asyncio.Queue()}
        self._peers: list[RTCPeerConnection] = []
        self._tasks: list[asyncio.Task[None]] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/whip/lesson", self._post)
        app.router.add_delete("/whip/lesson/session", self._delete)
        app.router.add_get("/api/lessons/lesson/participants", self._nobody)
        return app

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for peer in self._peers:
            await peer.close()

    async def _post(self, request: web.Request) -> web.Response:
        self.authorizations.append(request.headers["Authorization"])
        if self.refuse:
            status, code = self.refuse
            return web.json_response({"code": code}, status=status, content_type="application/problem+json")
        offer = await request.text()
        self.offers.append(offer)
        peer = RTCPeerConnection()
        self._peers.append(peer)
        peer.on("track", lambda track: self._tasks.append(asyncio.ensure_future(self._take(track))))
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        headers = {"Location": "/whip/lesson/session"}
        return web.Response(status=201, text=peer.localDescription.sdp, content_type="application/sdp", headers=headers)

    async def _delete(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] in self.authorizations
        self.deleted += 1
        return web.Response()

    async def _nobody(self, request: web.Request) -> web.Response:
        return web.json_response({"participants": []})

    async def _take(self, track: MediaStreamTrack) -> None:
        while True:
            self.frames[track.kind].put_nowait(await track.recv())


@pytest.fixture
async def door() -> AsyncIterator[tuple[Door, str]]:
    door = Door()
    async with TestServer(door.app()) as server:
        yield door, str(server.make_url("/whip/lesson"))
        await door.close()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n", "utf-8")
    return path


async def start(url: str, token_file: Path, *more: str) -> Process:
    command = ("-m", "server.demo.publisher", "--url", url, "--token-file", str(token_file), *more)
    return await asyncio.create_subprocess_exec(sys.executable, *command, stdout=DEVNULL, stderr=PIPE)


async def frames(door: Door, kind: str, count: int) -> list[object]:
    async with asyncio.timeout(20):
        return [await door.frames[kind].get() for _ in range(count)]


async def test_it_publishes_moving_pictures_and_sound_and_says_goodbye_on_sigterm(
    door: tuple[Door, str], token_file: Path
) -> None:
    whip, url = door
    publisher = await start(url, token_file)
    pictures = await frames(whip, "video", 3)
    assert len({bytes(picture.planes[0]) for picture in pictures}) > 1  # type: ignore[attr-defined]
    sounds = await frames(whip, "audio", 40)
    assert max(max(memoryview(bytes(sound.planes[0])).cast("h")) for sound in sounds) > 1000  # type: ignore[attr-defined]
    publisher.send_signal(signal.SIGTERM)
    _, said = await publisher.communicate()
    assert publisher.returncode == 0
    assert whip.deleted == 1
    assert whip.authorizations == [f"Bearer {TOKEN}"]
    assert TOKEN.encode() not in said


async def test_it_offers_to_be_the_dtls_client_with_constrained_h264_and_opus(
    door: tuple[Door, str], token_file: Path
) -> None:
    whip, url = door
    publisher = await start(url, token_file, "--seconds", "0.1")
    await publisher.communicate()
    (offer,) = whip.offers
    assert "a=setup:active" in offer
    assert "packetization-mode=1" in offer
    assert "profile-level-id=42" in offer
    assert "opus/48000/2" in offer


async def test_it_ends_after_the_seconds_it_was_given(door: tuple[Door, str], token_file: Path) -> None:
    whip, url = door
    publisher = await start(url, token_file, "--seconds", "0.5")
    await publisher.communicate()
    assert publisher.returncode == 0
    assert whip.deleted == 1


async def test_it_comes_back_when_the_server_has_closed_the_connection(
    door: tuple[Door, str], token_file: Path
) -> None:
    whip, url = door
    publisher = await start(url, token_file)
    await frames(whip, "video", 1)
    await whip.close()  # a goodbye by DTLS, after which FFmpeg's next write never returns
    async with asyncio.timeout(20):
        while len(whip.offers) < 2:
            await asyncio.sleep(0.02)
    publisher.send_signal(signal.SIGTERM)
    await publisher.communicate()
    assert publisher.returncode == 0


async def test_it_gives_up_when_the_lesson_is_over(door: tuple[Door, str], token_file: Path) -> None:
    whip, url = door
    whip.refuse = (410, "lesson_ended")
    publisher = await start(url, token_file)
    _, said = await publisher.communicate()
    assert publisher.returncode == 3
    assert b"lesson_ended" in said
    assert TOKEN.encode() not in said


async def test_it_tries_again_while_the_server_has_no_worker(door: tuple[Door, str], token_file: Path) -> None:
    whip, url = door
    whip.refuse = (503, "media_unavailable")
    publisher = await start(url, token_file)
    async with asyncio.timeout(20):
        while len(whip.authorizations) < 2:
            await asyncio.sleep(0.02)
    whip.refuse = None
    await frames(whip, "video", 1)
    publisher.send_signal(signal.SIGTERM)
    await publisher.communicate()
    assert publisher.returncode == 0


async def test_a_session_the_server_lost_before_the_first_look_is_begun_anew(
    door: tuple[Door, str], token_file: Path
) -> None:
    whip, url = door
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "t-1"}).encode()).decode().rstrip("=")
    token_file.write_text(f"e30.{claims}.e30", "utf-8")
    publisher = await start(url, token_file)
    async with asyncio.timeout(12):  # a session that never appeared is given 15 s
        while len(whip.offers) < 2:
            await asyncio.sleep(0.1)
    publisher.send_signal(signal.SIGTERM)
    await publisher.communicate()
    assert publisher.returncode == 0
