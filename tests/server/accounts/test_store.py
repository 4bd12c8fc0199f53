import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from unittest.mock import patch

import pytest

from server.accounts.store import SESSION_TIME, Accounts, NameTakenError
from server.database import create_engine, migrate, now, sessions

PASSWORD = "correct horse"


@pytest.fixture
async def accounts(database: str) -> AsyncIterator[Accounts]:
    engine = create_engine(database)
    try:
        await migrate(engine)
        yield Accounts(sessions(engine))
    finally:
        await engine.dispose()


async def test_a_name_is_given_once_even_to_two_at_once(accounts: Accounts) -> None:
    made = await asyncio.gather(
        *(accounts.add("主讲教师甲", "teacher", PASSWORD) for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(one, NameTakenError) for one in made) == 1
    found = await accounts.find("主讲教师甲")
    assert found is not None
    assert found.role == "teacher"
    assert await accounts.find("教研员甲") is None


async def test_who_has_logged_in_is_known_until_they_log_out(accounts: Accounts) -> None:
    await accounts.add("甲", "teacher", PASSWORD)
    logged_in = await accounts.log_in("甲", PASSWORD)
    assert logged_in is not None
    account, cookie = logged_in
    assert await accounts.by_session(cookie) == account
    await accounts.log_out(cookie)
    assert await accounts.by_session(cookie) is None


async def test_a_wrong_password_opens_nothing(accounts: Accounts) -> None:
    await accounts.add("甲", "teacher", PASSWORD)
    assert await accounts.log_in("甲", "wrong password") is None
    assert await accounts.log_in("乙", PASSWORD) is None


async def test_a_session_ends_by_itself(accounts: Accounts) -> None:
    await accounts.add("甲", "teacher", PASSWORD)
    logged_in = await accounts.log_in("甲", PASSWORD)
    assert logged_in is not None
    with patch("server.accounts.store.now", return_value=now() + SESSION_TIME + timedelta(seconds=1)):
        assert await accounts.by_session(logged_in[1]) is None


async def test_a_new_password_ends_the_sessions_of_the_old_one(accounts: Accounts) -> None:
    await accounts.add("甲", "teacher", PASSWORD)
    logged_in = await accounts.log_in("甲", PASSWORD)
    assert logged_in is not None
    await accounts.set_password("甲", "another horse")
    assert await accounts.by_session(logged_in[1]) is None
    assert await accounts.log_in("甲", PASSWORD) is None
    assert await accounts.log_in("甲", "another horse") is not None


async def test_a_cookie_may_hold_any_bytes(accounts: Accounts) -> None:
    for cookie in ("", "\0", "\udc80", "x" * 100_000):
        assert await accounts.by_session(cookie) is None
