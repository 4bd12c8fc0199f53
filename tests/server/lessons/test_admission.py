"""Who gets into a lesson over HTTP and WebSocket: invited classes, all others, second devices, who was sent out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, CookieJar

from server import caller
from tests.server.application import PASSWORD, Client, problem, running, token
from tests.server.handouts.test_api import PDF
from tests.server.lessons.test_entering import administered, lesson


class Browser:
    """A class's browser: cookies of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.session = ClientSession(cookie_jar=CookieJar(unsafe=True))

    async def post(self, path: str, body: dict[str, Any]) -> aiohttp.ClientResponse:
        return await self.session.post(self._client.make_url(path), json=body)

    async def enter(self, **body: object) -> dict[str, Any]:
        response = await self.post("/api/class/enter", body)
        assert response.status == 200, await response.text()
        entered: dict[str, Any] = await response.json()
        return entered

    async def hello(self, entered: dict[str, Any], **more: object) -> tuple[ClientWebSocketResponse, dict[str, Any]]:
        """The socket, and the first word of the server that says how the room takes it."""
        socket = await self.session.ws_connect(self._client.make_url(f"/ws/{entered['lesson_id']}"))
        await socket.send_json({"type": "hello", "token": entered["token"], **more})
        return socket, await socket.receive_json(timeout=5)


@contextlib.asynccontextmanager
async def browsers(client: Client, number: int) -> AsyncIterator[list[Browser]]:
    made = [Browser(client) for _ in range(number)]
    try:
        yield made
    finally:
        await asyncio.gather(*(one.session.close() for one in made))


async def teacher(client: Client, lesson_id: str) -> ClientWebSocketResponse:
    socket = await client.ws_connect(f"/ws/{lesson_id}")
    lead = token(client, lesson_id, "lead_teacher")["Authorization"].split()[1]
    await socket.send_json({"type": "hello", "token": lead})
    assert (await socket.receive_json(timeout=5))["type"] == "welcome"
    return socket


async def told(socket: ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The payload of the next event of this kind."""
    while True:
        message = await socket.receive_json(timeout=5)
        if message.get("kind") == kind:
            payload: dict[str, Any] = message["payload"]
            return payload


async def test_an_invited_class_is_in_at_once_and_another_sees_nothing_until_it_is_let_in(tmp_path: Path) -> None:
    async with running(tmp_path) as client, browsers(client, 2) as (invited, stranger):
        one = await administered(client)
        made = await lesson(client, class_group_ids=[one["class_group_id"]])
        desk = await teacher(client, made["lesson_id"])
        _, welcome = await invited.hello(await invited.enter(code=one["code"]))
        assert [who["waiting"] for who in welcome["snapshot"]["participants"]] == [False, False]

        entered = await stranger.enter(code=made["class_code"], name="张北实验")
        assert entered["waits"]
        socket, welcome = await stranger.hello(entered)
        (alone,) = welcome["snapshot"]["participants"]
        assert (welcome["seq"], alone["participant_id"], alone["waiting"]) == (0, welcome["participant_id"], True)
        await desk.send_json({"type": "chat", "text": "大家好"})
        await socket.send_json({"type": "offer", "id": 7, "direction": "receive", "sdp": "v=0", "generation": 1})
        refused = await socket.receive_json(timeout=5)
        assert (refused["type"], refused["code"]) == ("error", "not_admitted")
        bearer = {"Authorization": f"Bearer {entered['token']}"}
        for path in ("", "/participants", "/recording"):
            response = await client.get(f"/api/lessons/{made['lesson_id']}{path}", headers=bearer)
            assert await problem(response) == (403, "not_admitted")
        assert (await client.get(f"/archive/{made['lesson_id']}/events.jsonl", headers=bearer)).status in (401, 403)
        whep = await client.post(
            f"/whep/{made['lesson_id']}", data="v=0", headers={**bearer, "Content-Type": "application/sdp"}
        )
        assert await problem(whep) == (403, "not_admitted")

        await desk.send_json({"type": "admit", "participant_id": welcome["participant_id"]})
        welcome = await socket.receive_json(timeout=5)
        assert welcome["type"] == "welcome"
        assert len(welcome["snapshot"]["participants"]) == 3
        assert [line["text"] for line in welcome["snapshot"]["chat"]] == ["大家好"]
        await desk.send_json({"type": "chat", "text": "欢迎"})
        assert (await told(socket, "chat"))["text"] == "欢迎"
        again = await stranger.enter(lesson_id=made["lesson_id"])
        assert not again["waits"]


async def test_a_class_that_was_let_in_while_it_was_away_hears_everything_when_it_is_back(tmp_path: Path) -> None:
    async with running(tmp_path) as client, browsers(client, 1) as (stranger,):
        one = await administered(client)
        made = await lesson(client, class_group_ids=[one["class_group_id"]])
        desk = await teacher(client, made["lesson_id"])
        entered = await stranger.enter(code=made["class_code"])
        socket, welcome = await stranger.hello(entered)
        await socket.close()
        await told(desk, "away")
        await desk.send_json({"type": "admit", "participant_id": welcome["participant_id"]})
        await told(desk, "admission")
        socket, welcome = await stranger.hello(entered, resume={"session": welcome["session"], "seq": 0})
        assert welcome["resumed"]
        assert (await told(socket, "joined"))["role"] == "lead_teacher"


async def test_a_lesson_that_invites_nobody_is_open_to_its_code_until_somebody_is_sent_out(tmp_path: Path) -> None:
    async with running(tmp_path) as client, browsers(client, 3) as (first, wiped, other):
        await administered(client)
        made = await lesson(client)
        desk = await teacher(client, made["lesson_id"])
        entered = await first.enter(code=made["class_code"])
        socket, welcome = await first.hello(entered)
        assert not entered["waits"]
        await desk.send_json({"type": "remove", "participant_id": welcome["participant_id"]})
        assert (await told(socket, "left"))["reason"] == "removed"
        _, refused = await first.hello(entered)
        assert (refused["type"], refused["code"]) == ("error", "removed")
        assert await problem(await first.post("/api/class/enter", {"code": made["class_code"]})) == (403, "removed")
        entered = await wiped.enter(code=made["class_code"])
        assert entered["waits"]
        _, welcome = await wiped.hello(entered)
        assert welcome["snapshot"]["participants"][0]["waiting"]
        await desk.send_json({"type": "lock", "locked": True})
        await told(desk, "locked")
        assert await problem(await other.post("/api/class/enter", {"code": made["class_code"]})) == (403, "locked")


async def end(desk: ClientWebSocketResponse) -> None:
    """End the lesson, and wait until the room has."""
    await desk.send_json({"type": "end"})
    while (await desk.receive()).type is aiohttp.WSMsgType.TEXT:
        pass


async def reads(client: Client, entered: dict[str, Any], path: str) -> tuple[int, str]:
    """What a class that shows the grant it came with is answered."""
    bearer = {"Authorization": f"Bearer {entered['token']}"}
    response = await client.get(path.format(entered["lesson_id"]), headers=bearer)
    return await problem(response) if response.status >= 400 else (response.status, "")


PARTS = ("/api/lessons/{}/handouts", "/api/lessons/{}/photos/" + 22 * "A", "/archive/{}/live.m3u8")


async def test_who_was_sent_out_reads_nothing_more_of_the_lesson_nor_of_it_when_it_is_over(tmp_path: Path) -> None:
    async with running(tmp_path) as client, browsers(client, 1) as (first,):
        await administered(client)
        made = await lesson(client)
        desk = await teacher(client, made["lesson_id"])
        entered = await first.enter(code=made["class_code"])
        _, welcome = await first.hello(entered)
        client.session.cookie_jar.clear()
        answers = [await reads(client, entered, path) for path in PARTS]
        assert answers == [(200, ""), (404, "photo_unknown"), (404, "file_unknown")]
        await desk.send_json({"type": "remove", "participant_id": welcome["participant_id"]})
        await told(desk, "left")
        assert [await reads(client, entered, path) for path in PARTS] == [(403, "removed")] * 3
        await end(desk)
        assert [await reads(client, entered, path) for path in PARTS] == [(403, "removed")] * 3


async def test_who_waits_at_the_door_reads_nothing_and_everything_once_it_is_let_in(tmp_path: Path) -> None:
    async with running(tmp_path) as client, browsers(client, 1) as (stranger,):
        one = await administered(client)
        made = await lesson(client, class_group_ids=[one["class_group_id"]])
        desk = await teacher(client, made["lesson_id"])
        entered = await stranger.enter(code=made["class_code"])
        client.session.cookie_jar.clear()
        assert [await reads(client, entered, path) for path in PARTS] == [(403, "not_admitted")] * 3
        _, welcome = await stranger.hello(entered)
        await desk.send_json({"type": "admit", "participant_id": welcome["participant_id"]})
        await told(desk, "admission")
        inside = [(200, ""), (404, "photo_unknown"), (404, "file_unknown")]
        assert [await reads(client, entered, path) for path in PARTS] == inside
        await end(desk)
        assert [await reads(client, entered, path) for path in PARTS] == inside


async def test_the_cookies_of_a_class_that_was_sent_out_open_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as client, browsers(client, 1) as (first,):
        await administered(client)
        made = await lesson(client)
        desk = await teacher(client, made["lesson_id"])
        handout = await client.post(f"/api/lessons/{made['lesson_id']}/handouts?name=x", data=PDF)
        assert handout.status == 201
        entered = await first.enter(code=made["class_code"])
        _, welcome = await first.hello(entered)
        listed = first.session.get(
            client.make_url(f"/api/lessons/{made['lesson_id']}/handouts"),
            headers={"Authorization": f"Bearer {entered['token']}"},
        )
        file = client.make_url((await (await listed).json())["handouts"][0]["url"])
        assert (await first.session.get(file)).status == 200
        await desk.send_json({"type": "remove", "participant_id": welcome["participant_id"]})
        await told(desk, "left")
        assert await problem(await first.session.get(file)) == (403, "removed")


async def test_a_class_that_is_sent_away_from_the_door_is_told_so(tmp_path: Path) -> None:
    async with running(tmp_path) as client, browsers(client, 1) as (stranger,):
        one = await administered(client)
        made = await lesson(client, class_group_ids=[one["class_group_id"]])
        desk = await teacher(client, made["lesson_id"])
        socket, welcome = await stranger.hello(await stranger.enter(code=made["class_code"]))
        await desk.send_json({"type": "remove", "participant_id": welcome["participant_id"]})
        assert (await socket.receive_json(timeout=5))["code"] == "removed"
        assert (await socket.receive(timeout=5)).data == 4403


async def test_a_browser_returns_without_a_code_and_its_cookie_is_for_no_script(tmp_path: Path) -> None:
    async with running(tmp_path) as client, browsers(client, 2) as (known, new):
        one = await administered(client)
        made = await lesson(client, class_group_ids=[one["class_group_id"]])
        response = await known.post("/api/class/enter", {"code": one["code"]})
        cookie = response.cookies["tongke_class"]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        assert one["code"] not in cookie.value
        assert (await known.enter())["lesson_id"] == made["lesson_id"]
        assert (await known.enter(lesson_id=made["lesson_id"]))["name"] == "阜平一小 六(2)班"
        assert await problem(await new.post("/api/class/enter", {})) == (401, "class_pass_missing")
        other = await lesson(client, title="别班的课")
        refused = await known.post("/api/class/enter", {"lesson_id": other["lesson_id"]})
        assert await problem(refused) == (401, "class_pass_missing")
        await client.post(f"/api/class-groups/{one['class_group_id']}/code")
        assert await problem(await known.post("/api/class/enter", {})) == (401, "class_pass_missing")


async def test_a_new_code_shuts_out_who_has_the_old_one_and_nobody_who_is_in(tmp_path: Path) -> None:
    async with running(tmp_path) as client, browsers(client, 2) as (inside, late):
        await administered(client)
        made = await lesson(client)
        await inside.enter(code=made["class_code"])
        renewed = await (await client.post(f"/api/lessons/{made['lesson_id']}/code")).json()
        assert renewed["join_url"] == f"/class#{renewed['class_code']}" != made["join_url"]
        old = await late.post("/api/class/enter", {"code": made["class_code"]})
        assert await problem(old) == (404, "class_code_unknown")
        await late.enter(code=renewed["class_code"])
        await inside.enter(lesson_id=made["lesson_id"])
        observer = token(client, made["lesson_id"], "observer")
        refused = await client.post(f"/api/lessons/{made['lesson_id']}/code", headers=observer)
        assert await problem(refused) == (403, "not_allowed")


@pytest.mark.parametrize("choice", ["take_over", "watch"])
async def test_a_second_device_of_a_class_is_asked_what_it_is_to_be(tmp_path: Path, choice: str) -> None:
    async with running(tmp_path) as client, browsers(client, 2) as (first, second):
        one = await administered(client)
        await lesson(client, class_group_ids=[one["class_group_id"]])
        socket, welcome = await first.hello(await first.enter(code=one["code"]))
        entered = await second.enter(code=one["code"])
        _, refused = await second.hello(entered)
        assert (refused["type"], refused["code"]) == ("error", "second_device")
        _, there = await second.hello(entered, device=choice, headcount=43)
        if choice == "take_over":
            assert there["participant_id"] == welcome["participant_id"]
            assert (await socket.receive_json(timeout=5))["code"] == "replaced"
        else:
            assert there["role"] == "observer"
            assert await told(socket, "joined") == {
                "participant_id": there["participant_id"],
                "role": "observer",
                "name": "阜平一小 六(2)班",
                "headcount": None,
                "class_id": None,
            }


async def test_a_teacher_goes_on_with_another_device_as_the_same_participant(tmp_path: Path) -> None:
    async with running(tmp_path) as client, browsers(client, 2) as (office, classroom):
        await administered(client)
        made = await lesson(client)
        seats = []
        for browser in (office, classroom):
            await browser.post("/api/session", {"name": "管理员", "password": "correct horse"})
            grant = await browser.post(f"/api/lessons/{made['lesson_id']}/grants", {"role": "lead_teacher"})
            seats.append({"lesson_id": made["lesson_id"], **await grant.json()})
        first, welcome = await office.hello(seats[0])
        _, refused = await classroom.hello(seats[1])
        assert refused["code"] == "second_device"
        _, there = await classroom.hello(seats[1], device="take_over")
        assert there["participant_id"] == welcome["participant_id"]
        assert (await first.receive_json(timeout=5))["code"] == "replaced"


async def test_a_class_cannot_make_up_who_it_is(tmp_path: Path) -> None:
    async with running(tmp_path) as client, browsers(client, 1) as (forger,):
        one = await administered(client)
        made = await lesson(client, class_group_ids=[one["class_group_id"]])
        forger.session.cookie_jar.update_cookies(
            {"tongke_class": f"e30.{one['class_group_id']}.x"}, client.make_url("/")
        )
        assert await problem(await forger.post("/api/class/enter", {})) == (401, "class_pass_missing")
        body = {"code": made["class_code"], "name": "阜平一小 六(2)班", "class_group_id": one["class_group_id"]}
        entered = await forger.enter(**body)
        assert (entered["class_group_id"], entered["waits"]) == (None, True)


async def test_a_second_teacher_comes_by_link_with_an_account_and_ends_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as client, browsers(client, 2) as (second, researcher):
        await administered(client)
        made = await lesson(client)
        link = await (await client.post(f"/api/lessons/{made['lesson_id']}/co_teacher_link")).json()
        address, _, invitation = link["url"].partition("#")
        assert address == f"/teach/{made['lesson_id']}"
        await client.app[caller.ACCOUNTS].add("主讲教师乙", "teacher", PASSWORD)
        await client.app[caller.ACCOUNTS].add("教研员", "researcher", PASSWORD)
        for browser, name in ((second, "主讲教师乙"), (researcher, "教研员")):
            await browser.post("/api/session", {"name": name, "password": PASSWORD})
        path, wanted = f"/api/lessons/{made['lesson_id']}/grants", {"role": "co_teacher", "invitation": invitation}
        for refused in (
            await second.post(path, {"role": "co_teacher"}),
            await second.post(path, {**wanted, "role": "lead_teacher"}),
            await second.post(path, {**wanted, "invitation": invitation[:-2]}),
            await researcher.post(path, wanted),
        ):
            assert await problem(refused) == (403, "not_allowed")
        grant = await (await second.post(path, wanted)).json()
        socket, welcome = await second.hello({"lesson_id": made["lesson_id"], **grant})
        assert welcome["role"] == "co_teacher"
        assert "floor" in welcome["rights"]
        assert not {"end", "start", "remove"} & set(welcome["rights"])
        await socket.send_json({"type": "end", "id": 3})
        while (answer := await socket.receive_json(timeout=5))["type"] == "event":
            pass
        assert answer["code"] == "not_allowed"
        bearer = {"Authorization": f"Bearer {invitation}"}
        assert await problem(await client.get(f"/api/lessons/{made['lesson_id']}", headers=bearer)) == (
            401,
            "token_invalid",
        )
