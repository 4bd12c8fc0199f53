from pathlib import Path
from typing import Any

import pytest

from server.lessons import qr
from server.schools.api import SCHOOLS
from tests.server.application import Client, add_user, log_in, problem, running


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the pictures say."""
    texts: list[str] = []
    draw = qr.picture

    def picture(text: str) -> bytes:
        texts.append(text)
        return draw(text)

    monkeypatch.setattr(qr, "picture", picture)
    return texts


async def invited(client: Client) -> tuple[dict[str, Any], str]:
    await add_user(client, "主讲教师甲", "teacher")
    await log_in(client, "主讲教师甲")
    schools = client.app[SCHOOLS]
    one = await schools.add_class((await schools.add("阜平一小")).id, "一班")
    made = await client.post("/api/lessons", json={"title": "草原", "class_group_ids": [one.class_group_id]})
    return await made.json(), one.code


async def test_a_qr_code_leads_to_the_class_page_with_the_code_of_lesson_or_class(
    tmp_path: Path, written: list[str]
) -> None:
    async with running(tmp_path) as client:
        made, code = await invited(client)
        path, here = f"/api/lessons/{made['lesson_id']}/qr", str(client.make_url("/"))[:-1]
        response = await client.get(path)
        assert response.content_type == "image/svg+xml"
        assert (await response.read()).startswith(b"<svg ")
        own = await client.get(path, params={"class_group_id": made["classes"][0]["class_group_id"]})
        assert own.status == 200
        secure = here.replace("http:", "https:")
        assert (await client.get(path, params={"origin": secure})).status == 200
        foreign = await client.get(path, params={"origin": "https://elsewhere.example"})
        assert foreign.status == 200
        assert written == [
            f"{here}/class#{made['class_code']}",
            f"{here}/class#{code}",
            f"{secure}/class#{made['class_code']}",
            f"{here}/class#{made['class_code']}",
        ]


async def test_only_who_runs_a_lesson_gets_its_qr_codes(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made, _ = await invited(client)
        path = f"/api/lessons/{made['lesson_id']}/qr"
        uninvited = await client.get(path, params={"class_group_id": "nobody"})
        assert await problem(uninvited) == (404, "class_unknown")
        await add_user(client, "主讲教师乙", "teacher")
        await log_in(client, "主讲教师乙")
        assert await problem(await client.get(path)) == (403, "not_allowed")
