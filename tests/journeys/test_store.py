"""A lesson whose media only the S3 store has any more is replayed, through us and straight from the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Request

from recorder.places.uploader import Uploader
from tests.journeys.replays import Replay
from tests.recorder.places.recorded import record
from tests.support.browser import chromium, participant
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, node, s3_server
from tests.support.server import Tongke

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("how", ["through", "redirect"])
async def test_a_lesson_that_has_left_for_the_store_is_replayed(tmp_path: Path, how: str) -> None:
    if node() is None:
        pytest.skip("the S3 server for tests is not installed: make .setup/store")
    data = tmp_path / "data"
    config = tmp_path / "tongke.toml"
    config.write_text(f'archive_access_key = "{ACCESS_KEY}"\narchive_secret_key = "{SECRET_KEY}"\n')
    with s3_server(tmp_path / "s3") as s3:
        flags = ("--archive-url", "s3://lessons/bj", "--archive-endpoint", s3.endpoint, "--archive-region", "us-east-1")
        more = ("--archive-playback", how, "--archive-keep-hours", "0", "--config", str(config))
        async with Tongke(data, *flags, *more) as tongke:
            lesson = await tongke.create_lesson("勾股定理")
            await tongke.end_lesson(lesson.lesson_id)
            record(tmp_path / "elsewhere", lesson.lesson_id).rename(data / "archive" / lesson.lesson_id)
            # What the node's own uploader would do within half a minute.
            Uploader(data / "archive", s3.store("bj"), 0.0).once()
            assert not list((data / "archive" / lesson.lesson_id).rglob("seg-*"))
            password = await tongke.add_user("教研员乙", "researcher")
            async with chromium() as browser:
                page = await (await participant(browser)).new_page()
                asked: list[str] = []

                def note(request: Request) -> None:
                    if "seg-" in request.url:
                        asked.append(request.url)

                page.on("request", note)
                await page.goto(f"{tongke.http}/login?next=/replay/{lesson.lesson_id}")
                await page.get_by_test_id("login-name").fill("教研员乙")
                await page.get_by_test_id("login-password").fill(password)
                await page.get_by_test_id("login-submit").click()
                await page.get_by_test_id("replay-play").wait_for()
                replay = Replay(page)
                await replay.play()
                await replay.plays(beyond=1500)
                await replay.seek(9000)
                await replay.plays(beyond=10_000)
    assert any(url.startswith(tongke.http) for url in asked)
    assert any(url.startswith(s3.endpoint) for url in asked) == (how == "redirect")
