from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from server.accounts import links
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
