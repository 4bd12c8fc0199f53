import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from media.messages import TransportChanged
from signaling import http_sessions, whip
from signaling.messages import IceServer
from signaling.rooms import Limits
from tests.signaling.house import House, captured_offer, eventually, receiving_offer

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
RESTART = "a=ice-ufrag:AbCd\r\na=ice-pwd:0123456789abcdefghijkl\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
TRICKLE = RESTART + "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path, limits=Limits(participants=4)) as house:
        yield house


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def post(
    house: House,
    path: str = "/whip/l-1",
    token: str = "lead_teacher:l-1",
    offer: str | bytes | None = None,
    **more: str,
) -> ClientResponse:
    body = captured_offer("ffmpeg", "send") if offer is None else offer
    return await house.http.post(house.url + path, data=body, headers={**SDP, **bearer(token), **more})


async def code(response: ClientResponse) -> tuple[int, str]:
    assert response.content_type == "application/problem+json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    problem = await response.json()
    assert problem["status"] == response.status
    return response.status, problem["code"]


def state(house: House) -> Any:
    room = house.rooms.find("l-1")
    assert room is not None
    return room.room.state


# ── publishing ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_publisher_is_a_participant_whose_lesson_has_started_and_is_recorded(house: House) -> None:
    pupils = await house.enter("receiving_class")
    response = await post(house, token="lead_teacher:l-1:录播主机")
    assert response.status == 201
    assert response.headers["Content-Type"] == "application/sdp"  # without a charset: some clients compare the whole
    assert (await response.text()).startswith("v=0")
    assert response.headers["ETag"] == '"1"'
    assert response.headers["Location"].startswith("/whip/l-1/")
    assert response.headers["Access-Control-Expose-Headers"] == "Location, ETag, Link"
    joined = await pupils.event("joined", name="录播主机", role="lead_teacher")
    for source in ("microphone", "camera"):
        await pupils.event("published", source=source, participant_id=joined["payload"]["participant_id"])
    await pupils.event("started")
    assert ("added", "camera", True) in house.watcher.told
    await eventually(lambda: len(house.workers[0].held().recorded) == 2)


async def test_a_co_teacher_publishes_without_starting_the_lesson(house: House) -> None:
    assert (await post(house, token="co_teacher:l-1")).status == 201
    assert state(house).started_ms is None
    assert len(state(house).publications) == 2


async def test_the_second_picture_is_the_screen(house: House) -> None:
    head, audio, video = captured_offer("chromium", "send").split("m=")
    head = head.replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 0 1 2")
    await post(house, offer="m=".join([head, audio, video, video.replace("a=mid:1", "a=mid:2")]))
    assert [one.source for one in state(house).publications.values()] == ["microphone", "camera", "screen"]


async def test_delete_ends_the_session_even_with_a_token_that_has_run_out(house: House) -> None:
    for token in ("lead_teacher:l-1", "expired:l-1"):
        location = house.url + (await post(house)).headers["Location"]
        assert (await house.http.delete(location, headers=bearer(token))).status == 200
        assert not state(house).participants
        assert await code(await house.http.delete(location, headers=bearer(token))) == (404, "session_unknown")
    await eventually(lambda: not house.workers[0].held().transports)


@pytest.mark.parametrize("state_", ["lost", "closed"])
async def test_a_session_is_here_as_long_as_its_transport(house: House, state_: Any) -> None:
    pupils = await house.enter("receiving_class")
    await post(house)
    (transport,) = house.workers[0].held().transports
    house.workers[0].tell(TransportChanged(transport.transport_id, state_))
    await pupils.event("left", reason="lost")
    assert not state(house).publications


async def test_a_session_that_never_connects_ends(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_sessions, "CONNECTING", 0.05)
    pupils = await house.enter("receiving_class")
    await post(house)
    await pupils.event("left", reason="lost")


async def test_a_session_of_a_dead_worker_ends(house: House) -> None:
    location = house.url + (await post(house)).headers["Location"]
    await house.workers[0].die()
    await eventually(lambda: not state(house).participants)
    response = await house.http.patch(location, data=TRICKLE, headers={**FRAGMENT, **bearer("lead_teacher:l-1")})
    assert await code(response) == (404, "session_unknown")


async def test_a_publisher_that_comes_again_replaces_itself_at_once(house: House) -> None:
    pupils, token = await house.enter("receiving_class"), "lead_teacher:l-1:录播主机:t-7"
    old = await post(house, token=token)
    before = set(state(house).publications)
    new = await post(house, token=token)
    assert [one.role for one in state(house).participants.values()].count("lead_teacher") == 1
    assert "t-7-whip" in state(house).participants
    assert before.isdisjoint(state(house).publications)
    assert len(state(house).publications) == 2
    for publication_id in before:
        await pupils.event("unpublished", publication_id=publication_id)
    await eventually(lambda: len(house.workers[0].held().transports) == 1)
    # The old one's goodbye comes late, and is not for the new one.
    late = await house.http.delete(house.url + old.headers["Location"], headers=bearer(token))
    assert await code(late) == (404, "session_unknown")
    assert len(state(house).publications) == 2
    assert (await house.http.delete(house.url + new.headers["Location"], headers=bearer(token))).status == 200
    assert "t-7-whip" not in state(house).participants


async def test_a_device_stands_beside_the_browser_of_the_same_grant_and_beside_a_player(house: House) -> None:
    token = "lead_teacher:l-1:录播主机:t-7"
    teacher = await house.open()
    await teacher.say("hello", token=token)
    teacher.welcome = await teacher.next("welcome")
    assert (await post(house, token=token)).status == 201
    assert (await post(house, "/whep/l-1", token, captured_offer("chromium", "receive"))).status == 201
    assert set(state(house).participants) == {"t-7", "t-7-whip", "t-7-whep"}
    await teacher.quiet()


async def test_who_replaces_itself_needs_no_place_of_its_own(house: House) -> None:
    for _ in range(3):
        assert (await post(house)).status == 201
    for _ in range(2):
        assert (await post(house, token="lead_teacher:l-1:录播主机:t-7")).status == 201
    assert await code(await post(house)) == (503, "room_full")


async def test_of_publishers_that_come_at_once_the_last_remains(house: House) -> None:
    answers = await asyncio.gather(*(post(house, token="lead_teacher:l-1:录播主机:t-7") for _ in range(5)))
    assert {answer.status for answer in answers} == {201}
    assert len(state(house).participants) == 1
    assert len(state(house).publications) == 2
    await eventually(lambda: len(house.workers[0].held().transports) == 1)


async def test_a_session_keeps_its_location_when_the_server_comes_back(house: House) -> None:
    token = "lead_teacher:l-1:录播主机:t-7"
    location = (await post(house, token=token)).headers["Location"]
    await house.crash()
    assert (await house.http.delete(house.url + location, headers=bearer(token))).status == 200
    assert not state(house).participants


# ── watching ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_player_gets_the_teachers_microphone_and_camera_though_it_came_first(house: House) -> None:
    response = await post(house, "/whep/l-1", "observer:l-1", captured_offer("chromium", "receive"))
    assert response.status == 201
    assert response.headers["Location"].startswith("/whep/l-1/")
    await post(house)
    camera, microphone = (
        next(one.publication_id for one in state(house).publications.values() if one.source == source)
        for source in ("camera", "microphone")
    )
    await eventually(lambda: [slot.publication_id for slot in house.workers[0].held().slots] == [microphone, camera])


async def test_a_player_with_more_sections_gets_the_screen_and_the_floor(house: House) -> None:
    await post(house, "/whep/l-1", "observer:l-1", receiving_offer())
    pupils = await house.enter("receiving_class")
    teacher = await house.enter("lead_teacher")
    await teacher.ask("floor", participant_id=pupils.id, granted=True)
    answer = await pupils.offer("send", captured_offer("chromium", "send"))
    theirs = [one["publication_id"] for one in answer["publications"]]
    await eventually(
        lambda: (
            [slot.publication_id for slot in house.workers[0].held().slots]
            == [None, theirs[0], None, None, None, theirs[1], None]
        )
    )


# ── PATCH ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_ice_restarts_with_new_credentials_and_a_new_etag(house: House) -> None:
    posted = await post(house)
    location, before = house.url + posted.headers["Location"], await posted.text()
    headers = {**FRAGMENT, **bearer("lead_teacher:l-1")}
    trickled = await house.http.patch(location, data=TRICKLE, headers={**headers, "If-Match": '"1"'})
    assert (trickled.status, await trickled.text()) == (204, "")
    restarted = await house.http.patch(location, data=RESTART, headers={**headers, "If-Match": "*"})
    assert (restarted.status, restarted.headers["ETag"]) == (200, '"2"')
    assert restarted.headers["Content-Type"] == FRAGMENT["Content-Type"]
    answer = await restarted.text()
    ufrag = next(line for line in answer.splitlines() if line.startswith("a=ice-ufrag:"))
    assert ufrag not in before
    assert "a=candidate:" in answer
    stale = await house.http.patch(location, data=TRICKLE, headers={**headers, "If-Match": '"1"'})
    assert await code(stale) == (412, "etag_stale")
    assert await code(await house.http.patch(location, data=TRICKLE, headers=headers)) == (428, "etag_missing")


async def test_a_bad_patch_has_its_code(house: House) -> None:
    location = house.url + (await post(house)).headers["Location"]
    token = {**bearer("lead_teacher:l-1"), "If-Match": "*"}
    cases: list[tuple[dict[str, str], str, tuple[int, str]]] = [
        ({**SDP, **token}, RESTART, (415, "content_type_wrong")),
        ({**FRAGMENT, **token}, "nonsense", (400, "sdp_malformed")),
        ({**FRAGMENT, **token}, "", (400, "sdp_malformed")),
        ({**FRAGMENT, **token}, "a=ice-ufrag:AbCd\r\n", (400, "sdp_malformed")),
        ({**FRAGMENT, **token}, "a=ice-ufrag:x\r\na=ice-pwd:y\r\n", (400, "sdp_malformed")),
        ({**FRAGMENT, **token}, "a" * 70_000, (413, "body_too_large")),
        ({**FRAGMENT, **token, **bearer("lead_teacher:l-2")}, RESTART, (401, "token_foreign")),
        ({**FRAGMENT, **token, **bearer("expired:l-1")}, RESTART, (401, "token_expired")),
    ]
    for headers, body, expected in cases:
        assert await code(await house.http.patch(location, data=body, headers=headers)) == expected
    assert (await house.http.patch(location, data=RESTART, headers={**FRAGMENT, **token})).status == 200


# ── what is wrong with a request ──────────────────────────────────────────────────────────────────────────────────


async def test_each_bad_request_has_a_code_and_disturbs_nobody(house: House, caplog: pytest.LogCaptureFixture) -> None:
    pupils = await house.enter("receiving_class")
    unheard = captured_offer("ffmpeg", "send").replace("opus", "unheard").replace("H264", "unseen")
    house.directory.ended.add("l-3")
    cases: list[tuple[ClientResponse, tuple[int, str]]] = [
        (await post(house, token="nonsense"), (401, "token_invalid")),
        (await post(house, token="expired:l-1"), (401, "token_expired")),
        (await post(house, token="lead_teacher:l-2"), (401, "token_foreign")),
        (await post(house, Authorization="Basic eA=="), (401, "token_invalid")),
        (await post(house, token="observer:l-1"), (403, "not_allowed")),
        (await post(house, token="receiving_class:l-1"), (403, "not_allowed")),
        (await post(house, "/whip/nowhere"), (404, "lesson_unknown")),
        (await post(house, "/whip/l-3", "lead_teacher:l-3"), (410, "lesson_ended")),
        (await post(house, offer=""), (400, "sdp_malformed")),
        (await post(house, offer="nonsense"), (400, "sdp_malformed")),
        (await post(house, offer=b"\xff\xfe"), (400, "sdp_malformed")),
        (await post(house, offer=unheard), (406, "no_common_codec")),
        (await post(house, offer="v" * 70_000), (413, "body_too_large")),
        (await post(house, **{"Content-Type": "text/plain"}), (415, "content_type_wrong")),
        (await house.http.get(f"{house.url}/whip/l-1"), (405, "method_not_allowed")),
        (await house.http.put(f"{house.url}/whep/l-1/x"), (405, "method_not_allowed")),
        (await house.http.delete(f"{house.url}/whip/l-1/x", headers=bearer("observer:l-1")), (404, "session_unknown")),
        (await house.http.delete(f"{house.url}/whip/l-1/x"), (401, "token_invalid")),
    ]
    for response, expected in cases:
        assert await code(response) == expected
    assert cases[0][0].headers["WWW-Authenticate"] == "Bearer"
    await pupils.quiet()
    assert [message for message in pupils.heard if message["type"] == "event"] == []
    assert not house.workers[0].held().transports
    assert not [record for record in caplog.records if record.levelno > logging.INFO]
    assert not [record for record in caplog.records if "lead_teacher:l-" in record.getMessage()]


async def test_a_body_without_a_length_is_bounded_too(house: House) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"v" * 1000

    response = await house.http.post(
        f"{house.url}/whip/l-1", data=endless(), headers={**SDP, **bearer("lead_teacher:l-1")}
    )
    assert await code(response) == (413, "body_too_large")


async def test_a_body_that_does_not_come_is_not_waited_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whip, "BODY", 0.05)

    async def slow() -> AsyncIterator[bytes]:
        yield b"v=0\r\n"
        await asyncio.sleep(1)

    response = await house.http.post(
        f"{house.url}/whip/l-1", data=slow(), headers={**SDP, **bearer("lead_teacher:l-1")}
    )
    assert await code(response) == (408, "body_slow")


async def test_sessions_count_as_participants(house: House) -> None:
    for _ in range(4):
        assert (await post(house)).status == 201
    assert await code(await post(house)) == (503, "room_full")
    assert len(house.workers[0].held().transports) == 4


async def test_without_a_worker_the_door_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.workers.PATIENCE", 0.05)
    await house.workers[0].die()
    response = await post(house)
    assert await code(response) == (503, "media_unavailable")
    assert response.headers["Retry-After"]
    assert not state(house).participants


async def test_a_browser_from_anywhere_may_ask(house: House) -> None:
    for path, allowed in (("/whip/l-1", "POST, OPTIONS"), ("/whep/l-1/x", "PATCH, DELETE, OPTIONS")):
        response = await house.http.options(house.url + path)
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Access-Control-Allow-Methods"] == allowed
        assert "If-Match" in response.headers["Access-Control-Allow-Headers"]


async def test_turn_servers_are_told_as_links_each_participant_with_credentials_of_its_own(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.ice_servers = lambda participant_id: (
        IceServer(("stun:turn.example:3478",)),
        IceServer(("turn:turn.example:3478?transport=udp", "turns:turn.example:443"), f"9:{participant_id}", 'p"w'),
    )
    async with house:
        published = await post(house, token="lead_teacher:l-1:录播主机:t-7")
        watched = await post(house, "/whep/l-1", "observer:l-1::o-7", captured_offer("chromium", "receive"))
        pupils = await house.enter("receiving_class")
    for response, username in ((published, "9:t-7-whip"), (watched, "9:o-7-whep")):
        rest = f'; username="{username}"; credential="p\\"w"; credential-type="password"'
        assert response.headers.getall("Link") == [
            '<stun:turn.example:3478>; rel="ice-server"',
            '<turn:turn.example:3478?transport=udp>; rel="ice-server"' + rest,
            '<turns:turn.example:443>; rel="ice-server"' + rest,
        ]
        assert "Link" in response.headers["Access-Control-Expose-Headers"]
    stun, turn = pupils.welcome["ice_servers"]
    assert stun == {"urls": ["stun:turn.example:3478"]}
    assert turn["username"] == f"9:{pupils.id}"


async def test_credentials_are_not_for_whoever_only_asks_for_options(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.ice_servers = lambda participant_id: (IceServer(("turn:turn.example",), "u", "p"),)
    async with house:
        response = await house.http.options(f"{house.url}/whip/l-1")
    assert "Link" not in response.headers
