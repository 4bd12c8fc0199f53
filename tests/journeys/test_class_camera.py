"""A class's own camera: on the teacher's wall without the floor when the class wants it, nowhere when it does not."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.journeys.people import PATIENCE, SchoolClass, Teacher
from tests.support.browser import chromium, eventually, received
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

NEAR, FAR = "阜平一小 六(2)班", "拉萨三小 五(1)班"


async def test_a_class_is_on_the_wall_small_and_for_the_teacher_alone_as_long_as_it_wants(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        near, far = await SchoolClass.arrive(browser, tongke), await SchoolClass.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await asyncio.gather(near.enter(code, NEAR), far.enter(code, FAR))
        await asyncio.gather(near.see("consent-yes").click(), far.see("consent-no").click())
        await teacher.start(lesson_id)
        await asyncio.gather(near.moves("main-video"), far.moves("main-video"))
        row = teacher.see("participant-row").filter(has_text=NEAR)
        wall = f"wall-video-{await row.get_attribute('data-participant-id')}"
        small = f"small-video-{await row.get_attribute('data-participant-id')}"

        await choose(near, "always")
        await teacher.moves(wall)
        await expect(near.see("camera-state")).to_be_visible()
        assert await tallest(teacher) <= 180
        assert [one.frames for one in await received(far.page, "video") if one.frames and one.height <= 180] == []
        assert await far.page.locator('[data-testid^="small-video"]').count() == 0

        # On the floor the same camera is everybody's, in full; taken back, it is the teacher's again.
        await teacher.give_floor(NEAR)
        await asyncio.gather(far.moves(small), near.moves("self-video"))
        await expect(near.see("camera-state")).to_have_count(0)
        await row.locator('[data-testid^="floor-"]').click()
        await expect(far.see(small)).to_have_count(0, timeout=PATIENCE)
        await expect(near.see("camera-state")).to_be_visible(timeout=PATIENCE)
        await teacher.moves(wall)

        # The page is loaded again, and shows the class again; then it does not want to be seen, on the floor neither.
        await near.page.reload()
        await expect(teacher.see(wall)).to_be_visible(timeout=PATIENCE)
        await near.moves("main-video")
        await teacher.moves(wall)
        await choose(near, "never")
        await expect(teacher.see(wall)).to_have_count(0, timeout=PATIENCE)
        await teacher.give_floor(NEAR)
        await far.see("other-floor").wait_for()
        await teacher.page.locator('[data-testid="participant-row"] .level').first.wait_for()
        assert await near.see("self-video").count() == 0
        assert await teacher.see(wall).count() == 0
        for person in (teacher, near, far):
            assert person.errors == []


async def choose(pupils: SchoolClass, camera: str) -> None:
    await pupils.page.mouse.move(300, 200)
    await pupils.see("own-picture").click()
    await pupils.see(f"camera-{camera}").click()


async def tallest(teacher: Teacher) -> int:
    """Lines of what the teacher receives, once something has come."""
    found = 0

    async def some() -> bool:
        nonlocal found
        found = max((one.height for one in await received(teacher.page, "video") if one.frames), default=0)
        return found > 0

    await eventually("a picture of the class", some)
    return found
