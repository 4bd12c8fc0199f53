"""The server process's application in this process: real database, real files, no workers and no recorder behind it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiohttp import ClientResponse, CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from server import caller
from server.accounts import store
from server.accounts.passwords import hash_password
from server.accounts.roles import AccountRole
from server.accounts.scope import Place
from server.app import build
from server.run_folder import RunFolder
from server.settings import Settings
from signaling.grants import GrantRole

KEY = b"0123456789abcdef" * 4
PASSWORD = "correct horse"
_HASHES: dict[str, str] = {}

Client = TestClient[web.Request, web.Application]


@contextlib.asynccontextmanager
async def running(data: Path, settings: Settings | None = None) -> AsyncIterator[Client]:
    """A client of a server on this data folder, or with these settings."""
    settings = settings or Settings(data=data, workers=1)
    with tempfile.TemporaryDirectory(prefix="tongke-") as folder:
        server = TestServer(build(settings, KEY, RunFolder(Path(folder))))
        async with TestClient(server, cookie_jar=CookieJar(unsafe=True)) as client:
            yield client


def token(client: Client, lesson_id: str, role: GrantRole, **options: Any) -> dict[str, str]:
    """The header of someone with a grant."""
    made, _ = client.app[caller.GRANTS].mint(lesson_id, role, **options)
    return {"Authorization": f"Bearer {made}"}


async def add_user(
    client: Client, name: str, role: AccountRole, *, school_id: str | None = None, region: str = ""
) -> str:
    """An account, in this place if one is named; its id."""
    accounts = client.app[caller.ACCOUNTS]
    with patch.object(store, "hash_password", _hashed):
        made = await accounts.add(name, role, PASSWORD)
    assert made.user_id is not None
    if school_id is not None or region:
        await accounts.change(made.user_id, place=lambda _: Place(role, school_id, region))
    return made.user_id


async def _hashed(password: str) -> str:
    """The hash of the one password tests use: made once, for it is made to be slow."""
    if password not in _HASHES:
        _HASHES[password] = await hash_password(password)
    return _HASHES[password]


async def log_in(client: Client, name: str) -> None:
    """Let the client's cookie jar be this user's."""
    response = await client.post("/api/session", json={"name": name, "password": PASSWORD})
    assert response.status == 200, await response.text()


async def problem(response: ClientResponse) -> tuple[int, str]:
    """Status and code of a problem, which every error must be."""
    assert response.content_type == "application/problem+json", await response.text()
    body = await response.json()
    assert body["status"] == response.status
    assert body["title"]
    return response.status, body["code"]
