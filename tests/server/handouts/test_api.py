"""Handouts over HTTP: who may bring them, who may read them, and what is not taken."""

from pathlib import Path
from typing import Any

import pytest

from server import caller
from server.handouts import api
from server.handouts.api import HANDOUTS, UPLOADS
from server.handouts.store import MOST
from tests.server.application import Client, add_user, log_in, problem, running, token
from tests.server.lessons.test_api import new_lesson, own_lesson
from tests.server.phones.test_pictures import black_corner, drawn, with_exif

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\nstartxref\n0\n%%EOF\n"


async def bring(
    client: Client, lesson_id: str, data: bytes = PDF, name: str = "导学案", **options: Any
) -> dict[str, Any]:
    response = await client.post(f"/api/lessons/{lesson_id}/handouts", params={"name": name}, data=data, **options)
    assert response.status == 201, await response.text()
    made: dict[str, Any] = await response.json()
    return made


async def test_a_handout_is_brought_by_its_teacher_and_read_with_a_grant_of_that_lesson_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = (await new_lesson(client))["lesson_id"]
        lead = token(client, lesson_id, "lead_teacher")
        made = await bring(client, lesson_id, headers=lead)
        assert (made["name"], made["kind"], made["size"]) == ("导学案", "pdf", len(PDF))
        listed = f"/api/lessons/{lesson_id}/handouts"
        school_class = token(client, lesson_id, "receiving_class")
        assert (await (await client.get(listed, headers=school_class)).json())["handouts"] == [made]
        client.session.cookie_jar.clear()
        for path in (listed, made["url"]):
            assert await problem(await client.get(path)) == (401, "login_required")
            foreign = token(client, "another", "receiving_class")
            assert await problem(await client.get(path, headers=foreign)) == (403, "token_foreign")
            waits = token(client, lesson_id, "receiving_class", waits=True)
            assert await problem(await client.get(path, headers=waits)) == (403, "not_admitted")


async def test_a_browser_that_asked_for_the_list_opens_the_files_of_that_lesson_without_a_header(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as client:
        mine, other = [(await new_lesson(client))["lesson_id"] for _ in range(2)]
        here, there = [
            await bring(client, one, name="练习册 第 12 页", headers=token(client, one, "lead_teacher"))
            for one in (mine, other)
        ]
        asked = await client.get(f"/api/lessons/{mine}/handouts", headers=token(client, mine, "receiving_class"))
        assert asked.cookies["tongke_handouts"]["httponly"]
        response = await client.get(here["url"])
        assert (response.status, await response.read()) == (200, PDF)
        assert (response.content_type, response.headers["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
        assert response.headers["Content-Disposition"].startswith("inline; filename*=UTF-8''")
        assert await problem(await client.get(there["url"])) == (401, "login_required")
        kept = asked.cookies["tongke_handouts"].value
        stolen = {"Cookie": f"tongke_handouts={kept}"}
        client.session.cookie_jar.clear()
        assert await problem(await client.get(there["url"], headers=stolen)) == (401, "login_required")
        as_grant = {"Authorization": f"Bearer {kept}"}
        assert await problem(await client.get(f"/api/lessons/{mine}", headers=as_grant)) == (401, "token_invalid")


async def test_a_picture_is_made_anew_and_nothing_hidden_in_it_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        page = await bring(client, made["lesson_id"], with_exif(drawn(320, 200), 1), "练习册.jpg")
        content = await (await client.get(page["url"])).read()
        assert (page["kind"], black_corner(content)) == ("picture", ("top left", 320, 200))
        assert b"GPS" not in content


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"<!doctype html><script>alert(1)</script>", 415, "handout_malformed"),
        (b"MZ\x90\x00" + b"\0" * 64, 415, "handout_malformed"),
        (b"<html>" + PDF, 415, "handout_malformed"),
        (b"%PDF-1.7\nhalf of it", 415, "handout_malformed"),
        (b"", 415, "handout_malformed"),
    ],
)
async def test_what_is_neither_a_pdf_nor_a_picture_is_refused_whatever_it_is_called(
    tmp_path: Path, data: bytes, status: int, code: str
) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        response = await client.post(
            f"/api/lessons/{made['lesson_id']}/handouts",
            params={"name": "导学案.pdf"},
            data=data,
            headers={"Content-Type": "application/pdf"},
        )
        assert await problem(response) == (status, code)
        assert client.app[HANDOUTS].of(made["lesson_id"]) == []
        assert client.app[UPLOADS] == set()


async def test_size_and_number_of_handouts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MAX_HANDOUT", 1000)
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        path = f"/api/lessons/{made['lesson_id']}/handouts"

        async def endless() -> Any:
            for _ in range(1000):
                yield b"%PDF-1.7 " * 100

        for body in (b"x" * 1001, endless()):
            response = await client.post(path, params={"name": "x"}, data=body)
            assert await problem(response) == (413, "handout_too_large")
        for number in range(MOST):
            await bring(client, made["lesson_id"], name=f"第 {number} 页")
        assert await problem(await client.post(path, params={"name": "x"}, data=PDF)) == (409, "too_many_handouts")
        client.app[UPLOADS].add(made["lesson_id"])
        assert await problem(await client.post(path, params={"name": "x"}, data=PDF)) == (429, "too_many_uploads")


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\x00b"])
async def test_a_handout_needs_a_name_that_can_be_shown(tmp_path: Path, name: str) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        response = await client.post(f"/api/lessons/{made['lesson_id']}/handouts", params={"name": name}, data=PDF)
        assert await problem(response) == (422, "field_invalid")


async def test_only_those_who_run_the_lesson_bring_handouts_or_take_them_away(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = (await new_lesson(client))["lesson_id"]
        made = await bring(client, lesson_id, headers=token(client, lesson_id, "lead_teacher"))
        await add_user(client, "教师乙", "teacher")
        await log_in(client, "教师乙")
        for headers in ({}, token(client, lesson_id, "receiving_class"), token(client, lesson_id, "co_teacher")):
            brought = await client.post(f"/api/lessons/{lesson_id}/handouts?name=x", data=PDF, headers=headers)
            assert await problem(brought) == (403, "not_allowed")
            assert await problem(await client.delete(made["url"], headers=headers)) == (403, "not_allowed")
        lead = token(client, lesson_id, "lead_teacher")
        assert (await client.delete(made["url"], headers=lead)).status == 204
        assert await problem(await client.delete(made["url"], headers=lead)) == (404, "handout_unknown")
        assert await problem(await client.get(made["url"], headers=lead)) == (404, "handout_unknown")


async def test_handouts_go_with_their_lesson(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        page = await bring(client, made["lesson_id"])
        await client.post(f"/api/lessons/{made['lesson_id']}/end")
        late = await client.post(f"/api/lessons/{made['lesson_id']}/handouts?name=x", data=PDF)
        assert await problem(late) == (410, "lesson_ended")
        assert (await client.get(page["url"])).status == 200
        assert (await client.delete(f"/api/lessons/{made['lesson_id']}")).status == 204
        assert not (tmp_path / "handouts" / made["lesson_id"]).exists()
        assert await problem(await client.get(page["url"])) == (404, "lesson_unknown")


async def test_a_cookie_for_handouts_is_no_grant_and_no_key_to_the_archive(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = (await new_lesson(client))["lesson_id"]
        made, _ = client.app[caller.GRANTS].mint(lesson_id, "receiving_class", kind="handouts")
        shown = await client.get(f"/archive/{lesson_id}/events.jsonl", headers={"Cookie": f"tongke_archive={made}"})
        assert await problem(shown) == (401, "login_required")
