"""Who is recorded, in real browsers: a class that agrees, one that does not, a pause, and a lesson deleted at last."""

import asyncio
import itertools
from pathlib import Path

import av
import pytest
from playwright.async_api import expect

from tests.journeys.people import PATIENCE, SchoolClass, Teacher
from tests.support.browser import chromium, eventually
from tests.support.server import Tongke

pytestmark = pytest.mark.journey


async def test_a_class_that_does_not_agree_stands_in_no_file_and_a_pause_in_none_either(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        near, far = [await SchoolClass.arrive(browser, tongke) for _ in range(2)]
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        admin = await tongke.token("", "admin")

        async def recorded() -> dict[str, int]:
            """Milliseconds recorded of each participant's longest track, by participant."""
            found = await tongke.request("GET", f"/api/lessons/{lesson_id}/recording", token=admin)
            lengths: dict[str, int] = {}
            for track in found.json["tracks"] if found.status == 200 else ():
                lengths[track["participant"]] = max(track["duration_ms"], lengths.get(track["participant"], 0))
            return lengths

        # Each class is asked once, and says what it wants.
        await asyncio.gather(near.enter(code, "阜平一小 六(2)班"), far.enter(code, "拉萨三小 五(1)班"))
        await near.see("consent-yes").click()
        await far.see("consent-no").click()
        await expect(near.see("consent-card")).to_be_hidden(timeout=PATIENCE)
        await expect(far.see("consent-card")).to_be_hidden(timeout=PATIENCE)
        await teacher.start(lesson_id)
        for person in (teacher, near, far):
            await expect(person.see("recording-dot")).to_have_attribute("data-recording", "on", timeout=PATIENCE)
        await expect(near.see("recording-dot")).to_contain_text(" · 含本班", timeout=PATIENCE)
        await expect(far.see("recording-dot")).to_contain_text("不含本班", timeout=PATIENCE)
        await expect(teacher.page.locator('[data-testid^="unrecorded-"]')).to_have_count(1, timeout=PATIENCE)

        # Both have the floor and are seen; one of them is recorded.
        await teacher.give_floor("阜平一小")
        await teacher.give_floor("拉萨三小")
        await asyncio.gather(*(one.see("on-floor").wait_for() for one in (near, far)))
        await asyncio.gather(*(one.moves("self-video") for one in (near, far)))
        await far.see("open-chat").click()
        await far.see("chat-text").fill("这句不许录")
        await far.see("chat-send").click()
        await expect(teacher.see("chat-lines")).to_contain_text("这句不许录", timeout=PATIENCE)
        here = await tongke.request("GET", f"/api/lessons/{lesson_id}/participants", token=admin)
        ids = {one["name"]: one["participant_id"] for one in here.json["participants"]}
        near_id, far_id = ids["阜平一小 六(2)班"], ids["拉萨三小 五(1)班"]

        async def both() -> bool:
            return (await recorded()).get(near_id, 0) > 1000

        await eventually("a recording of the class that agreed", both)

        # A pause stops the recording of everybody, and everybody sees it; then it goes on.
        await teacher.see("pause-recording").click()
        for person in (teacher, near, far):
            await expect(person.see("recording-dot")).to_have_attribute("data-recording", "paused", timeout=PATIENCE)
        await teacher.see("chat-text").fill("这句也不录")
        await teacher.see("chat-send").click()
        await asyncio.sleep(4)  # what is written less often than this is written by now
        before = await recorded()
        await asyncio.sleep(2)
        assert await recorded() == before
        await teacher.see("pause-recording").click()
        for person in (teacher, near, far):
            await expect(person.see("recording-dot")).to_have_attribute("data-recording", "on", timeout=PATIENCE)

        async def goes_on() -> bool:
            now = await recorded()
            return all(now[one] > before[one] for one in before)

        await eventually("a recording that goes on", goes_on)

        # A class may change its mind.
        await near.see("own-picture").click()
        await near.see("consent").click()
        await expect(near.see("recording-dot")).to_contain_text("不含本班", timeout=PATIENCE)
        await teacher.end()
        folder = tmp_path / "data" / "archive" / lesson_id

        async def ready() -> bool:
            found = await tongke.request("GET", f"/api/lessons/{lesson_id}/recording", token=admin)
            return found.status == 200 and found.json["status"] == "ready"

        await eventually("a finished recording", ready)
        lengths = await recorded()
        tracks = (await tongke.request("GET", f"/api/lessons/{lesson_id}/recording", token=admin)).json["tracks"]
        camera = next(one for one in tracks if one["lead"] and one["source"] == "camera")
        assert max(end - begin for begin, end in camera["gaps"]) >= 6000  # the pause
        await asyncio.to_thread(_decodes, folder / camera["playlist"])
        assert near_id in lengths
        assert far_id not in lengths
        for path in (path for path in folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            assert far_id not in path.name
            assert path.name == "events.jsonl" or far_id.encode() not in content, path
            for words in ("拉萨三小", "这句不许录", "这句也不录"):
                assert words.encode() not in content, path

        # Deleted, it is gone from the list and from the disk.
        await teacher.page.goto(f"{tongke.http}/lessons")
        row = teacher.page.locator(f'[data-testid="lesson-row"][data-lesson-id="{lesson_id}"]')
        await row.get_by_test_id("delete-lesson").click()
        await teacher.see("confirm-delete").click()
        await expect(row).to_have_count(0, timeout=PATIENCE)
        assert not folder.exists()
        trail = await tongke.request("GET", f"/api/audit?lesson_id={lesson_id}", token=admin)
        (deleted,) = [one for one in trail.json["entries"] if one["action"] == "deleted"]
        assert (deleted["actor"], deleted["actor_role"]) == (teacher.name, "teacher")
        for person in (teacher, near, far):
            assert person.errors == []


def _decodes(playlist: Path) -> None:
    """A track plays to its end, over what was not recorded."""
    with av.open(str(playlist), options={"allowed_extensions": "ALL"}) as played:
        times = [frame.time for frame in played.decode(video=0) if frame.time is not None]
    assert times == sorted(times)
    assert max(b - a for a, b in itertools.pairwise(times)) >= 6
