import pytest

from tests.support.browser import chromium, heard, moving_pictures, participant, received

LOOPBACK_CALL = """
async () => {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.onicecandidate = ({candidate}) => candidate && b.addIceCandidate(candidate);
  b.onicecandidate = ({candidate}) => candidate && a.addIceCandidate(candidate);
  b.ontrack = ({track}) => {
    const element = document.createElement(track.kind);
    element.srcObject = new MediaStream([track]);
    element.muted = track.kind === "video";
    element.play().catch(() => {});
    document.body.append(element);
  };
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 320, height: 240}});
  stream.getTracks().forEach((track) => a.addTrack(track, stream));
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
}
"""


@pytest.mark.journey
async def test_the_hook_sees_pictures_and_sound_of_a_call_inside_one_page() -> None:
    async with chromium("--allow-loopback-in-peer-connection") as browser:
        page = await (await participant(browser)).new_page()
        await page.goto("about:blank")
        await page.route(
            "**/*", lambda route: route.fulfill(body="<!doctype html><body></body>", content_type="text/html")
        )
        await page.goto("http://localhost/")
        await page.evaluate(LOOPBACK_CALL)
        await moving_pictures(page)
        await heard(page)
        assert {each.kind for each in await received(page)} == {"audio", "video"}
