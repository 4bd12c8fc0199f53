from pathlib import Path
from typing import Any

from server.audit.api import TRAIL
from server.schools.api import SCHOOLS
from tests.server.application import Client, add_user, log_in, problem, running

FORBIDDEN = (403, "not_allowed")


async def test_an_administrator_keeps_the_list_and_a_teacher_reads_it_without_codes(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "管理员", "admin")
        await add_user(client, "主讲教师甲", "teacher")
        await log_in(client, "管理员")
        school = await (await client.post("/api/schools", json={"name": " 阜平一小 ", "region": "阜平县"})).json()
        classes = f"/api/schools/{school['school_id']}/classes"
        made = await (await client.post(classes, json={"name": "六(2)班", "headcount": 43})).json()
        assert len(made["code"]) == 8
        changed = await client.patch(f"/api/class-groups/{made['class_group_id']}", json={"name": "六(3)班"})
        assert (await changed.json())["name"] == "六(3)班"
        await log_in(client, "主讲教师甲")
        listed = (await (await client.get("/api/schools")).json())["schools"]
        assert [(one["name"], one["region"]) for one in listed] == [("阜平一小", "阜平县")]
        assert [(one["name"], one["code"]) for one in listed[0]["classes"]] == [("六(3)班", None)]


async def test_nobody_else_changes_the_list(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "主讲教师甲", "teacher")
        await log_in(client, "主讲教师甲")
        for method, path in (
            ("POST", "/api/schools"),
            ("PATCH", "/api/schools/x"),
            ("DELETE", "/api/schools/x"),
            ("POST", "/api/schools/x/classes"),
            ("PATCH", "/api/class-groups/x"),
            ("DELETE", "/api/class-groups/x"),
            ("POST", "/api/class-groups/x/code"),
        ):
            answer = await client.request(method, path, json={"name": "x"})
            assert await problem(answer) == (403, "not_allowed"), path
        await client.delete("/api/session")
        assert await problem(await client.get("/api/schools")) == (401, "login_required")


async def test_what_is_not_there_or_there_already_is_said_by_name(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "管理员", "admin")
        await log_in(client, "管理员")
        await client.post("/api/schools", json={"name": "一小"})
        assert await problem(await client.post("/api/schools", json={"name": "一小"})) == (409, "name_taken")
        assert await problem(await client.delete("/api/schools/nowhere")) == (404, "school_unknown")
        nowhere = await client.post("/api/schools/nowhere/classes", json={"name": "一班"})
        assert await problem(nowhere) == (404, "school_unknown")
        assert await problem(await client.post("/api/class-groups/x%00/code")) == (404, "class_unknown")
        long = await client.post("/api/schools", json={"name": "校" * 500})
        assert await problem(long) == (422, "field_invalid")


async def county(client: Client) -> dict[str, tuple[str, str]]:
    """Two schools of one region and one of another: the ids of each and of its class."""
    schools = client.app[SCHOOLS]
    made = {}
    for name, region in (("阜平一小", "阜平县"), ("阜平二小", "阜平县"), ("张北实验", "张北县")):
        school = await schools.add(name, region)
        made[name] = (school.id, (await schools.add_class(school.id, "六(2)班", 43)).class_group_id)
    await add_user(client, "校管理员", "school_admin", school_id=made["阜平一小"][0])
    await add_user(client, "县管理员", "region_admin", region="阜平县")
    return made


async def lesson(client: Client, **fields: object) -> dict[str, Any]:
    response = await client.post("/api/lessons", json={"title": "草原", **fields})
    assert response.status == 201, await response.text()
    made: dict[str, Any] = await response.json()
    return made


async def listed(client: Client) -> dict[str, tuple[bool, bool]]:
    """Of each school whether it is kept, and whether the codes of its classes are shown."""
    schools = (await (await client.get("/api/schools")).json())["schools"]
    return {one["name"]: (one["kept"], all(group["code"] for group in one["classes"])) for one in schools}


async def refused(client: Client, school_id: str, class_group_id: str) -> bool:
    """Whether neither this school nor its class can be changed."""
    words = {"name": "改名", "region": "阜平县"}
    calls: tuple[tuple[str, str, object], ...] = (
        ("PATCH", f"/api/schools/{school_id}", words),
        ("DELETE", f"/api/schools/{school_id}", None),
        ("POST", f"/api/schools/{school_id}/classes", {"name": "六(3)班"}),
        ("PATCH", f"/api/class-groups/{class_group_id}", {"name": "六(3)班"}),
        ("POST", f"/api/class-groups/{class_group_id}/code", None),
        ("DELETE", f"/api/class-groups/{class_group_id}", None),
    )
    return all([await problem(await client.request(how, path, json=body)) == FORBIDDEN for how, path, body in calls])


async def test_a_schools_administrator_keeps_its_name_and_classes_and_no_other_schools(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        await log_in(client, "校管理员")
        assert await listed(client) == {
            "阜平一小": (True, True),
            "阜平二小": (False, False),
            "张北实验": (False, False),
        }
        for other in ("阜平二小", "张北实验"):
            assert await refused(client, *there[other]), other
        school_id, class_group_id = there["阜平一小"]
        away = {"name": "阜平一小", "region": "张北县"}
        assert await problem(await client.patch(f"/api/schools/{school_id}", json=away)) == FORBIDDEN
        assert await problem(await client.delete(f"/api/schools/{school_id}")) == FORBIDDEN
        for region in ("", "阜平县"):
            assert await problem(await client.post("/api/schools", json={"name": "新", "region": region})) == FORBIDDEN
        named = {"name": "阜平第一小学", "region": "阜平县"}
        assert (await client.patch(f"/api/schools/{school_id}", json=named)).status == 204
        assert (await client.post(f"/api/class-groups/{class_group_id}/code")).status == 200
        assert (await client.post(f"/api/schools/{school_id}/classes", json={"name": "六(3)班"})).status == 201
        assert (await client.delete(f"/api/class-groups/{class_group_id}")).status == 204


async def test_a_regions_administrator_keeps_the_schools_of_that_region_and_no_others(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        await log_in(client, "县管理员")
        assert await listed(client) == {"阜平一小": (True, True), "阜平二小": (True, True), "张北实验": (False, False)}
        assert await refused(client, *there["张北实验"])
        away = {"name": "阜平二小", "region": "张北县"}
        assert await problem(await client.patch(f"/api/schools/{there['阜平二小'][0]}", json=away)) == FORBIDDEN
        for region in ("", "张北县", "阜平"):
            assert await problem(await client.post("/api/schools", json={"name": "新", "region": region})) == FORBIDDEN
        assert (await client.post("/api/schools", json={"name": "新", "region": "阜平县"})).status == 201
        assert (await client.delete(f"/api/schools/{there['阜平二小'][0]}")).status == 204


async def test_a_teacher_and_a_regions_administrator_of_no_region_keep_no_school(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        nameless = await client.app[SCHOOLS].add("无区小学", "")
        for role in ("teacher", "region_admin", "school_admin"):
            await add_user(client, role, role)
            await log_in(client, role)
            assert not any(kept for kept, _ in (await listed(client)).values()), role
            assert await refused(client, nameless.id, there["阜平一小"][1]), role
            assert await problem(await client.post("/api/schools", json={"name": "新"})) == FORBIDDEN


async def test_what_is_done_to_schools_and_classes_is_put_down(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        await log_in(client, "校管理员")
        school_id, class_group_id = there["阜平一小"]
        await client.patch(f"/api/schools/{school_id}", json={"name": "第一小学", "region": "阜平县"})
        await client.post(f"/api/schools/{school_id}/classes", json={"name": "六(3)班"})
        await client.post(f"/api/schools/{school_id}/classes", json={"name": "六(3)班"})  # refused: it is there
        await client.patch(f"/api/class-groups/{class_group_id}", json={"name": "六(1)班"})
        await client.post(f"/api/class-groups/{class_group_id}/code")
        await client.delete(f"/api/class-groups/{class_group_id}")
        done = [(one.action, one.title) for one in reversed(await client.app[TRAIL].page(10))]
        assert done == [
            ("school_changed", "第一小学"),
            ("class_added", "六(3)班"),
            ("class_changed", "第一小学 六(2)班"),
            ("code_renewed", "第一小学 六(1)班"),
            ("class_removed", "第一小学 六(1)班"),
        ]


async def test_a_school_that_is_taken_off_the_list_leaves_its_administrator_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        await client.app[SCHOOLS].remove(there["阜平一小"][0])
        await log_in(client, "校管理员")
        assert not any(kept for kept, _ in (await listed(client)).values())


async def test_who_keeps_a_school_runs_its_lessons_and_teaches_none_of_them(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        lessons: dict[str, dict[str, Any]] = {}
        for name, school in (("本校教师", "阜平一小"), ("邻校教师", "阜平二小"), ("外县教师", "张北实验")):
            await add_user(client, name, "teacher", school_id=there[school][0])
            await log_in(client, name)
            lessons[name] = await lesson(client, title=name)
            await lesson(client, title=f"{name}试讲", rehearsal=True)
        kept = {"校管理员": {"本校教师"}, "县管理员": {"本校教师", "邻校教师"}}
        for administrator, owners in kept.items():
            await log_in(client, administrator)
            shown = (await (await client.get("/api/lessons")).json())["lessons"]
            assert {one["title"] for one in shown if one["may_run"] and one["class_code"]} == owners
            assert {one["title"] for one in shown if one["may_lead"] or one["rehearsal"]} == set()
            for owner, one in lessons.items():
                path = f"/api/lessons/{one['lesson_id']}"
                for role in ("lead_teacher", "co_teacher"):
                    assert await problem(await client.post(f"{path}/grants", json={"role": role})) == FORBIDDEN
                assert await problem(await client.post(f"{path}/co_teacher_link")) == FORBIDDEN
                if owner not in owners:
                    assert await problem(await client.post(f"{path}/code")) == FORBIDDEN
                    assert await problem(await client.post(f"{path}/end")) == FORBIDDEN
                    assert await problem(await client.get(f"{path}/qr")) == FORBIDDEN
                    assert await problem(await client.patch(path, json={"keep": True})) == FORBIDDEN
                    assert await problem(await client.delete(path)) == FORBIDDEN
        await log_in(client, "县管理员")
        theirs = f"/api/lessons/{lessons['邻校教师']['lesson_id']}"
        assert (await client.post(f"{theirs}/code")).status == 200
        assert (await client.post(f"{theirs}/end")).status == 200
        assert (await client.delete(theirs)).status == 204
        done = [(one.actor, one.action, one.title) for one in reversed(await client.app[TRAIL].page(10))]
        assert done == [("县管理员", action, "邻校教师") for action in ("code_renewed", "ended", "deleted")]
