"""What strangers may send to the doors of the server process: each has a code of its own, and none is a bug of ours."""

import asyncio
import gzip
import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from server import endpoint
from server.door import QuietAboutBadRequests
from server.lessons import api as lessons_api
from tests.server.application import Client, add_user, problem, running, token

JSON = {"Content-Type": "application/json"}
SDP = {"Content-Type": "application/sdp"}


async def raw(client: Client, request: str, headers: Iterable[bytes] = (), body: bytes = b"") -> tuple[int, str]:
    """Status and code of the answer to bytes that no well-behaved client would send."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    head = [f"{request} HTTP/1.1".encode(), b"Host: x", b"Connection: close", *headers]
    writer.write(b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", body]))
    answer = await reader.read()
    writer.close()
    status, _, content = answer.partition(b"\r\n\r\n")
    code = json.loads(content).get("code", "") if b"json" in status else ""
    return int(status.split()[1]), code


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """As the server process has it."""
    logger, about = logging.getLogger("aiohttp.server"), QuietAboutBadRequests()
    logger.addFilter(about)
    yield
    logger.removeFilter(about)


def above_info(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]


def doors(lesson_id: str) -> list[str]:
    """Everything that asks for a token."""
    return [
        "GET /api/lessons",
        "POST /api/lessons",
        f"GET /api/lessons/{lesson_id}",
        f"POST /api/lessons/{lesson_id}/end",
        f"POST /api/lessons/{lesson_id}/grants",
        f"GET /api/lessons/{lesson_id}/recording",
        f"GET /api/lessons/{lesson_id}/participants",
        f"GET /archive/{lesson_id}/master.m3u8",
        f"POST /whip/{lesson_id}",
        f"POST /whep/{lesson_id}",
        f"PATCH /whip/{lesson_id}/x",
        f"DELETE /whip/{lesson_id}/x",
        f"PATCH /whep/{lesson_id}/x",
        f"DELETE /whep/{lesson_id}/x",
    ]


async def test_a_token_that_is_none_is_refused_at_every_door(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running(tmp_path) as client:
        lesson, _ = await client.app[lessons_api.LESSONS].create("x", "delivered_class")
        for door in doors(lesson.id):
            for junk in (b"nonsense", b"\xff\xfe", b"W1tbW1tb.e30.x", b"." * 3000):
                assert await raw(client, door, [b"Authorization: Bearer " + junk]) == (401, "token_invalid"), door
            assert (await raw(client, door))[0] == 401, door
    assert not above_info(caplog)


async def test_an_expired_token_is_refused_at_every_door_but_to_end_ones_own_session(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson, _ = await client.app[lessons_api.LESSONS].create("x", "delivered_class")
        expired = token(client, lesson.id, "lead_teacher", ttl=-1)["Authorization"].encode()
        for door in doors(lesson.id):
            known = (404, "session_unknown") if door.startswith("DELETE") else (401, "token_expired")
            assert await raw(client, door, [b"Authorization: " + expired]) == known, door


async def test_a_token_for_another_lesson_opens_no_door_of_this_one(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson, _ = await client.app[lessons_api.LESSONS].create("x", "delivered_class")
        other, _ = await client.app[lessons_api.LESSONS].create("y", "delivered_class")
        foreign = b"Authorization: " + token(client, other.id, "lead_teacher")["Authorization"].encode()
        for door in doors(lesson.id)[2:]:
            status, code = await raw(client, door, [foreign, b"Content-Type: application/json"], b'{"role":"observer"}')
            assert status in (401, 403), door
            assert code in ("token_foreign", "not_allowed"), door
        listed = await client.get("/api/lessons", headers=token(client, other.id, "lead_teacher"))
        assert [one["lesson_id"] for one in (await listed.json())["lessons"]] == [other.id]


@pytest.mark.parametrize(
    "header",
    [b"Cookie: tongke_session=\xff\xfe", b"Cookie: tongke_archive=\xff", b"Cookie: a=;;==", b"If-None-Match: \xff"],
)
async def test_a_cookie_of_any_bytes_is_a_strangers(
    tmp_path: Path, header: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path) as client:
        assert await raw(client, "GET /api/session", [header]) == (200, "")
        assert await raw(client, "DELETE /api/session", [header]) == (200, "")
        assert await raw(client, "GET /api/lessons", [header]) == (401, "login_required")
        assert await raw(client, "GET /archive/x/master.m3u8", [header]) == (401, "login_required")
    assert not above_info(caplog)


@pytest.mark.parametrize("origin", [b"http://[", b"null", b"\xff", b"http://x.example", b"x", b"http://x:y:z"])
async def test_an_origin_that_is_not_ours_may_not_act_and_is_no_bug(
    tmp_path: Path, origin: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path) as client:
        headers = [b"Origin: " + origin, b"Content-Type: application/json"]
        assert await raw(client, "POST /api/session", headers, b"{}") == (403, "origin_foreign")
        # A password in the URL is no token: the cookie would still count.
        basic = [*headers, b"Authorization: Basic eDp4"]
        assert await raw(client, "POST /api/session", basic, b"{}") == (403, "origin_foreign")
    assert not above_info(caplog)


@pytest.mark.parametrize("query", ["limit=" + "9" * 5000, "limit=0", "limit=501", "limit=x", "limit="])
async def test_a_number_beyond_all_bounds_is_a_wrong_field(
    tmp_path: Path, query: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path) as client:
        response = await client.get(f"/api/lessons?{query}", headers=token(client, "", "admin"))
        assert await problem(response) == (422, "field_invalid")
    assert not above_info(caplog)


@pytest.mark.parametrize("lesson_id", ["%ff", "%00", "%ed%a0%80", "x" * 4000, "..%2f..", "a%0d%0ab", "%F0%9F%99%82"])
async def test_a_lesson_of_any_name_is_unknown(
    tmp_path: Path, lesson_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path) as client:
        admin = b"Authorization: " + token(client, "", "admin")["Authorization"].encode()
        for path in (f"/api/lessons/{lesson_id}", f"/api/lessons/{lesson_id}/recording"):
            assert await raw(client, f"GET {path}", [admin]) == (404, "lesson_unknown")
        assert await raw(client, f"GET /api/lessons?before={lesson_id}", [admin]) == (404, "lesson_unknown")
        assert await raw(client, f"POST /api/lessons/{lesson_id}/end", [admin]) == (404, "lesson_unknown")
        assert await raw(client, f"POST /whep/{lesson_id}", [admin]) == (404, "lesson_unknown")
        assert await raw(client, f"GET /archive/{lesson_id}/master.m3u8", [admin]) == (404, "file_unknown")
    assert not above_info(caplog)


async def test_text_that_a_database_cannot_store_is_a_wrong_field(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        for title in ("\x00", "a\x00b", "two\nlines"):
            response = await client.post("/api/lessons", json={"title": title}, headers=token(client, "", "admin"))
            assert await problem(response) == (422, "field_invalid")
        response = await client.post("/api/session", json={"name": "\x00x", "password": "x"})
        assert await problem(response) == (422, "field_invalid")


async def test_a_body_too_large_is_refused_before_it_has_come(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        admin = token(client, "", "admin")["Authorization"]
        for path, kind in (("/api/lessons", "application/json"), ("/whip/x", "application/sdp")):
            lesson, _ = await client.app[lessons_api.LESSONS].create("x", "delivered_class")
            granted = token(client, lesson.id, "lead_teacher")["Authorization"] if "whip" in path else admin
            reader, writer = await asyncio.open_connection(client.host, client.port)
            where = path.replace("/x", f"/{lesson.id}")
            writer.write(
                f"POST {where} HTTP/1.1\r\nHost: x\r\nAuthorization: {granted}\r\nContent-Type: {kind}\r\n"
                "Content-Length: 1000000000000\r\n\r\n".encode()
            )
            async with asyncio.timeout(5):
                assert b" 413 " in await reader.readline()
            writer.close()


async def test_a_body_that_unpacks_to_more_is_too_large(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running(tmp_path) as client:
        lesson, _ = await client.app[lessons_api.LESSONS].create("x", "delivered_class")
        bomb = gzip.compress(b" " * 10_000_000)
        packed = {"Content-Encoding": "gzip"}
        for path, kind, role in (("/api/lessons", JSON, "admin"), (f"/whip/{lesson.id}", SDP, "lead_teacher")):
            headers = {**packed, **kind, **token(client, lesson.id, "admin" if role == "admin" else "lead_teacher")}
            assert await problem(await client.post(path, data=bomb, headers=headers)) == (413, "body_too_large")
            lines = [f"{name}: {value}".encode() for name, value in headers.items()]
            assert (await raw(client, f"POST {path}", lines, b"not packed"))[0] == 400
    assert not above_info(caplog)


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "BODY_TIME", 0.05)
    async with running(tmp_path) as client:
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(
            b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        async with asyncio.timeout(5):
            assert b" 408 " in await reader.readline()
        writer.close()


async def test_codes_guessed_all_at_once_are_counted_one_by_one(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        responses = await asyncio.gather(
            *(client.post("/api/class/enter", json={"code": f"{number:06}"}) for number in range(40))
        )
        assert sorted(response.status for response in responses) == [404] * 10 + [429] * 30


async def test_an_address_that_a_request_only_claims_is_not_believed(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        statuses = []
        for number in range(12):
            claimed = {"X-Forwarded-For": f"192.0.2.{number}", "Forwarded": f"for=192.0.2.{number}"}
            response = await client.post("/api/class/enter", json={"code": "1"}, headers=claimed)
            statuses.append(response.status)
        assert statuses == [404] * 10 + [429] * 2


async def test_passwords_guessed_all_at_once_are_counted_one_by_one(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await add_user(client, "甲", "teacher")
        responses = await asyncio.gather(
            *(client.post("/api/session", json={"name": "甲", "password": "wrong password"}) for _ in range(40))
        )
        assert sorted(response.status for response in responses) == [401] * 10 + [429] * 30


async def test_a_class_name_beyond_its_bound_is_a_wrong_field_and_markup_is_only_text(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        _, code = await client.app[lessons_api.LESSONS].create("x", "delivered_class")
        for wrong in ("班" * 500, "a\x00b"):
            response = await client.post("/api/class/enter", json={"code": code, "name": wrong})
            assert await problem(response) == (422, "field_invalid")
        marked = {"code": code, "name": '<img src=x onerror="alert(1)">'}
        response = await client.post("/api/class/enter", json=marked)
        assert response.status == 200
        assert response.content_type == "application/json"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_lesson_that_two_teachers_end_at_once_ends_once(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lesson, _ = await client.app[lessons_api.LESSONS].create("x", "delivered_class")
        lead = token(client, lesson.id, "lead_teacher")
        end = f"/api/lessons/{lesson.id}/end"
        statuses = await asyncio.gather(*(client.post(end, headers=lead) for _ in range(4)))
        assert {response.status for response in statuses} <= {200, 204, 410}
        ended = await (await client.get(f"/api/lessons/{lesson.id}", headers=lead)).json()
        assert ended["status"] == "ended"
        assert (await client.post(end, headers=token(client, lesson.id, "co_teacher"))).status == 403
