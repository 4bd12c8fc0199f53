from pathlib import Path

from tests.server.application import PASSWORD, add_user, log_in, problem, running


async def test_a_user_logs_in_is_known_and_logs_out(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "主讲教师甲", "teacher")
        assert await (await client.get("/api/session")).json() == {"user": None}
        await log_in(client, "主讲教师甲")
        assert await (await client.get("/api/session")).json() == {"user": {"name": "主讲教师甲", "role": "teacher"}}
        await client.delete("/api/session")
        assert await (await client.get("/api/session")).json() == {"user": None}


async def test_logging_out_ends_the_session_and_not_only_the_cookie(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "甲", "teacher")
        response = await client.post("/api/session", json={"name": "甲", "password": PASSWORD})
        stolen = {"Cookie": f"tongke_session={response.cookies['tongke_session'].value}"}
        await client.delete("/api/session")
        assert await (await client.get("/api/session", headers=stolen)).json() == {"user": None}


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "甲", "teacher")
        response = await client.post("/api/session", json={"name": "甲", "password": PASSWORD})
        cookie = response.cookies["tongke_session"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "甲", "teacher")
        wrong = await client.post("/api/session", json={"name": "甲", "password": "wrong password"})
        unknown = await client.post("/api/session", json={"name": "乙", "password": "wrong password"})
        assert await problem(wrong) == (401, "login_wrong")
        assert await wrong.text() == await unknown.text()


async def test_guessing_passwords_has_to_wait(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        for _ in range(10):
            await client.post("/api/session", json={"name": "甲", "password": "wrong password"})
        response = await client.post("/api/session", json={"name": "甲", "password": "wrong password"})
        assert await problem(response) == (429, "too_many_tries")
        assert int(response.headers["Retry-After"]) > 0


async def test_a_page_from_elsewhere_may_not_act_with_our_cookie(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "甲", "teacher")
        await log_in(client, "甲")
        foreign = await client.post(
            "/api/lessons", json={"title": "x"}, headers={"Origin": "https://elsewhere.example"}
        )
        assert await problem(foreign) == (403, "origin_foreign")
        beside = await client.post("/api/lessons", json={"title": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert await problem(beside) == (403, "origin_foreign")
        own = await client.post("/api/lessons", json={"title": "x"}, headers={"Origin": str(client.make_url("/"))[:-1]})
        assert own.status == 201


async def test_passwords_are_kept_as_argon2id_only(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "甲", "teacher")
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("tongke.db*"))
    assert b"$argon2id$" in kept
    assert PASSWORD.encode() not in kept
