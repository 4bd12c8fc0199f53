"""What a class says about being recorded in one lesson, in the next."""

import asyncio
from pathlib import Path
from typing import Any

from server.schools.api import CONSENTS, SCHOOLS
from server.schools.store import KnownClass
from tests.server.application import Client, running, token


async def invited(client: Client) -> tuple[KnownClass, str]:
    """A class, and a lesson it is invited to."""
    school = await client.app[SCHOOLS].add("阜平一小")
    one = await client.app[SCHOOLS].add_class(school.id, "一班")
    return one, await lesson(client, one)


async def lesson(client: Client, one: KnownClass) -> str:
    made = await client.post(
        "/api/lessons",
        json={"title": "草原", "class_group_ids": [one.class_group_id]},
        headers=token(client, "", "admin"),
    )
    lesson_id: str = (await made.json())["lesson_id"]
    return lesson_id


async def in_room(client: Client, lesson_id: str, one: KnownClass | None, given: bool | None = None) -> bool | None:
    """What a class that comes is taken to have said; then it says something else, or nothing."""
    made = token(client, lesson_id, "receiving_class", class_group_id=one.class_group_id if one else None)
    async with client.ws_connect(f"/ws/{lesson_id}") as socket:
        await socket.send_json({"type": "hello", "token": made["Authorization"].split()[1]})
        welcome: dict[str, Any] = await socket.receive_json(timeout=5)
        (own,) = [
            one for one in welcome["snapshot"]["participants"] if one["participant_id"] == welcome["participant_id"]
        ]
        if given is not None:
            await socket.send_json({"type": "consent", "id": 1, "given": given})
            while (await socket.receive_json(timeout=5)).get("re") != 1:
                pass
    known: bool | None = own["consent"]
    return known


async def written(client: Client, one: KnownClass, given: bool) -> None:
    async with asyncio.timeout(5):
        while await client.app[CONSENTS].holds(one.class_group_id) != given:
            await asyncio.sleep(0.01)


async def test_a_class_with_a_code_of_its_own_says_once_a_term_that_it_may_be_recorded(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        one, first = await invited(client)
        assert await in_room(client, first, one, given=True) is None
        await written(client, one, True)
        second = await lesson(client, one)
        assert await in_room(client, second, one, given=False) is True
        await written(client, one, False)
        assert await in_room(client, await lesson(client, one), one) is None


async def test_a_class_that_only_has_the_lessons_code_is_asked_in_each_lesson(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        one, first = await invited(client)
        assert await in_room(client, first, None, given=True) is None
        assert await in_room(client, first, None) is None
        assert not await client.app[CONSENTS].holds(one.class_group_id)
