"""A lesson without any page of ours: FFmpeg publishes by WHIP, a stranger's page watches by WHEP."""

import asyncio
from pathlib import Path

import pytest

from tests.journeys.people import synthetic_teacher
from tests.support.browser import chromium, eventually, heard, moving_pictures, participant, received
from tests.support.server import Tongke
from tests.support.whep import player

pytestmark = pytest.mark.journey

IN_USE = """async () => {
  const [peer] = window.__peers, stats = await peer.getStats();
  const transport = [...stats.values()].find((report) => report.type === "transport");
  const pair = stats.get(transport.selectedCandidatePairId);
  return pair.state === "succeeded" && peer.connectionState === "connected"
    ? stats.get(pair.remoteCandidateId).usernameFragment : "";
}"""


async def test_what_ffmpeg_publishes_moves_and_sounds_in_a_whep_page_and_is_recorded(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, player() as page_url, chromium() as browser:
        lesson = await tongke.create_lesson()
        async with synthetic_teacher(tongke, lesson.lesson_id, tmp_path):
            page = await (await participant(browser)).new_page()
            await page.goto(page_url)
            token = await tongke.token(lesson.lesson_id, "receiving_class", "阜平一小")
            joined = await page.evaluate(
                "([url, token]) => watch(url, token)", [f"{tongke.http}/whep/{lesson.lesson_id}", token]
            )
            assert joined["status"] == 201, joined
            assert joined["location"].startswith(f"{tongke.http}/whep/{lesson.lesson_id}/")
            assert joined["etag"]
            await moving_pictures(page)
            await heard(page)
            (camera,) = [each for each in await received(page, "video") if each.frames]
            assert (camera.width, camera.height) == (960, 540)
            await page.wait_for_function("() => document.getElementById('camera').videoWidth === 960")
            await asyncio.sleep(3)  # seconds of lesson, for the recording
            assert await page.evaluate("() => leave()") == 200
        await tongke.end_lesson(lesson.lesson_id)
        tracks = (await tongke.finished_recording(lesson.lesson_id))["tracks"]
        assert {(track["kind"], track["codec"].lower()[:4]) for track in tracks} == {
            ("video", "h264"),
            ("audio", "opus"),
        }
        assert all(track["duration_ms"] > 2500 for track in tracks)


async def test_ice_restarts_by_patch_and_the_picture_goes_on_over_the_new_credentials(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, player() as page_url, chromium() as browser:
        lesson = await tongke.create_lesson()
        async with synthetic_teacher(tongke, lesson.lesson_id, tmp_path):
            page = await (await participant(browser)).new_page()
            await page.goto(page_url)
            token = await tongke.token(lesson.lesson_id, "receiving_class", "阜平一小")
            url = f"{tongke.http}/whep/{lesson.lesson_id}"
            joined = await page.evaluate("([url, token]) => watch(url, token)", [url, token])
            assert joined["status"] == 201, joined
            await moving_pictures(page)
            restarted = await page.evaluate("() => restart()")
            assert restarted["status"] == 200
            assert restarted["etag"] not in (None, joined["etag"])

            async def checked() -> bool:
                """Checks are answered under the new credentials: the pair in use belongs to them."""
                return bool(await page.evaluate(IN_USE) == restarted["ufrag"])

            await eventually("a pair of the new credentials", checked)
            await moving_pictures(page)
            assert await page.evaluate("() => leave()") == 200


async def test_a_viewer_who_comes_before_the_teacher_sees_the_lesson_without_asking_again(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, player() as page_url, chromium() as browser:
        lesson = await tongke.create_lesson()
        page = await (await participant(browser)).new_page()
        await page.goto(page_url)
        token = await tongke.token(lesson.lesson_id, "observer")
        joined = await page.evaluate(
            "([url, token]) => watch(url, token)", [f"{tongke.http}/whep/{lesson.lesson_id}", token]
        )
        assert joined["status"] == 201, joined
        async with synthetic_teacher(tongke, lesson.lesson_id, tmp_path):
            await moving_pictures(page)
            await heard(page)


async def test_a_stranger_is_refused_with_a_reason(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke:
        lesson, other = await tongke.create_lesson(), await tongke.create_lesson("另一课")
        path, sdp = f"/whep/{lesson.lesson_id}", {"Content-Type": "application/sdp"}
        foreign = await tongke.token(other.lesson_id, "observer")
        answers = [
            await tongke.request("POST", path, body=b"v=0", headers=sdp),
            await tongke.request("POST", path, token="no.such.token", body=b"v=0", headers=sdp),
            await tongke.request("POST", path, token=foreign, body=b"v=0", headers=sdp),
        ]
        assert [(answer.status, answer.json["code"]) for answer in answers[1:]] == [
            (401, "token_invalid"),
            (401, "token_foreign"),
        ]
        assert answers[0].status == 401


async def test_ending_the_server_in_mid_lesson_closes_the_recording_and_the_lesson_goes_on_after_it(
    tmp_path: Path,
) -> None:
    async with Tongke(tmp_path / "data") as tongke:
        lesson = await tongke.create_lesson()
        async with synthetic_teacher(tongke, lesson.lesson_id, tmp_path):
            await _recorded(tongke, lesson.lesson_id, 2000)
            assert await tongke.stop() == 0
        await tongke.start()
        async with synthetic_teacher(tongke, lesson.lesson_id, tmp_path):
            await _recorded(tongke, lesson.lesson_id, 6000)
        await tongke.end_lesson(lesson.lesson_id)
        tracks = (await tongke.finished_recording(lesson.lesson_id))["tracks"]
        assert sum(track["source"] == "camera" for track in tracks) == 2


async def _recorded(tongke: Tongke, lesson_id: str, duration_ms: int) -> None:
    token = await tongke.token(lesson_id, "lead_teacher")

    async def check() -> bool:
        answer = await tongke.request("GET", f"/api/lessons/{lesson_id}/recording", token=token)
        return answer.status == 200 and answer.json["duration_ms"] >= duration_ms

    await eventually(f"{duration_ms} ms recorded", check)
