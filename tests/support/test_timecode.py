import pytest

from tests.support.browser import chromium, eventually, participant
from tests.support.timecode import SOURCE, read


@pytest.mark.journey
async def test_the_time_in_a_picture_can_be_read_back() -> None:
    async with chromium() as browser:
        page = await (await participant(browser, init_script=SOURCE)).new_page()
        await page.route("**/*", lambda route: route.fulfill(body="<!doctype html><body>", content_type="text/html"))
        await page.goto("http://localhost/")
        await page.evaluate(
            """async () => {
              const stream = await navigator.mediaDevices.getUserMedia({video: true});
              const video = Object.assign(document.createElement("video"), {muted: true, srcObject: stream});
              document.body.append(video);
              await video.play();
            }"""
        )
        video = page.locator("video")

        async def readable() -> bool:
            return await read(video) is not None

        await eventually("a time in the picture", readable)
        before = await page.evaluate("() => Date.now()")
        seen = await read(video)
        assert seen is not None
        assert before - 2000 < seen <= await page.evaluate("() => Date.now()")
