from pathlib import Path

from tests.server.application import add_user, log_in, problem, running


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
