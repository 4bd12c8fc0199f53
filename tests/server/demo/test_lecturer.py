"""The lecturer of the demonstration in a room of a real server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.demo import deck, lecturer
from server.demo.lecturer import Lecturer, Moment
from tests.server.application import Client, running, token
from tests.server.lessons.test_api import new_lesson
from tests.support.browser import eventually


class Seat:
    """Somebody in the room."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    async def event(self, kind: str) -> dict[str, Any]:
        while True:
            said: dict[str, Any] = await self._socket.receive_json()
            if said.get("kind") == kind:
                return said

    async def say(self, **message: Any) -> None:
        await self._socket.send_json(message)


def bearer(client: Client, lesson_id: str, **options: Any) -> str:
    return token(client, lesson_id, "lead_teacher", **options)["Authorization"].removeprefix("Bearer ")


async def test_the_lecturer_turns_pages_until_a_teacher_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def back_and_forth(slides_id: str, _: deck.Deck) -> Iterator[Moment]:
        for page in (1, 2):
            yield Moment(0.01, {"type": "page_turned", "surface": f"{slides_id}/{page}"})

    monkeypatch.setattr(lecturer, "script", back_and_forth)
    async with running(tmp_path) as client:
        lesson_id = (await new_lesson(client))["lesson_id"]
        async with client.ws_connect(f"/ws/{lesson_id}") as socket:
            teacher = Seat(socket)
            await teacher.say(type="hello", token=bearer(client, lesson_id))
            here = str(client.make_url("")).rstrip("/")
            one = Lecturer(here, lesson_id, bearer(client, lesson_id, participant_id="t-demo"))
            lecture = asyncio.create_task(one.run(deck.GRASSLAND))
            added = (await teacher.event("slides_added"))["payload"]
            assert (added["title"], added["pages"]) == ("草原", 4)
            turned = [await teacher.event("page_turned") for _ in range(2)]
            assert {one["actor"] for one in turned} == {"t-demo"}
            await teacher.say(type="page_turned", surface="board/1")
            await eventually("it has heard that", lambda: _true(one._yields_until > 0))
            for _ in range(4):  # one who went on would be heard between these
                await asyncio.sleep(0.05)
                await teacher.say(type="shown", source="whiteboard", layout="content")
                await teacher.say(type="shown", source="camera", layout="portrait")
            shown = [(await teacher.event("shown"))["seq"] for _ in range(8)][2:]  # after what was on its way
            assert shown == list(range(shown[0], shown[0] + 6))
            lecture.cancel()
            await asyncio.gather(lecture, return_exceptions=True)


async def _true(what: bool) -> bool:
    return what
