"""What one gets from aiortc's MediaRelay: decoding once and encoding for every viewer.

`python -m tests.bench.naive_server` serves POST /publish and POST /watch on a free port, printed as its first line.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay


class Naive:
    def __init__(self) -> None:
        self._relay = MediaRelay()
        self._tracks: dict[str, MediaStreamTrack] = {}
        self._peers: list[RTCPeerConnection] = []

    async def publish(self, request: web.Request) -> web.Response:
        peer = self._peer()
        peer.on("track", lambda track: self._tracks.setdefault(track.kind, track))
        return await self._answer(peer, request)

    async def watch(self, request: web.Request) -> web.Response:
        peer = self._peer()
        for track in self._tracks.values():
            peer.addTrack(self._relay.subscribe(track))
        return await self._answer(peer, request)

    def _peer(self) -> RTCPeerConnection:
        peer = RTCPeerConnection()
        self._peers.append(peer)
        return peer

    async def _answer(self, peer: RTCPeerConnection, request: web.Request) -> web.Response:
        await peer.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        return web.Response(text=peer.localDescription.sdp)


async def main() -> None:
    naive = Naive()
    app = web.Application()
    app.router.add_post("/publish", naive.publish)
    app.router.add_post("/watch", naive.watch)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
