"""Janus with its VideoRoom plugin, driven over its WebSocket: as installed, and with two event loops for all peers.

VideoRoom does the work that Tongke does, a publisher over WebRTC to many viewers over WebRTC; the Streaming plugin
would be fed plain RTP. Janus leaves loopback out, so all servers are measured over the machine's own address.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench import offers
from tests.bench.lesson import Publisher, Viewer
from tests.bench.peer import own_address
from tests.bench.processes import RefusedError, child
from tests.bench.servers import JOIN_WITHIN, Kind, Server

_PLUGIN = "janus.plugin.videoroom"
_LIBRARIES = ("/usr/lib", "/usr/local/lib")

# ICE-lite, as a server with a public address is run: fewer checks to make, and Janus asks for them in its comments.
_CONFIGURATION = """
general: {{
    configs_folder = "{folder}"
    plugins_folder = "{library}/plugins"
    transports_folder = "{library}/transports"
    debug_level = 2
    log_to_stdout = false
    log_to_file = "{folder}/janus.log"
    {loops}
}}
nat: {{
    ice_lite = true
    ice_enforce_list = "{address}"
}}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
_WEBSOCKETS = 'general: {{ json = "compact"\n ws = true\n ws_ip = "127.0.0.1"\n ws_port = {port}\n wss = false }}\n'


class Janus:
    def __init__(self, pid: int, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.pids: tuple[int, ...] = (pid,)
        self._socket = socket
        self._session = 0
        self._replies: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._rooms: dict[str, tuple[int, int]] = {}  # lesson -> room and the publisher's id in it

    async def open(self) -> None:
        self._session = (await self._ask({"janus": "create"}))["data"]["id"]

    async def publish(self, lesson: str, publisher: Publisher) -> None:
        handle = await self._attach()
        room = len(self._rooms) + 1
        await self._say(handle, request="create", room=room, publishers=2, audiocodec="opus", videocodec="h264",
                        bitrate=0, fir_freq=0, permanent=False)  # fmt: skip
        offer = {"type": "offer", "sdp": publisher.offer()}
        said = await self._say(handle, offer, request="joinandconfigure", ptype="publisher", room=room)
        self._rooms[lesson] = room, said["plugindata"]["data"]["id"]
        await publisher.peer.connect(offers.remote(said["jsep"]["sdp"]), JOIN_WITHIN)

    async def watch(self, lesson: str, name: str, viewer: Viewer) -> None:
        """Here the server offers, and the viewer answers."""
        room, feed = self._rooms[lesson]
        handle = await self._attach()
        said = await self._say(handle, request="join", ptype="subscriber", room=room, streams=[{"feed": feed}])
        offer = said["jsep"]["sdp"]
        answer = {"type": "answer", "sdp": offers.answering(offer, viewer.peer.credentials)}
        viewer.expect(offers.payload_type(offer, "opus"), offers.payload_type(offer, "H264"))
        await self._say(handle, answer, request="start")
        await viewer.peer.connect(offers.remote(offer), JOIN_WITHIN)

    async def _attach(self) -> int:
        return int((await self._ask({"janus": "attach", "plugin": _PLUGIN}))["data"]["id"])

    async def _say(self, handle: int, jsep: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
        message = {"janus": "message", "handle_id": handle, "body": body}
        if jsep is not None:
            message["jsep"] = jsep
        said = await self._ask(message)
        if error := said.get("plugindata", {}).get("data", {}).get("error"):
            raise RefusedError(f"Janus: {error}")
        return said

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        transaction = secrets.token_hex(6)
        reply = self._replies[transaction] = asyncio.get_running_loop().create_future()
        if self._session:
            message["session_id"] = self._session
        await self._socket.send_json({**message, "transaction": transaction})
        async with asyncio.timeout(JOIN_WITHIN):
            said: dict[str, Any] = await reply
        if said["janus"] == "error":
            raise RefusedError(f"Janus: {said['error']['reason']}")
        return said

    async def listen(self) -> None:
        """Hand out replies until the socket closes. An "ack" only announces one."""
        async for message in self._socket:
            said = message.json()
            if said["janus"] == "ack":
                continue
            reply = self._replies.pop(said.get("transaction", ""), None)
            if reply is not None and not reply.done():
                reply.set_result(said)

    async def keep(self) -> None:
        """Sessions end after a minute of silence."""
        while True:
            await asyncio.sleep(25)
            await self._socket.send_json(
                {"janus": "keepalive", "session_id": self._session, "transaction": secrets.token_hex(6)}
            )


@asynccontextmanager
async def _start(loops: int) -> AsyncIterator[Server]:
    library = _library()
    assert library is not None
    with tempfile.TemporaryDirectory(prefix="tongke-janus-") as folder:
        port = _free_port()
        plugins = _others(library / "plugins", "libjanus_videoroom.so")
        transports = _others(library / "transports", "libjanus_websockets.so")
        configuration = _CONFIGURATION.format(
            folder=folder, library=library, address=own_address(), plugins=plugins, transports=transports,
            loops=f"event_loops = {loops}" if loops else "",
        )  # fmt: skip
        (Path(folder) / "janus.jcfg").write_text(configuration, "utf-8")
        (Path(folder) / "janus.transport.websockets.jcfg").write_text(_WEBSOCKETS.format(port=port), "utf-8")
        (Path(folder) / "janus.plugin.videoroom.jcfg").write_text("general: { }\n", "utf-8")
        # Threads of their own for 400 peers, each with a stack, are what "as installed" means.
        command = (shutil.which("janus") or "janus", f"--config={folder}/janus.jcfg", f"--configs-folder={folder}")
        async with (
            child(*command, python=False, environment=dict(os.environ)) as process,
            aiohttp.ClientSession() as http,
            await _connected(http, port) as socket,
        ):
            janus = Janus(process.pid, socket)
            tasks = [asyncio.create_task(janus.listen()), asyncio.create_task(janus.keep())]
            try:
                await janus.open()
                yield janus
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def _connected(http: aiohttp.ClientSession, port: int) -> aiohttp.ClientWebSocketResponse:
    async with asyncio.timeout(10):
        while True:
            try:
                return await http.ws_connect(f"http://127.0.0.1:{port}/", protocols=("janus-protocol",))
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


def kinds() -> tuple[Kind, ...]:
    """Janus as installed and with `event_loops = 2`."""
    missing = version = None
    if shutil.which("janus") is None or _library() is None:
        missing = "not installed: see tests/bench/peers/README.md"
    elif own_address().startswith("127."):
        missing = "this machine has only loopback addresses, which Janus leaves out"
    else:
        said = subprocess.run(["janus", "--version"], capture_output=True, text=True, check=False).stdout
        found = re.search(r"\(([\d.]+)\)", said)
        version = found[1] if found else None
    return tuple(
        Kind(name, version or "", partial(_start, loops), missing)
        for name, loops in (("Janus", 0), ("Janus, 2 event loops", 2))
    )


def _library() -> Path | None:
    """Where the plugins are."""
    for base in _LIBRARIES:
        for found in sorted(Path(base).glob("**/janus/plugins/libjanus_videoroom.so")):
            return found.parent.parent
    return None


def _others(folder: Path, wanted: str) -> str:
    return ",".join(path.name for path in sorted(folder.glob("*.so")) if path.name != wanted)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
