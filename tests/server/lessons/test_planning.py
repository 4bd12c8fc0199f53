"""Changing a planned lesson, also while somebody waits in its room."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse

from server.lessons.api import ROOMS
from signaling.grants import GrantRole
from tests.server.application import Client, problem, running, token
from tests.server.lessons.test_api import own_lesson


async def waiting(client: Client, lesson_id: str, role: GrantRole = "receiving_class") -> ClientWebSocketResponse:
    """Somebody in the room of a lesson that has not begun."""
    socket = await client.ws_connect(f"/ws/{lesson_id}")
    grant = token(client, lesson_id, role)["Authorization"].split()[1]
    await socket.send_json({"type": "hello", "token": grant})
    assert (await socket.receive_json(timeout=5))["type"] == "welcome"
    return socket


async def planned(socket: ClientWebSocketResponse) -> dict[str, Any]:
    while True:
        message = await socket.receive_json(timeout=5)
        if message.get("kind") == "planned":
            payload: dict[str, Any] = message["payload"]
            return payload


async def test_name_and_policy_of_a_planned_lesson_are_changed(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        path = f"/api/lessons/{made['lesson_id']}"
        wanted = {"title": " 草原(第2课时) ", "recording_policy": "teacher_only"}
        changed = await (await client.patch(path, json=wanted)).json()
        assert (changed["title"], changed["recording_policy"]) == ("草原(第2课时)", "teacher_only")
        assert changed["kind"] == made["kind"]
        for wrong in ({"title": ""}, {"title": None}, {"title": "x" * 201}, {"recording_policy": "some"}, {}):
            assert await problem(await client.patch(path, json=wrong)) == (422, "field_invalid")


async def test_who_waits_in_the_room_is_told_at_once_and_who_comes_later_by_its_welcome(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        socket = await waiting(client, made["lesson_id"])
        path = f"/api/lessons/{made['lesson_id']}"
        wanted = {"title": "草原(第2课时)", "recording_policy": "nothing"}
        assert (await client.patch(path, json=wanted)).status == 200
        assert await planned(socket) == wanted
        late = await client.ws_connect(f"/ws/{made['lesson_id']}")
        lead = token(client, made["lesson_id"], "lead_teacher")["Authorization"].split()[1]
        await late.send_json({"type": "hello", "token": lead})
        welcome = await late.receive_json(timeout=5)
        assert (welcome["title"], welcome["recording_policy"]) == ("草原(第2课时)", "nothing")


async def test_a_lesson_that_has_begun_stays_as_it_was_planned(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        socket = await waiting(client, made["lesson_id"], "lead_teacher")
        await socket.send_json({"type": "start"})
        while (await socket.receive_json(timeout=5)).get("kind") != "started":
            pass
        room = client.app[ROOMS].find(made["lesson_id"])
        assert room is not None
        path = f"/api/lessons/{made['lesson_id']}"
        assert await problem(await client.patch(path, json={"title": "x"})) == (409, "lesson_begun")
        assert (await (await client.get(path)).json())["title"] == "草原"
        assert (room.title, room.room.policy) == ("草原", "consented")


async def test_a_rehearsal_is_never_recorded_whatever_is_asked(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client, rehearsal=True)
        path = f"/api/lessons/{made['lesson_id']}"
        changed = await (await client.patch(path, json={"recording_policy": "all", "title": "试讲二"})).json()
        assert (changed["title"], changed["recording_policy"]) == ("试讲二", "nothing")


@pytest.mark.parametrize("role", ["co_teacher", "receiving_class", "observer"])
async def test_nobody_else_changes_a_lesson(tmp_path: Path, role: Any) -> None:
    async with running(tmp_path) as client:
        made = await own_lesson(client)
        headers = token(client, made["lesson_id"], role)
        response = await client.patch(f"/api/lessons/{made['lesson_id']}", json={"title": "x"}, headers=headers)
        assert await problem(response) == (403, "not_allowed")
