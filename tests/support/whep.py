"""The smallest WHEP player there is, on an origin of its own: what a third party would write to watch a lesson."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

_PAGE = r"""<!doctype html>
<video id="camera" autoplay muted playsinline></video>
<video id="screen" autoplay muted playsinline></video>
<audio id="voice" autoplay></audio>
<script>
  async function watch(url, token) {
    const peer = new RTCPeerConnection();
    const places = ["voice", "camera", "screen"];
    const order = ["audio", "video", "video"].map((kind) => peer.addTransceiver(kind, { direction: "recvonly" }));
    order.forEach((each, index) => {
      document.getElementById(places[index]).srcObject = new MediaStream([each.receiver.track]);
    });
    await peer.setLocalDescription();
    const answer = await fetch(url, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/sdp" },
      body: peer.localDescription.sdp,
    });
    if (answer.status !== 201) return { status: answer.status, body: await answer.text() };
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    const location = new URL(answer.headers.get("Location"), url).href;
    window.leave = async () => {
      const gone = await fetch(location, { method: "DELETE", headers: { Authorization: `Bearer ${token}` } });
      peer.close();
      return gone.status;
    };
    window.restart = async () => {
      peer.restartIce();
      await peer.setLocalDescription();
      const first = peer.localDescription.sdp.split("\r\nm=").slice(0, 2).join("\r\nm=").split("\r\n")
        .filter((line) => /^(m=|a=mid:|a=ice-(ufrag|pwd):)/.test(line));
      const patched = await fetch(location, {
        method: "PATCH",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/trickle-ice-sdpfrag",
          "If-Match": "*" },
        body: first.join("\r\n") + "\r\n",
      });
      if (patched.status !== 200) return { status: patched.status };
      const fragment = await patched.text();
      const [ufrag, pwd] = ["ufrag", "pwd"].map((name) => new RegExp(`a=ice-${name}:(\\S+)`).exec(fragment)[1]);
      const sdp = peer.remoteDescription.sdp
        .replace(/a=ice-ufrag:\S+/g, `a=ice-ufrag:${ufrag}`).replace(/a=ice-pwd:\S+/g, `a=ice-pwd:${pwd}`);
      await peer.setRemoteDescription({ type: "answer", sdp });
      return { status: 200, ufrag, etag: patched.headers.get("ETag") };
    };
    return { status: 201, location, etag: answer.headers.get("ETag") };
  }
</script>
"""


@asynccontextmanager
async def player() -> AsyncIterator[str]:
    """Serves the page and yields its URL.

    Its `watch(url, token)` plays, `restart()` restarts ICE by PATCH, `leave()` ends.
    """
    app = web.Application()
    app.router.add_get("/", _page)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def _page(_: web.Request) -> web.Response:
    return web.Response(text=_PAGE, content_type="text/html")
