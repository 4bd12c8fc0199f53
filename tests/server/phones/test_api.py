"""A local teacher's phone from the ticket on the class's screen to the photo before everybody."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.phones import api
from server.phones.photos import allowed
from server.phones.tickets import Tickets
from signaling.events import Consent, Event, Joined, Photo, Recording
from tests.server.application import Client, add_user, log_in, problem, running, token
from tests.server.phones.test_pictures import drawn


class Seat:
    """Someone in the room."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, welcome: dict[str, Any]) -> None:
        self.socket = socket
        self.welcome = welcome
        self.id = welcome["participant_id"]
        self.heard: list[dict[str, Any]] = []

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """What is answered; events that come before it are kept."""
        await self.socket.send_json({"type": kind, "id": 1, **fields})
        while True:
            message = await self.socket.receive_json(timeout=5)
            if message.get("re") == 1:
                answer: dict[str, Any] = message
                return answer
            self.heard.append(message)

    async def event(self, kind: str) -> dict[str, Any]:
        while True:
            for message in self.heard:
                if message.get("kind") == kind:
                    told: dict[str, Any] = message["payload"] | {"actor": message["actor"]}
                    return told
            self.heard.append(await self.socket.receive_json(timeout=5))

    async def kinds(self) -> list[str]:
        """Of all events so far: what is said later than this comes behind the answer."""
        await self.ask("ping")
        return [message["kind"] for message in self.heard if message["type"] == "event"]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path) as client:
        await add_user(client, "teacher", "teacher")
        await log_in(client, "teacher")
        yield client


async def lesson(client: Client) -> str:
    response = await client.post("/api/lessons", json={"title": "分数的初步认识"})
    return str((await response.json())["lesson_id"])


async def enter(client: Client, lesson_id: str, bearer: dict[str, str], name: str = "") -> Seat:
    socket = await client.ws_connect(f"/ws/{lesson_id}")
    await socket.send_json({"type": "hello", "token": bearer["Authorization"].removeprefix("Bearer "), "name": name})
    return Seat(socket, await socket.receive_json(timeout=5))


async def seat(client: Client, lesson_id: str, role: Any, name: str = "") -> Seat:
    return await enter(client, lesson_id, token(client, lesson_id, role), name)


async def ticket(client: Client, lesson_id: str, pupils: Seat) -> dict[str, Any]:
    response = await client.post(f"/api/lessons/{lesson_id}/phones", json={"session": pupils.welcome["session"]})
    assert response.status == 201, await response.text()
    return dict(await response.json())


async def bring(client: Client, path: str) -> dict[str, str]:
    """The phone's grant, as a header."""
    response = await client.post("/api/phone/enter", json={"ticket": path.partition("#")[2]})
    assert response.status == 200, await response.text()
    return {"Authorization": f"Bearer {(await response.json())['token']}"}


async def send(client: Client, lesson_id: str, bearer: dict[str, str], data: bytes) -> aiohttp.ClientResponse:
    return await client.post(
        f"/api/lessons/{lesson_id}/photos", data=data, headers={**bearer, "Content-Type": "image/jpeg"}
    )


async def test_a_phone_joins_its_class_by_the_code_on_its_screen_and_speaks_for_it(client: Client) -> None:
    lesson_id = await lesson(client)
    teacher = await seat(client, lesson_id, "lead_teacher", "主讲教师甲")
    pupils = await seat(client, lesson_id, "receiving_class", "六(2)班")
    shown = await ticket(client, lesson_id, pupils)
    assert shown["path"].startswith(f"/phone/{lesson_id}#")
    assert shown["qr"].startswith("<svg")

    phone = await enter(client, lesson_id, await bring(client, shown["path"]))
    assert (phone.welcome["role"], phone.welcome["rights"]) == (
        "local_teacher",
        ["hand", "chat", "mark", "signal", "private", "photo"],
    )
    assert (await phone.ask("hand", raised=True))["type"] == "done"
    assert await teacher.event("hand") == {"raised": True, "actor": pupils.id}
    assert (await phone.ask("signal", signal="unclear"))["type"] == "done"
    assert await teacher.event("signal") == {"participant_id": pupils.id, "signal": "unclear", "actor": pupils.id}


async def test_a_ticket_lets_in_one_phone_and_the_next_ticket_ends_it(client: Client) -> None:
    lesson_id = await lesson(client)
    pupils = await seat(client, lesson_id, "receiving_class")
    first = await ticket(client, lesson_id, pupils)
    second = await ticket(client, lesson_id, pupils)
    used = {"ticket": second["path"].partition("#")[2]}
    assert (await client.post("/api/phone/enter", json=used)).status == 200
    for gone in (used, {"ticket": first["path"].partition("#")[2]}, {"ticket": "guessed"}):
        assert await problem(await client.post("/api/phone/enter", json=gone)) == (404, "ticket_unknown")


async def test_the_code_of_a_class_that_was_sent_out_lets_no_phone_in(client: Client) -> None:
    lesson_id = await lesson(client)
    teacher = await seat(client, lesson_id, "lead_teacher")
    pupils = await enter(client, lesson_id, token(client, lesson_id, "receiving_class", device="d1"))
    before = await bring(client, (await ticket(client, lesson_id, pupils))["path"])
    shown = await ticket(client, lesson_id, pupils)
    assert (await teacher.ask("remove", participant_id=pupils.id))["type"] == "done"
    late = await client.post("/api/phone/enter", json={"ticket": shown["path"].partition("#")[2]})
    assert await problem(late) == (403, "removed")
    socket = await client.ws_connect(f"/ws/{lesson_id}")
    await socket.send_json({"type": "hello", "token": before["Authorization"].removeprefix("Bearer ")})
    assert (await socket.receive_json(timeout=5))["code"] == "removed"
    assert await problem(await client.get(f"/api/lessons/{lesson_id}/handouts", headers=before)) == (403, "removed")


async def test_who_guesses_tickets_has_to_wait(client: Client) -> None:
    answers = [await client.post("/api/phone/enter", json={"ticket": f"guess-{n}"}) for n in range(11)]
    assert await problem(answers[-1]) == (429, "too_many_tries")


@pytest.mark.parametrize("role", ["lead_teacher", "observer"])
async def test_only_a_class_gets_a_ticket_and_only_for_itself(client: Client, role: str) -> None:
    lesson_id = await lesson(client)
    other = await seat(client, lesson_id, role)
    for session in (other.welcome["session"], "made up", other.id):
        response = await client.post(f"/api/lessons/{lesson_id}/phones", json={"session": session})
        assert await problem(response) == (403, "not_allowed")


async def test_a_class_has_only_so_many_phones(client: Client) -> None:
    lesson_id = await lesson(client)
    pupils = await seat(client, lesson_id, "receiving_class")
    for _ in range(api.MAX_PHONES):
        await enter(client, lesson_id, await bring(client, (await ticket(client, lesson_id, pupils))["path"]))
    response = await client.post(f"/api/lessons/{lesson_id}/phones", json={"session": pupils.welcome["session"]})
    assert await problem(response) == (409, "too_many_phones")


async def test_a_photo_goes_to_the_teacher_and_when_it_is_shown_to_everybody(client: Client) -> None:
    lesson_id = await lesson(client)
    teacher = await seat(client, lesson_id, "lead_teacher")
    pupils = await seat(client, lesson_id, "receiving_class", "六(2)班")
    others = await seat(client, lesson_id, "receiving_class", "六(1)班")
    bearer = await bring(client, (await ticket(client, lesson_id, pupils))["path"])
    await enter(client, lesson_id, bearer)

    response = await send(client, lesson_id, bearer, drawn(640, 480))
    assert response.status == 201, await response.text()
    photo_id = (await response.json())["photo_id"]
    told = {"participant_id": pupils.id, "photo_id": photo_id, "actor": pupils.id}
    assert await teacher.event("photo") == told
    assert await pupils.event("photo") == told

    assert (await teacher.ask("photo_shown", photo_id=photo_id))["type"] == "done"
    assert (await others.event("photo_shown"))["photo_id"] == photo_id
    assert "photo" not in await others.kinds()

    address = f"/api/lessons/{lesson_id}/photos/{photo_id}"
    seen = await client.get(address, headers=token(client, lesson_id, "receiving_class"))
    assert (seen.status, seen.content_type) == (200, "image/jpeg")
    assert (await seen.read()).startswith(b"\xff\xd8\xff")
    foreign = await client.get(address, headers=token(client, "another", "receiving_class"))
    assert await problem(foreign) == (403, "token_foreign")
    for wrong in ("A" * 22, "..%2f..%2ftongke.db"):
        response = await client.get(address.replace(photo_id, wrong), headers=token(client, lesson_id, "observer"))
        assert response.status == 404


async def test_a_photo_too_large_or_of_a_false_type_is_refused_and_nothing_is_kept(
    client: Client, tmp_path: Path
) -> None:
    lesson_id = await lesson(client)
    pupils = await seat(client, lesson_id, "receiving_class")
    bearer = await bring(client, (await ticket(client, lesson_id, pupils))["path"])
    await enter(client, lesson_id, bearer)
    assert await problem(await send(client, lesson_id, bearer, bytes(50_000_000))) == (413, "photo_too_large")
    assert await problem(await send(client, lesson_id, bearer, b"<script>alert(1)</script>")) == (
        415,
        "photo_malformed",
    )
    assert not (tmp_path / "photos").exists()


async def test_a_photo_of_unknown_length_is_cut_off_where_it_is_too_large(client: Client) -> None:
    lesson_id = await lesson(client)
    pupils = await seat(client, lesson_id, "receiving_class")
    bearer = await bring(client, (await ticket(client, lesson_id, pupils))["path"])
    await enter(client, lesson_id, bearer)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(14):
            yield bytes(1024 * 1024)

    try:
        response = await client.post(
            f"/api/lessons/{lesson_id}/photos", data=pieces(), headers={**bearer, "Content-Type": "image/jpeg"}
        )
    except aiohttp.ClientConnectionError:
        return  # it was cut off while it was still sending
    assert await problem(response) == (413, "photo_too_large")


async def test_photos_come_from_phones_that_are_here_and_from_nobody_else(client: Client) -> None:
    lesson_id = await lesson(client)
    pupils = await seat(client, lesson_id, "receiving_class")
    for role in ("receiving_class", "observer", "lead_teacher"):
        response = await send(client, lesson_id, token(client, lesson_id, role), drawn(64, 64))
        assert await problem(response) == (403, "not_allowed")
    stranger = token(client, lesson_id, "local_teacher", participant_id="l-forged", class_id=pupils.id)
    assert await problem(await send(client, lesson_id, stranger, drawn(64, 64))) == (403, "unknown_participant")


async def test_after_the_lesson_photos_of_a_class_that_is_not_recorded_are_gone(client: Client, tmp_path: Path) -> None:
    lesson_id = await lesson(client)
    teacher = await seat(client, lesson_id, "lead_teacher")
    sent = {}
    for given in (True, False):
        pupils = await seat(client, lesson_id, "receiving_class")
        await pupils.ask("consent", given=given)
        bearer = await bring(client, (await ticket(client, lesson_id, pupils))["path"])
        await enter(client, lesson_id, bearer)
        sent[given] = (await (await send(client, lesson_id, bearer, drawn(64, 64))).json())["photo_id"]
    await teacher.socket.send_json({"type": "end"})
    kept = tmp_path / "photos" / lesson_id
    while len(list(kept.iterdir())) > 1:
        await asyncio.sleep(0.02)
    assert [path.stem for path in kept.iterdir()] == [sent[True]]


def test_photos_sent_while_recording_is_paused_do_not_stay() -> None:
    events = [
        Event(1, 0, "c", Joined("c", "receiving_class", "六(2)班", 40)),
        Event(2, 0, "c", Consent("c", True, "六(2)班", 40)),
        Event(3, 0, "c", Photo("c", "before")),
        Event(4, 0, "t", Recording("paused", None)),
        Event(5, 0, "c", Photo("c", "meanwhile")),
    ]
    assert allowed(events, "consented") == {"before"}
    assert allowed(events, "nothing") == set()


def test_a_ticket_says_nothing_of_whom_it_is_for() -> None:
    tickets = Tickets()
    key = tickets.issue("lesson", "c-1", now=0.0)
    assert re.fullmatch(r"[A-Za-z0-9_-]{24}", key)
    assert tickets.redeem(key, now=600.0) is None
