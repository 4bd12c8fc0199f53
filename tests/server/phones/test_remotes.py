"""手机遥控: the teacher's phone from the code in the studio to the end of the lesson."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from aiohttp.test_utils import TestClient

from server.phones import remotes
from tests.server.application import Client, add_user, log_in, problem, running, token
from tests.server.phones.test_api import Seat, enter, lesson, seat


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path) as client:
        await add_user(client, "teacher", "teacher")
        await log_in(client, "teacher")
        yield client


@pytest.fixture
async def phone(client: Client) -> AsyncIterator[Client]:
    """A browser of its own, before the same server."""
    async with _browser(client, aiohttp.CookieJar(unsafe=True)) as phone:
        yield phone


async def ticket(client: Client, lesson_id: str, teacher: Seat) -> str:
    response = await client.post(f"/api/lessons/{lesson_id}/remotes", json={"session": teacher.welcome["session"]})
    assert response.status == 201, await response.text()
    shown = await response.json()
    assert shown["qr"].startswith("<svg")
    path, _, made = str(shown["path"]).partition("#")
    assert path == f"/remote/{lesson_id}"
    return made


async def come(phone: Client, lesson_id: str, made: str = "") -> aiohttp.ClientResponse:
    return await phone.post("/api/remote/enter", json={"lesson_id": lesson_id, "ticket": made})


async def bearer(phone: Client, lesson_id: str, made: str = "") -> dict[str, str]:
    response = await come(phone, lesson_id, made)
    assert response.status == 200, await response.text()
    return {"Authorization": f"Bearer {(await response.json())['token']}"}


async def remote(client: Client, phone: Client, lesson_id: str, teacher: Seat) -> Seat:
    return await enter(client, lesson_id, await bearer(phone, lesson_id, await ticket(client, lesson_id, teacher)))


async def test_a_phone_becomes_a_remote_control_by_the_code_and_returns_by_its_cookie(
    client: Client, phone: Client
) -> None:
    lesson_id = await lesson(client)
    teacher = await seat(client, lesson_id, "lead_teacher", "主讲教师甲")
    made = await ticket(client, lesson_id, teacher)
    response = await come(phone, lesson_id, made)
    cookies = SimpleCookie()
    for header in response.headers.getall("Set-Cookie"):
        cookies.load(header)
    (cookie,) = cookies.values()
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    first = await enter(client, lesson_id, {"Authorization": f"Bearer {(await response.json())['token']}"})
    assert first.welcome["role"] == "remote_control"
    assert first.welcome["rights"] == ["floor", "mark", "stage", "turn_pages"]
    told = await teacher.event("joined")
    assert (told["name"], told["class_id"]) == ("主讲教师甲", teacher.id)
    again = await enter(client, lesson_id, await bearer(phone, lesson_id))
    assert again.id == first.id
    # What it gets by its cookie brings it no cookie anew, and the code nobody else.
    assert await problem(await come(client, lesson_id, made)) == (404, "ticket_unknown")
    assert await problem(await come(client, lesson_id)) == (401, "remote_missing")


async def test_it_calls_a_class_takes_the_floor_back_and_marks(client: Client, phone: Client) -> None:
    lesson_id = await lesson(client)
    teacher = await seat(client, lesson_id, "lead_teacher", "主讲教师甲")
    pupils = await seat(client, lesson_id, "receiving_class", "六(2)班")
    control = await remote(client, phone, lesson_id, teacher)
    assert (await control.ask("floor", participant_id=pupils.id, granted=True))["type"] == "done"
    assert await pupils.event("floor") == {"participant_id": pupils.id, "granted": True, "actor": control.id}
    assert (await control.ask("mark", label=""))["type"] == "done"
    assert (await teacher.event("mark"))["actor"] == control.id
    for forbidden in ({"kind": "end"}, {"kind": "chat", "text": "好"}, {"kind": "lock", "locked": True}):
        answer = await control.ask(**forbidden)
        assert (answer["type"], answer["code"]) == ("error", "not_allowed")


async def test_its_grant_opens_nothing_but_the_room(client: Client, phone: Client) -> None:
    lesson_id = await lesson(client)
    teacher = await seat(client, lesson_id, "lead_teacher")
    grant = await bearer(phone, lesson_id, await ticket(client, lesson_id, teacher))
    one = f"/api/lessons/{lesson_id}"
    for path in ("/api/lessons", one, *(f"{one}/{rest}" for rest in ("participants", "recording", "qr", "photos/x"))):
        assert (await phone.get(path, headers=grant)).status == 403, path
    assert (await phone.get(f"/archive/{lesson_id}/events.jsonl", headers=grant)).status == 403
    ended = await phone.post(f"/api/lessons/{lesson_id}/end", headers=grant)
    assert await problem(ended) == (403, "not_allowed")
    # Its cookie is for its own door.
    assert (await phone.get(f"/api/lessons/{lesson_id}")).status == 401
    assert (await phone.get(f"/archive/{lesson_id}/events.jsonl")).status == 401


async def test_whom_the_teacher_disconnects_does_not_come_back_with_cookie_or_token(
    client: Client, phone: Client
) -> None:
    lesson_id = await lesson(client)
    teacher = await seat(client, lesson_id, "lead_teacher")
    grant = await bearer(phone, lesson_id, await ticket(client, lesson_id, teacher))
    control = await enter(client, lesson_id, grant)
    assert (await teacher.ask("remove", participant_id=control.id))["type"] == "done"
    assert await problem(await come(phone, lesson_id)) == (403, "removed")
    assert (await _hello(client, lesson_id, grant))["code"] == "removed"


async def test_a_server_that_was_restarted_knows_whom_it_let_in_and_whom_a_teacher_disconnected(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "teacher", "teacher")
        await log_in(client, "teacher")
        lesson_id = await lesson(client)
        teacher = await seat(client, lesson_id, "lead_teacher")
        jars, controls = [], []
        for _ in range(2):
            jars.append(aiohttp.CookieJar(unsafe=True))
            async with _browser(client, jars[-1]) as phone:
                controls.append(await remote(client, phone, lesson_id, teacher))
        await teacher.ask("remove", participant_id=controls[0].id)
    async with running(tmp_path) as client, _browser(client, jars[0]) as gone, _browser(client, jars[1]) as kept:
        assert await problem(await come(gone, lesson_id)) == (403, "removed")
        again = await enter(client, lesson_id, await bearer(kept, lesson_id))
        assert again.id == controls[1].id


async def test_with_the_lesson_it_is_over_for_the_phone(client: Client, phone: Client) -> None:
    lesson_id = await lesson(client)
    teacher = await seat(client, lesson_id, "lead_teacher")
    await remote(client, phone, lesson_id, teacher)
    assert (await client.post(f"/api/lessons/{lesson_id}/end")).status == 200
    assert await problem(await come(phone, lesson_id)) == (410, "lesson_ended")


async def test_a_code_and_a_cookie_are_for_one_lesson(client: Client, phone: Client) -> None:
    lesson_id, other = await lesson(client), await lesson(client)
    teacher = await seat(client, lesson_id, "lead_teacher")
    await remote(client, phone, lesson_id, teacher)
    assert await problem(await come(phone, other)) == (401, "remote_missing")
    made = await ticket(client, lesson_id, teacher)
    assert await problem(await come(phone, other, made)) == (404, "ticket_unknown")


@pytest.mark.parametrize("role", ["receiving_class", "local_teacher", "observer", "remote_control"])
async def test_only_a_teacher_gets_a_code_for_a_remote_control(client: Client, role: Any) -> None:
    lesson_id = await lesson(client)
    other = await seat(client, lesson_id, role)
    for session in (other.welcome["session"], "made up", other.id):
        response = await client.post(f"/api/lessons/{lesson_id}/remotes", json={"session": session})
        assert await problem(response) == (403, "not_allowed")


async def test_a_teacher_has_only_so_many_remote_controls(client: Client, phone: Client) -> None:
    lesson_id = await lesson(client)
    teacher = await seat(client, lesson_id, "co_teacher")
    for _ in range(remotes.MAX_REMOTES):
        await remote(client, phone, lesson_id, teacher)
    response = await client.post(f"/api/lessons/{lesson_id}/remotes", json={"session": teacher.welcome["session"]})
    assert await problem(response) == (409, "too_many_phones")


async def test_who_guesses_codes_of_remote_controls_has_to_wait(client: Client) -> None:
    answers = [await come(client, "lesson", f"guess-{number}") for number in range(11)]
    assert await problem(answers[-1]) == (429, "too_many_tries")


async def test_a_cookie_somebody_made_up_opens_nothing(client: Client, phone: Client) -> None:
    lesson_id = await lesson(client)
    made = token(client, lesson_id, "remote_control", participant_id="r-forged")["Authorization"].split()[1]
    phone.session.cookie_jar.update_cookies({"tongke_remote": made}, phone.make_url("/"))
    assert await problem(await come(phone, lesson_id)) == (401, "remote_missing")


async def _hello(client: Client, lesson_id: str, grant: dict[str, str]) -> dict[str, Any]:
    socket = await client.ws_connect(f"/ws/{lesson_id}")
    await socket.send_json({"type": "hello", "token": grant["Authorization"].removeprefix("Bearer ")})
    answer: dict[str, Any] = await socket.receive_json(timeout=5)
    return answer


@contextlib.asynccontextmanager
async def _browser(client: Client, jar: aiohttp.CookieJar) -> AsyncIterator[Client]:
    made = cast(Client, TestClient(client.server, cookie_jar=jar))
    yield made
    await made.session.close()
