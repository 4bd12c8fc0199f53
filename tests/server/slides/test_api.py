"""Slides over HTTP: who may bring them, who may look at them, and what is not taken."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from server.audit.api import TRAIL
from server.slides import upload
from server.slides.api import SLIDES, UPLOADS
from server.slides.store import MOST
from tests.server.application import Client, add_user, log_in, problem, running, token
from tests.server.lessons.test_api import new_lesson, own_lesson
from tests.server.phones.test_pictures import drawn
from tests.server.slides.files import pdf
from tests.server.slides.test_store import drawn as drawn_set
from tests.support.browser import eventually


def form(data: bytes | Any, name: str = "圆的面积.pdf", field: str = "file") -> FormData:
    made = FormData(quote_fields=False)
    made.add_field(field, data, filename=name, content_type="application/pdf")
    return made


async def bring(client: Client, lesson_id: str, data: bytes, **options: Any) -> dict[str, Any]:
    response = await client.post(f"/api/lessons/{lesson_id}/slides", data=form(data), **options)
    assert response.status == 202, await response.text()
    made: dict[str, Any] = await response.json()
    return made


async def listed(client: Client, lesson_id: str, **options: Any) -> list[dict[str, Any]]:
    response = await client.get(f"/api/lessons/{lesson_id}/slides", **options)
    assert response.status == 200, await response.text()
    here: list[dict[str, Any]] = (await response.json())["slides"]
    return here


async def settled(client: Client, lesson_id: str, **options: Any) -> dict[str, Any]:
    """The one set of this lesson, once nothing more becomes of it."""

    async def over() -> bool:
        (one,) = await listed(client, lesson_id, **options)
        return bool(one["state"] != "rendering")

    await eventually("the slides are drawn", over, within=60)
    return (await listed(client, lesson_id, **options))[0]


async def test_slides_are_brought_by_their_teacher_and_seen_with_a_grant_of_that_lesson_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = (await new_lesson(client))["lesson_id"]
        lead = token(client, lesson_id, "lead_teacher")
        made = await bring(client, lesson_id, pdf(2), headers=lead)
        assert (made["title"], made["state"], made["done"], made["pages"]) == ("圆的面积", "rendering", 0, None)
        school_class = token(client, lesson_id, "receiving_class")
        ready = await settled(client, lesson_id, headers=school_class)
        assert (ready["state"], ready["done"], ready["pages"]) == ("ready", 2, 2)
        assert (ready["width"], ready["height"], ready["slides_id"]) == (1920, 1080, made["slides_id"])
        client.session.cookie_jar.clear()
        shown = f"/api/lessons/{lesson_id}/slides/{made['slides_id']}/2.webp"
        page = await client.get(shown, headers=school_class)
        assert (page.status, page.content_type, (await page.read())[:4]) == (200, "image/webp", b"RIFF")
        for path in (shown, f"/api/lessons/{lesson_id}/slides"):
            assert await problem(await client.get(path)) == (401, "login_required")
            foreign = token(client, "another", "receiving_class")
            assert await problem(await client.get(path, headers=foreign)) == (403, "token_foreign")
            waits = token(client, lesson_id, "receiving_class", waits=True)
            assert await problem(await client.get(path, headers=waits)) == (403, "not_admitted")


async def test_a_browser_that_asked_for_the_list_shows_the_pages_of_that_lesson_and_keeps_them(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        mine, other = [(await new_lesson(client))["lesson_id"] for _ in range(2)]
        here, there = [
            (await bring(client, one, drawn(320, 180), headers=token(client, one, "lead_teacher")))["slides_id"]
            for one in (mine, other)
        ]
        await settled(client, other, headers=token(client, other, "lead_teacher"))
        client.session.cookie_jar.clear()
        await settled(client, mine, headers=token(client, mine, "receiving_class"))
        page = await client.get(f"/api/lessons/{mine}/slides/{here}/1.small.webp")
        assert page.status == 200
        assert "immutable" in page.headers["Cache-Control"]
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        again = {"If-None-Match": page.headers["ETag"]}
        assert (await client.get(page.url.path, headers=again)).status == 304
        foreign = f"/api/lessons/{other}/slides/{there}/1.webp"
        assert await problem(await client.get(foreign)) == (401, "login_required")
        stolen = next(one.value for one in client.session.cookie_jar if one.key == "tongke_slides")
        client.session.cookie_jar.clear()
        as_cookie = {"Cookie": f"tongke_slides={stolen}"}
        assert await problem(await client.get(foreign, headers=as_cookie)) == (401, "login_required")
        as_grant = {"Authorization": f"Bearer {stolen}"}
        assert await problem(await client.get(f"/api/lessons/{mine}", headers=as_grant)) == (401, "token_invalid")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"PK\x03\x04 slides.pptx", 415, "slides_office"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 slides.ppt", 415, "slides_office"),
        (b"<!doctype html><script>alert(1)</script>", 415, "slides_malformed"),
        (b"MZ\x90\x00" + b"\0" * 64, 415, "slides_malformed"),
        (b"", 415, "slides_malformed"),
        (b"%PDF-1.7\nhalf of it", 415, "slides_cut_short"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff", 413, "slides_too_large"),
    ],
)
async def test_what_is_neither_a_pdf_nor_a_picture_is_refused_whatever_it_is_called(
    tmp_path: Path, data: bytes, status: int, code: str
) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        response = await client.post(f"/api/lessons/{made['lesson_id']}/slides", data=form(data))
        assert await problem(response) == (status, code)
        assert client.app[SLIDES].of(made["lesson_id"]) == []
        assert client.app[UPLOADS] == set()
        assert list((tmp_path / "slides" / ".uploads").iterdir()) == []


async def test_a_request_that_is_no_form_with_a_file_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        path = f"/api/lessons/{made['lesson_id']}/slides"
        assert await problem(await client.post(path, data=pdf())) == (415, "unsupported_media_type")
        assert await problem(await client.post(path, data=form(pdf(), field="x"))) == (422, "field_invalid")
        assert await problem(await client.post(path, data=form(pdf()), params={"title": "a\x00b"})) == (
            422,
            "field_invalid",
        )
        torn = {"Content-Type": "multipart/form-data; boundary=x"}
        for body in (b"--x\r\n", b"rubbish", b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\n%PDF-1.7"):
            response = await client.post(path, data=body, headers=torn)
            assert (await problem(response))[0] in (400, 415, 422)
        assert client.app[UPLOADS] == set()


async def test_size_and_number_of_slides_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MAX_FILE", 100_000)
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        path = f"/api/lessons/{made['lesson_id']}/slides"

        async def endless() -> Any:
            for _ in range(1000):
                yield b"%PDF-1.7 " * 100

        for body in (b"x" * 200_000, endless()):
            assert await problem(await client.post(path, data=form(body))) == (413, "slides_too_large")
        slides = client.app[SLIDES]
        for _ in range(MOST):
            draft = slides.draft()
            draft.write_bytes(pdf())
            slides.add(made["lesson_id"], "课件", "pdf", draft)
        assert await problem(await client.post(path, data=form(pdf()))) == (409, "too_many_slides")
        client.app[UPLOADS].add(made["lesson_id"])
        assert await problem(await client.post(path, data=form(pdf()))) == (429, "too_many_uploads")


async def test_a_disk_without_room_takes_no_slides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "LEAST_FREE", 1 << 60)
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        response = await client.post(f"/api/lessons/{made['lesson_id']}/slides", data=form(pdf()))
        assert await problem(response) == (503, "slides_not_kept")


async def test_only_teachers_of_the_lesson_bring_slides_or_take_them_away(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = (await new_lesson(client))["lesson_id"]
        path = f"/api/lessons/{lesson_id}/slides"
        helper = token(client, lesson_id, "co_teacher")
        made = await bring(client, lesson_id, pdf(), headers=helper)
        await add_user(client, "教师乙", "teacher")
        await log_in(client, "教师乙")
        for headers in ({}, token(client, lesson_id, "receiving_class"), token(client, "another", "co_teacher")):
            assert (await problem(await client.post(path, data=form(pdf()), headers=headers)))[0] == 403
            assert (await problem(await client.delete(f"{path}/{made['slides_id']}", headers=headers)))[0] == 403
        assert (await client.delete(f"{path}/{made['slides_id']}", headers=helper)).status == 204
        gone = await client.delete(f"{path}/{made['slides_id']}", headers=helper)
        assert await problem(gone) == (404, "slides_unknown")
        assert await listed(client, lesson_id, headers=helper) == []


async def test_slides_go_with_their_lesson(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        lesson_id = made["lesson_id"]
        one = await bring(client, lesson_id, pdf())
        await settled(client, lesson_id)
        page = f"/api/lessons/{lesson_id}/slides/{one['slides_id']}/1.webp"
        await client.post(f"/api/lessons/{lesson_id}/end")
        late = await client.post(f"/api/lessons/{lesson_id}/slides", data=form(pdf()))
        assert await problem(late) == (410, "lesson_ended")
        assert (await client.get(page)).status == 200
        assert (await client.delete(f"/api/lessons/{lesson_id}")).status == 204
        assert not (tmp_path / "slides" / lesson_id).exists()
        assert await problem(await client.get(page)) == (404, "lesson_unknown")


async def test_an_address_that_is_no_pages_leads_nowhere(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        slides_id = drawn_set(client.app[SLIDES], made["lesson_id"]).slides_id
        here = f"/api/lessons/{made['lesson_id']}/slides/{slides_id}"
        assert (await client.get(f"{here}/1.webp")).status == 200
        for page in ("0.webp", "01.webp", "2.webp", "1.jpg", "1000.webp", "note.json", "source", "1.small.small.webp"):
            assert (await problem(await client.get(f"{here}/{page}")))[0] == 404, page


async def test_who_took_slides_away_stands_in_the_audit_trail(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        one = drawn_set(client.app[SLIDES], made["lesson_id"], title="圆的面积")
        taken = await client.delete(f"/api/lessons/{made['lesson_id']}/slides/{one.slides_id}")
        assert taken.status == 204
        trail = client.app[TRAIL]

        async def written() -> bool:
            return bool(await trail.page(1))

        await eventually("an entry", written)
        (entry,) = await trail.page(1)
        assert (entry.actor, entry.action, entry.detail) == ("主讲教师甲", "slides_removed", "圆的面积")


async def test_the_description_of_the_api_says_that_slides_come_as_a_form(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        described = await (await client.get("/api/openapi.json")).json()
        operation = described["paths"]["/api/lessons/{lesson_id}/slides"]["post"]
        assert list(operation["requestBody"]["content"]) == ["multipart/form-data"]
        assert "/api/lessons/{lesson_id}/slides/{slides_id}/{page}.small.webp" in described["paths"]
