from pathlib import Path
from typing import Any

import pytest

from server.database import now
from server.lessons.api import LESSONS
from server.schools.api import SCHOOLS
from signaling.grants import GrantRole
from tests.server.application import Client, add_user, log_in, problem, running, token


async def new_lesson(client: Client, title: str = "草原") -> dict[str, Any]:
    response = await client.post("/api/lessons", json={"title": title}, headers=token(client, "", "admin"))
    assert response.status == 201, await response.text()
    made: dict[str, Any] = await response.json()
    return made


async def own_lesson(client: Client, **fields: object) -> dict[str, Any]:
    """A lesson of a teacher who stays logged in."""
    await add_user(client, "主讲教师甲", "teacher")
    await log_in(client, "主讲教师甲")
    response = await client.post("/api/lessons", json={"title": "草原", **fields})
    assert response.status == 201, await response.text()
    made: dict[str, Any] = await response.json()
    return made


async def test_a_teacher_makes_a_lesson_and_finds_it_in_the_list(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "甲", "teacher")
        await log_in(client, "甲")
        made = await (await client.post("/api/lessons", json={"title": " 草原 ", "kind": "master_class"})).json()
        assert (made["title"], made["kind"], made["status"], made["recording"]) == (
            "草原",
            "master_class",
            "scheduled",
            "none",
        )
        assert len(made["class_code"]) == 6
        assert made["join_url"] == f"/class#{made['class_code']}"
        assert await (await client.get("/api/lessons")).json() == {"lessons": [made], "next": None}
        assert await (await client.get(f"/api/lessons/{made['lesson_id']}")).json() == made


async def test_who_is_recorded_is_chosen_with_the_lesson_and_told_in_its_room(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        assert (await new_lesson(client))["recording_policy"] == "consented"
        admin = token(client, "", "admin")
        wanted = {"title": "草原", "recording_policy": "teacher_only"}
        made = await (await client.post("/api/lessons", json=wanted, headers=admin)).json()
        assert made["recording_policy"] == "teacher_only"
        lead = token(client, made["lesson_id"], "lead_teacher")
        async with client.ws_connect(f"/ws/{made['lesson_id']}") as socket:
            await socket.send_json({"type": "hello", "token": lead["Authorization"].split()[1]})
            assert (await socket.receive_json(timeout=5))["recording_policy"] == "teacher_only"
        wrong = await client.post("/api/lessons", json={"title": "x", "recording_policy": "some"}, headers=admin)
        assert await problem(wrong) == (422, "field_invalid")


async def test_only_those_who_run_a_lesson_have_it_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await new_lesson(client)
        path = f"/api/lessons/{made['lesson_id']}"
        assert made["keep"] is False
        lead = token(client, made["lesson_id"], "lead_teacher")
        assert (await (await client.patch(path, json={"keep": True}, headers=lead)).json())["keep"] is True
        observer = token(client, made["lesson_id"], "observer")
        assert await problem(await client.patch(path, json={"keep": False}, headers=observer)) == (403, "not_allowed")
        assert await problem(await client.patch(path, json={}, headers=lead)) == (422, "field_invalid")


async def test_the_class_code_is_shown_only_to_those_who_may_run_the_lesson(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await new_lesson(client)
        path = f"/api/lessons/{made['lesson_id']}"
        roles: dict[GrantRole, bool] = {"lead_teacher": True, "co_teacher": False, "receiving_class": False}
        for role, shown in roles.items():
            seen = await (await client.get(path, headers=token(client, made["lesson_id"], role))).json()
            assert (seen["class_code"] is not None) == shown
        await add_user(client, "乙", "teacher")
        await log_in(client, "乙")
        assert (await (await client.get(path)).json())["class_code"] is None


async def test_lessons_are_listed_newest_first_in_pages(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        for number in range(5):
            await new_lesson(client, f"第{number}课")
        headers = token(client, "", "admin")
        first = await (await client.get("/api/lessons?limit=3", headers=headers)).json()
        second = await (await client.get(f"/api/lessons?limit=3&before={first['next']}", headers=headers)).json()
        assert [one["title"] for one in first["lessons"] + second["lessons"]] == [f"第{n}课" for n in (4, 3, 2, 1, 0)]
        assert second["next"] is None


async def test_a_class_enters_with_its_code_however_it_is_typed(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await new_lesson(client)
        code = made["class_code"]
        full_width = "".join(chr(ord("０") + int(digit)) for digit in code)
        for typed in (code, f"{code[:3]} {code[3:]}", full_width):
            response = await client.post("/api/class/enter", json={"code": typed, "name": "六(2)班", "headcount": 43})
            entry = await response.json()
            assert (entry["lesson_id"], entry["role"]) == (made["lesson_id"], "receiving_class")
            headers = {"Authorization": f"Bearer {entry['token']}"}
            assert (await client.get(f"/api/lessons/{made['lesson_id']}", headers=headers)).status == 200


@pytest.mark.parametrize("code", ["000", "abcdef", "1234567", "      "])
async def test_a_wrong_class_code_is_unknown(tmp_path: Path, code: str) -> None:
    async with running(tmp_path) as client:
        response = await client.post("/api/class/enter", json={"code": code})
        assert await problem(response) == (404, "class_code_unknown")


async def test_trying_codes_has_to_wait(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        for _ in range(10):
            await client.post("/api/class/enter", json={"code": "1"})
        response = await client.post("/api/class/enter", json={"code": "1"})
        assert await problem(response) == (429, "too_many_tries")
        assert int(response.headers["Retry-After"]) > 0


async def test_a_late_class_is_told_that_the_lesson_is_over(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await new_lesson(client)
        headers = token(client, made["lesson_id"], "lead_teacher")
        for _ in range(2):  # ending twice is harmless
            ended = await (await client.post(f"/api/lessons/{made['lesson_id']}/end", headers=headers)).json()
            assert ended["status"] == "ended"
            assert ended["ended_at"] is not None
        response = await client.post("/api/class/enter", json={"code": made["class_code"]})
        assert await problem(response) == (410, "lesson_ended")


@pytest.mark.parametrize("role", ["co_teacher", "receiving_class", "local_teacher", "observer", "researcher"])
async def test_only_the_lead_teacher_ends_a_lesson_or_makes_none(tmp_path: Path, role: Any) -> None:
    async with running(tmp_path) as client:
        made = await new_lesson(client)
        headers = token(client, made["lesson_id"], role)
        response = await client.post(f"/api/lessons/{made['lesson_id']}/end", headers=headers)
        assert await problem(response) == (403, "not_allowed")
        response = await client.post("/api/lessons", json={"title": "x"}, headers=headers)
        assert await problem(response) == (403, "not_allowed")


async def test_a_teacher_takes_part_as_lead_in_the_own_lesson_and_as_observer_in_others(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        other = (await new_lesson(client))["lesson_id"]
        await add_user(client, "甲", "teacher")
        await log_in(client, "甲")
        own = (await (await client.post("/api/lessons", json={"title": "课"})).json())["lesson_id"]
        for lesson_id, role, status in (
            (own, "lead_teacher", 201),
            (own, "co_teacher", 201),
            (other, "lead_teacher", 403),
            (other, "co_teacher", 403),
            (other, "observer", 201),
        ):
            response = await client.post(f"/api/lessons/{lesson_id}/grants", json={"role": role})
            assert response.status == status, (lesson_id == own, role)
        response = await client.post(f"/api/lessons/{own}/grants", json={"role": "admin"})
        assert await problem(response) == (422, "field_invalid")


async def test_a_grant_gives_out_no_further_grants(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await new_lesson(client)
        headers = token(client, made["lesson_id"], "lead_teacher")
        response = await client.post(
            f"/api/lessons/{made['lesson_id']}/grants", json={"role": "lead_teacher"}, headers=headers
        )
        assert await problem(response) == (403, "not_allowed")


async def test_tokens_that_do_not_fit_are_told_apart(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = (await new_lesson(client))["lesson_id"]
        path = f"/api/lessons/{lesson_id}"
        assert await problem(await client.get(path)) == (401, "login_required")
        expired = token(client, lesson_id, "observer", ttl=-5)
        assert await problem(await client.get(path, headers=expired)) == (401, "token_expired")
        broken = {"Authorization": "Bearer nonsense"}
        assert await problem(await client.get(path, headers=broken)) == (401, "token_invalid")
        foreign = token(client, "another", "observer")
        assert await problem(await client.get(path, headers=foreign)) == (403, "token_foreign")
        admin = token(client, "", "admin")
        assert await problem(await client.get("/api/lessons/none", headers=admin)) == (404, "lesson_unknown")


@pytest.mark.parametrize(
    "body", [{}, {"title": ""}, {"title": "x" * 201}, {"title": 7}, {"title": "x", "kind": "party"}]
)
async def test_a_lesson_of_the_wrong_form_is_refused(tmp_path: Path, body: dict[str, object]) -> None:
    async with running(tmp_path) as client:
        response = await client.post("/api/lessons", json=body, headers=token(client, "", "admin"))
        assert await problem(response) == (422, "field_invalid")


async def test_a_lesson_is_planned_with_time_subject_and_classes_until_it_begins(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        school = await client.app[SCHOOLS].add("阜平一小")
        one, other = [await client.app[SCHOOLS].add_class(school.id, name) for name in ("一班", "二班")]
        plan = {"subject": "语文", "grade": "六年级", "starts_at": "2030-09-02T10:10:00+08:00"}
        made = await own_lesson(client, **plan, class_group_ids=[one.class_group_id])
        assert (made["subject"], made["grade"], made["starts_at"]) == ("语文", "六年级", "2030-09-02T02:10:00Z")
        assert [(found["name"], found["code"]) for found in made["classes"]] == [("一班", one.code)]
        path = f"/api/lessons/{made['lesson_id']}"
        changed = await client.patch(path, json={"class_group_ids": [other.class_group_id], "starts_at": None})
        shown = await changed.json()
        assert ([found["name"] for found in shown["classes"]], shown["starts_at"]) == (["二班"], None)
        assert shown["subject"] == "语文"
        await client.app[LESSONS].started(made["lesson_id"], now())
        assert await problem(await client.patch(path, json={"grade": "五年级"})) == (409, "lesson_begun")


async def test_a_lesson_cannot_invite_a_class_that_is_not_on_the_list(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "主讲教师甲", "teacher")
        await log_in(client, "主讲教师甲")
        answer = await client.post("/api/lessons", json={"title": "草原", "class_group_ids": ["nobody"]})
        assert await problem(answer) == (404, "class_unknown")
        assert (await (await client.get("/api/lessons")).json())["lessons"] == []


async def test_a_rehearsal_is_not_recorded_and_listed_for_its_teacher_alone_until_it_is_over(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client, rehearsal=True, recording_policy="all")
        assert made["recording_policy"] == "nothing"
        assert len((await (await client.get("/api/lessons")).json())["lessons"]) == 1
        await add_user(client, "教研员甲", "researcher")
        await log_in(client, "教研员甲")
        assert (await (await client.get("/api/lessons")).json())["lessons"] == []
        await log_in(client, "主讲教师甲")
        await client.post(f"/api/lessons/{made['lesson_id']}/end")
        assert (await (await client.get("/api/lessons")).json())["lessons"] == []
