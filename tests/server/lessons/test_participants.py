"""Who is in a room, asked over REST. That someone publishes stands in tests/server/demo/test_return.py."""

from pathlib import Path

import aiohttp

from tests.server.application import Client, problem, running, token


async def lesson(client: Client) -> str:
    response = await client.post("/api/lessons", json={"title": "草原"}, headers=token(client, "", "admin"))
    return str((await response.json())["lesson_id"])


async def test_a_lesson_nobody_has_entered_has_no_room(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await lesson(client)
        response = await client.get(
            f"/api/lessons/{lesson_id}/participants", headers=token(client, lesson_id, "observer")
        )
        assert await response.json() == {"room": "none", "participants": []}


async def test_who_is_in_the_room_is_listed_until_the_lesson_is_over(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id = await lesson(client)
        path, observer = f"/api/lessons/{lesson_id}/participants", token(client, lesson_id, "observer")
        mine = token(client, lesson_id, "receiving_class", name="阜平一小", participant_id="c-7")
        async with client.ws_connect(f"/ws/{lesson_id}") as socket:
            bearer = mine["Authorization"].removeprefix("Bearer ")
            await socket.send_json({"type": "hello", "token": bearer, "headcount": 43})
            assert (await socket.receive_json())["type"] == "welcome"
            assert await (await client.get(path, headers=observer)).json() == {
                "room": "open",
                "participants": [
                    {
                        "participant_id": "c-7",
                        "role": "receiving_class",
                        "name": "阜平一小",
                        "headcount": 43,
                        "away": False,
                        "publications": [],
                    }
                ],
            }
            await client.post(f"/api/lessons/{lesson_id}/end", headers=token(client, "", "admin"))
            while (await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
        assert (await (await client.get(path, headers=observer)).json())["room"] == "none"


async def test_a_stranger_is_not_told_who_is_in_a_room(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson_id, other = await lesson(client), await lesson(client)
        path = f"/api/lessons/{lesson_id}/participants"
        assert await problem(await client.get(path)) == (401, "login_required")
        foreign = await client.get(path, headers=token(client, other, "lead_teacher"))
        assert await problem(foreign) == (403, "token_foreign")
        unknown = await client.get("/api/lessons/none/participants", headers=token(client, "none", "observer"))
        assert await problem(unknown) == (404, "lesson_unknown")
