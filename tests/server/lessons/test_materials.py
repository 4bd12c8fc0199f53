"""Slides and handouts of a lesson that is taught again."""

from pathlib import Path

from tests.server.application import add_user, log_in, problem, running
from tests.server.handouts.test_api import PDF
from tests.server.handouts.test_api import bring as bring_handout
from tests.server.lessons.test_api import own_lesson
from tests.server.slides.files import pdf
from tests.server.slides.test_api import bring, listed, settled


async def test_a_lesson_taught_again_has_the_slides_and_handouts_of_the_first_and_keeps_them(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        first = (await own_lesson(client))["lesson_id"]
        again = (await (await client.post("/api/lessons", json={"title": "圆的面积"})).json())["lesson_id"]
        await bring(client, first, pdf(2))
        await settled(client, first)
        await bring_handout(client, first)
        taken = await client.post(f"/api/lessons/{again}/materials", json={"lesson_id": first})
        assert await taken.json() == {"slides": 1, "handouts": 1}
        await client.post(f"/api/lessons/{first}/end")
        assert (await client.delete(f"/api/lessons/{first}")).status == 204
        (one,) = await listed(client, again)
        assert (one["title"], one["state"], one["pages"]) == ("圆的面积", "ready", 2)
        assert (await client.get(f"/api/lessons/{again}/slides/{one['slides_id']}/2.webp")).status == 200
        (handout,) = (await (await client.get(f"/api/lessons/{again}/handouts")).json())["handouts"]
        assert await (await client.get(handout["url"])).read() == PDF


async def test_only_who_runs_both_lessons_takes_over_what_one_of_them_has(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        first = (await own_lesson(client))["lesson_id"]
        await add_user(client, "教师乙", "teacher")
        await log_in(client, "教师乙")
        own = (await (await client.post("/api/lessons", json={"title": "课"})).json())["lesson_id"]
        for lesson_id, other in ((own, first), (first, own)):
            refused = await client.post(f"/api/lessons/{lesson_id}/materials", json={"lesson_id": other})
            assert await problem(refused) == (403, "not_allowed")
        unknown = await client.post(f"/api/lessons/{own}/materials", json={"lesson_id": "nowhere"})
        assert await problem(unknown) == (404, "lesson_unknown")
