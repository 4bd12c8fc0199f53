from datetime import timedelta
from pathlib import Path
from typing import Any

from server.database import now
from server.lessons.api import LESSONS
from server.lessons.doubt import PER_HOUR, Doubts
from tests.server.application import Client, add_user, log_in, problem, running

NEXT_WEEK = timedelta(days=7)


async def administered(client: Client) -> dict[str, Any]:
    """A class of the list, made by an administrator who stays logged in."""
    await add_user(client, "管理员", "admin")
    await log_in(client, "管理员")
    school = await (await client.post("/api/schools", json={"name": "阜平一小", "region": "阜平县"})).json()
    made = await client.post(f"/api/schools/{school['school_id']}/classes", json={"name": "六(2)班", "headcount": 43})
    one: dict[str, Any] = await made.json()
    return one


async def lesson(client: Client, **fields: object) -> dict[str, Any]:
    response = await client.post("/api/lessons", json={"title": "草原", **fields})
    assert response.status == 201, await response.text()
    made: dict[str, Any] = await response.json()
    return made


async def test_a_class_enters_with_its_own_code_whichever_of_its_lessons_is_on_or_next(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        one = await administered(client)
        ids = [one["class_group_id"]]
        later = await lesson(client, class_group_ids=ids, starts_at=(now() + NEXT_WEEK).isoformat())
        soon = await lesson(client, class_group_ids=ids, starts_at=(now() + timedelta(minutes=10)).isoformat())
        await lesson(client, title="别班的课")
        entered = await (await client.post("/api/class/enter", json={"code": one["code"]})).json()
        assert (entered["lesson_id"], entered["class_group_id"]) == (soon["lesson_id"], ids[0])
        assert (entered["name"], entered["headcount"]) == ("阜平一小 六(2)班", 43)
        await client.app[LESSONS].started(later["lesson_id"], now())
        entered = await (await client.post("/api/class/enter", json={"code": one["code"]})).json()
        assert entered["lesson_id"] == later["lesson_id"]


async def test_a_class_without_a_lesson_is_told_so_and_its_code_is_no_wrong_try(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        one = await administered(client)
        for _ in range(12):
            response = await client.post("/api/class/enter", json={"code": one["code"]})
            assert await problem(response) == (404, "class_without_lesson")


async def test_a_code_that_was_renewed_opens_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        one = await administered(client)
        await lesson(client, class_group_ids=[one["class_group_id"]])
        renewed = await (await client.post(f"/api/class-groups/{one['class_group_id']}/code")).json()
        old = await client.post("/api/class/enter", json={"code": one["code"]})
        assert await problem(old) == (404, "class_code_unknown")
        assert (await client.post("/api/class/enter", json={"code": renewed["code"]})).status == 200


async def test_a_lessons_code_still_lets_any_class_in_by_the_name_it_says(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await administered(client)
        made = await lesson(client)
        entered = await client.post("/api/class/enter", json={"code": made["class_code"], "name": "张北实验"})
        assert (await entered.json())["class_group_id"] is None


async def test_a_code_that_may_be_a_guess_leads_to_the_door_once_the_lesson_overlooks_no_more(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await administered(client)
        made = await lesson(client)

        async def enters(code: str | None = None) -> bool:
            """Whether a class gets in at once with this code, or as who it was before."""
            body = {"code": code} if code else {"lesson_id": made["lesson_id"]}
            response = await client.post("/api/class/enter", json=body)
            assert response.status == 200, await response.text()
            return not (await response.json())["waits"]

        wrong = "000000" if made["class_code"] != "000000" else "000001"
        assert await enters(made["class_code"])  # nobody was wrong yet
        assert (await client.post("/api/class/enter", json={"code": wrong})).status == 404
        assert await enters(made["class_code"])  # it was here before
        for _ in range(PER_HOUR):
            client.session.cookie_jar.clear()
            assert await enters(made["class_code"])  # people mistype
        client.session.cookie_jar.clear()
        assert not await enters(made["class_code"])
        assert not await enters(made["class_code"])  # trying again does not help
        assert not await enters()


def test_each_lesson_overlooks_doubtful_codes_of_its_own() -> None:
    doubts = Doubts(per_hour=1)
    assert doubts.overlooked("a")
    assert not doubts.overlooked("a")
    assert doubts.overlooked("b")
