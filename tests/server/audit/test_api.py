from pathlib import Path

import pytest

from server.audit.api import TRAIL
from server.audit.trail import Actor, entry
from tests.server.application import add_user, log_in, problem, running, token


async def test_the_audit_trail_is_for_administrators(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await client.app[TRAIL].add(entry(Actor("甲", "teacher"), "deleted", "l1", "草原"))
        assert await problem(await client.get("/api/audit")) == (401, "login_required")
        lead = token(client, "l1", "lead_teacher")
        assert await problem(await client.get("/api/audit", headers=lead)) == (403, "not_allowed")
        for role in ("teacher", "region_admin"):
            await add_user(client, role, role)
            await log_in(client, role)
            assert await problem(await client.get("/api/audit")) == (403, "not_allowed")
        await add_user(client, "甲", "admin")
        await log_in(client, "甲")
        (seen,) = (await (await client.get("/api/audit")).json())["entries"]
        assert (seen["actor"], seen["action"], seen["lesson_id"], seen["title"]) == ("甲", "deleted", "l1", "草原")


async def test_it_comes_in_pages(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        for number in range(5):
            await client.app[TRAIL].add(entry(Actor("甲", "teacher"), "seen", f"l{number}", ""))
        headers = token(client, "", "admin")
        first = await (await client.get("/api/audit?limit=3", headers=headers)).json()
        second = await (await client.get(f"/api/audit?limit=3&before={first['next']}", headers=headers)).json()
        assert [one["lesson_id"] for one in first["entries"] + second["entries"]] == ["l4", "l3", "l2", "l1", "l0"]
        assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "before=-1", "before=" + "9" * 30, "limit=٣"])
async def test_a_wrong_page_is_refused(tmp_path: Path, query: str) -> None:
    async with running(tmp_path) as client:
        response = await client.get(f"/api/audit?{query}", headers=token(client, "", "admin"))
        assert await problem(response) == (422, "field_invalid")
