from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from server import caller
from server.accounts import links
from server.accounts.roles import AccountRole
from server.audit.api import TRAIL
from server.schools.api import SCHOOLS
from tests.server.application import PASSWORD, Client, add_user, log_in, problem, running

CHOSEN = "a battery staple"


async def administrator(client: Client) -> None:
    await add_user(client, "管理员", "admin")
    await log_in(client, "管理员")


async def account(client: Client, name: str) -> str:
    """The id of an account, as the administrator's list has it."""
    listed = (await (await client.get("/api/accounts")).json())["accounts"]
    found: str = next(one["user_id"] for one in listed if one["name"] == name)
    return found


async def made_link(client: Client, path: str, body: object = None) -> str:
    response = await client.post(path, json=body)
    assert response.status == 201, await response.text()
    url: str = (await response.json())["url"]
    assert url.startswith("/login#")
    return url.removeprefix("/login#")


async def is_known(client: Client, cookie: dict[str, str]) -> bool:
    """Whether a browser that logged in before still is."""
    client.session.cookie_jar.clear()
    return bool((await (await client.get("/api/session", headers=cookie)).json())["user"])


async def test_an_invited_person_chooses_name_and_password_and_is_logged_in(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await administrator(client)
        token = await made_link(client, "/api/accounts/invitations", {"role": "researcher", "name": "教研员甲"})
        await client.delete("/api/session")
        shown = await (await client.post("/api/link", json={"token": token})).json()
        assert (shown["name"], shown["role"], shown["new"]) == ("教研员甲", "researcher", True)
        used = await client.post("/api/link/use", json={"token": token, "name": "教研员乙", "password": CHOSEN})
        assert (await used.json())["user"] == {"name": "教研员乙", "role": "researcher"}
        assert (await (await client.get("/api/session")).json())["user"]["name"] == "教研员乙"


async def test_a_link_works_once(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await administrator(client)
        token = await made_link(client, "/api/accounts/invitations", {"role": "teacher"})
        body = {"token": token, "name": "主讲教师甲", "password": CHOSEN}
        assert (await client.post("/api/link/use", json=body)).status == 200
        again = await client.post("/api/link/use", json={**body, "name": "主讲教师乙"})
        assert await problem(again) == (404, "link_unknown")
        assert await problem(await client.post("/api/link", json={"token": token})) == (404, "link_unknown")


async def test_a_link_that_is_too_old_opens_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await administrator(client)
        with patch.object(links, "INVITED", timedelta(seconds=-1)):
            token = await made_link(client, "/api/accounts/invitations", {"role": "teacher"})
        assert await problem(await client.post("/api/link", json={"token": token})) == (404, "link_unknown")


async def test_a_name_that_is_taken_leaves_the_link_for_another_try(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await administrator(client)
        await add_user(client, "主讲教师甲", "teacher")
        token = await made_link(client, "/api/accounts/invitations", {"role": "teacher"})
        body = {"token": token, "name": "主讲教师甲", "password": CHOSEN}
        assert await problem(await client.post("/api/link/use", json=body)) == (409, "name_taken")
        nameless = await client.post("/api/link/use", json={**body, "name": " "})
        assert await problem(nameless) == (422, "field_invalid")
        assert (await client.post("/api/link/use", json={**body, "name": "主讲教师乙"})).status == 200


async def test_a_reset_password_replaces_the_old_one_and_ends_the_sessions(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "主讲教师甲", "teacher")
        response = await client.post("/api/session", json={"name": "主讲教师甲", "password": PASSWORD})
        before = {"Cookie": f"tongke_session={response.cookies['tongke_session'].value}"}
        await administrator(client)
        path = f"/api/accounts/{await account(client, '主讲教师甲')}/link"
        replaced, token = await made_link(client, path), await made_link(client, path)
        assert await problem(await client.post("/api/link", json={"token": replaced})) == (404, "link_unknown")
        used = await client.post("/api/link/use", json={"token": token, "name": "管理员", "password": CHOSEN})
        assert (await used.json())["user"]["name"] == "主讲教师甲"
        assert not await is_known(client, before)
        old = await client.post("/api/session", json={"name": "主讲教师甲", "password": PASSWORD})
        assert await problem(old) == (401, "login_wrong")


async def test_a_closed_account_is_logged_out_and_cannot_log_in_until_it_is_opened(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "主讲教师甲", "teacher")
        response = await client.post("/api/session", json={"name": "主讲教师甲", "password": PASSWORD})
        before = {"Cookie": f"tongke_session={response.cookies['tongke_session'].value}"}
        await administrator(client)
        path = f"/api/accounts/{await account(client, '主讲教师甲')}"
        assert (await (await client.patch(path, json={"disabled": True})).json())["disabled"] is True
        assert not await is_known(client, before)
        closed = await client.post("/api/session", json={"name": "主讲教师甲", "password": PASSWORD})
        assert await problem(closed) == (401, "login_wrong")
        await log_in(client, "管理员")
        opened = await client.patch(path, json={"disabled": False, "role": "school_admin"})
        assert (await opened.json())["role"] == "school_admin"
        await log_in(client, "主讲教师甲")


async def test_an_administrator_cannot_close_the_own_account(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await administrator(client)
        path = f"/api/accounts/{await account(client, '管理员')}"
        for body in ({"disabled": True}, {"role": "teacher"}):
            assert await problem(await client.patch(path, json=body)) == (409, "own_account")
        assert await problem(await client.patch(path, json={})) == (422, "field_invalid")
        assert await problem(await client.patch("/api/accounts/nobody", json={"disabled": True})) == (
            404,
            "account_unknown",
        )


async def test_only_administrators_see_and_change_accounts(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "主讲教师甲", "teacher")
        await log_in(client, "主讲教师甲")
        for method, path in (
            ("GET", "/api/accounts"),
            ("PATCH", "/api/accounts/x"),
            ("POST", "/api/accounts/x/link"),
            ("POST", "/api/accounts/invitations"),
        ):
            assert await problem(await client.request(method, path, json={})) == (403, "not_allowed"), path


async def test_guessing_links_has_to_wait(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        for number in range(10):
            assert (await client.post("/api/link", json={"token": str(number)})).status == 404
        assert await problem(await client.post("/api/link", json={"token": "x"})) == (429, "too_many_tries")


async def test_what_is_in_a_link_is_kept_nowhere(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await administrator(client)
        token = await made_link(client, "/api/accounts/invitations", {"role": "teacher"})
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]


@dataclass(frozen=True)
class County:
    """Two schools of one region and one of another, with people; user ids by name."""

    ours: str
    near: str
    far: str
    people: dict[str, str]


async def county(client: Client) -> County:
    schools = client.app[SCHOOLS]
    ours = (await schools.add("阜平一小", "阜平县")).id
    near = (await schools.add("阜平二小", "阜平县")).id
    far = (await schools.add("张北实验", "张北县")).id
    known: tuple[tuple[str, AccountRole, str | None, str], ...] = (
        ("本校教师", "teacher", ours, ""),
        ("本校管理员", "school_admin", ours, ""),
        ("本校另一位管理员", "school_admin", ours, ""),
        ("邻校教师", "teacher", near, ""),
        ("外县教师", "teacher", far, ""),
        ("无校教师", "teacher", None, ""),
        ("县管理员", "region_admin", None, "阜平县"),
        ("县里另一位管理员", "region_admin", None, "阜平县"),
        ("管理员", "admin", None, ""),
    )
    people = {
        name: await add_user(client, name, role, school_id=school, region=region)
        for name, role, school, region in known
    }
    return County(ours, near, far, people)


async def seen(client: Client) -> dict[str, bool]:
    """The accounts on the list, and whether they may be changed."""
    listed = (await (await client.get("/api/accounts")).json())["accounts"]
    return {one["name"]: one["may_change"] for one in listed}


async def test_a_schools_administrator_keeps_the_people_below_in_that_school_and_no_others(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        await log_in(client, "本校管理员")
        assert await seen(client) == {"本校教师": True, "本校管理员": False, "本校另一位管理员": False}
        for name, user_id in there.people.items():
            if name in ("本校教师", "本校管理员"):
                continue
            for body in ({"disabled": True}, {"role": "teacher"}, {"school_id": there.ours}):
                assert await problem(await client.patch(f"/api/accounts/{user_id}", json=body)) == (403, "not_allowed")
            assert await problem(await client.post(f"/api/accounts/{user_id}/link")) == (403, "not_allowed"), name
        mine = f"/api/accounts/{there.people['本校教师']}"
        for place in ({"role": "school_admin"}, {"role": "admin"}, {"school_id": there.near}, {"school_id": None}):
            assert await problem(await client.patch(mine, json=place)) == (403, "not_allowed"), place
        assert (await (await client.patch(mine, json={"role": "researcher"})).json())["role"] == "researcher"
        assert (await client.post(f"{mine}/link")).status == 201
        own = await client.patch(f"/api/accounts/{there.people['本校管理员']}", json={"school_id": there.near})
        assert await problem(own) == (409, "own_account")


async def test_a_regions_administrator_keeps_the_people_of_its_schools_and_no_others(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        await log_in(client, "县管理员")
        kept = {"本校教师", "本校管理员", "本校另一位管理员", "邻校教师"}
        assert await seen(client) == {**dict.fromkeys(kept, True), "县管理员": False}
        for name in ("外县教师", "无校教师", "县里另一位管理员", "管理员"):
            path = f"/api/accounts/{there.people[name]}"
            assert await problem(await client.patch(path, json={"disabled": True})) == (403, "not_allowed"), name
            assert await problem(await client.post(f"{path}/link")) == (403, "not_allowed"), name
        mine = f"/api/accounts/{there.people['邻校教师']}"
        for place in ({"role": "region_admin"}, {"role": "admin"}, {"school_id": there.far}, {"school_id": None}):
            assert await problem(await client.patch(mine, json=place)) == (403, "not_allowed"), place
        moved = await client.patch(mine, json={"school_id": there.ours, "role": "school_admin"})
        assert {**await moved.json()}.items() >= {"school_id": there.ours, "role": "school_admin", "region": ""}.items()


async def test_invitations_lead_only_where_their_administrator_may_put_people(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        forbidden = {
            "本校管理员": (
                {"role": "school_admin", "school_id": there.ours},
                {"role": "region_admin", "region": "阜平县"},
                {"role": "admin"},
                {"role": "teacher", "school_id": there.near},
                {"role": "teacher", "school_id": None},
            ),
            "县管理员": (
                {"role": "region_admin", "region": "阜平县"},
                {"role": "admin", "school_id": there.ours},
                {"role": "teacher", "school_id": there.far},
                {"role": "teacher"},
                {"role": "teacher", "school_id": "nowhere"},
            ),
        }
        for name, bodies in forbidden.items():
            await log_in(client, name)
            for body in bodies:
                response = await client.post("/api/accounts/invitations", json=body)
                assert await problem(response) == (403, "not_allowed"), (name, body)
        await log_in(client, "本校管理员")
        token = await made_link(client, "/api/accounts/invitations", {"role": "teacher"})
        await client.post("/api/link/use", json={"token": token, "name": "新教师", "password": CHOSEN})
        await log_in(client, "本校管理员")
        assert (await seen(client))["新教师"] is True


async def test_an_administrator_without_a_place_keeps_nobody(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        for role in ("school_admin", "region_admin"):
            await add_user(client, role, role)
            await log_in(client, role)
            assert await seen(client) == {role: False}
            path = f"/api/accounts/{there.people['无校教师']}"
            assert await problem(await client.patch(path, json={"disabled": True})) == (403, "not_allowed")
            nowhere = await client.post("/api/accounts/invitations", json={"role": "teacher"})
            assert await problem(nowhere) == (403, "not_allowed")


async def test_a_link_for_a_teachers_password_does_not_outlive_what_the_teacher_was(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        await log_in(client, "本校管理员")
        reset = await made_link(client, f"/api/accounts/{there.people['本校教师']}/link")
        invited = await made_link(client, "/api/accounts/invitations", {"role": "teacher"})
        await log_in(client, "管理员")
        await client.patch(f"/api/accounts/{there.people['本校教师']}", json={"role": "admin"})
        assert await problem(await client.post("/api/link", json={"token": reset})) == (404, "link_unknown")
        assert (await client.post("/api/link", json={"token": invited})).status == 200
        await client.patch(f"/api/accounts/{there.people['本校管理员']}", json={"disabled": True})
        assert await problem(await client.post("/api/link", json={"token": invited})) == (404, "link_unknown")


async def test_a_right_that_is_taken_away_ends_with_the_next_request(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        await log_in(client, "县管理员")
        assert "本校教师" in await seen(client)
        await client.app[SCHOOLS].change(there.ours, "阜平一小", "张北县")
        assert "本校教师" not in await seen(client)
        await client.app[caller.ACCOUNTS].change(
            there.people["县管理员"], place=lambda before: type(before)("teacher", there.near)
        )
        assert await problem(await client.get("/api/accounts")) == (403, "not_allowed")


async def test_the_links_of_one_administrator_are_bounded(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await administrator(client)
        with patch.object(links, "MOST", 1):
            await made_link(client, "/api/accounts/invitations", {"role": "teacher"})
            another = await client.post("/api/accounts/invitations", json={"role": "teacher"})
            assert await problem(another) == (429, "too_many_links")


async def test_what_is_done_to_accounts_is_put_down(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        there = await county(client)
        await log_in(client, "本校管理员")
        mine = f"/api/accounts/{there.people['本校教师']}"
        await client.post("/api/accounts/invitations", json={"role": "teacher", "name": "新教师"})
        await client.patch(mine, json={"role": "researcher"})
        await client.post(f"{mine}/link")
        await client.patch(mine, json={"disabled": True})
        await client.patch(f"/api/accounts/{there.people['外县教师']}", json={"disabled": True})  # refused
        done = [(one.actor, one.action, one.title) for one in await client.app[TRAIL].page(10)]
        assert done == [
            ("本校管理员", "account_closed", "本校教师"),
            ("本校管理员", "password_reset", "本校教师"),
            ("本校管理员", "account_changed", "本校教师"),
            ("本校管理员", "invited", "新教师"),
        ]
