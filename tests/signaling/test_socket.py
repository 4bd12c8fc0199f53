import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from media.messages import TransportChanged
from signaling import live, socket
from signaling.rooms import Limits
from tests.signaling.house import House, Person, captured_offer, eventually, receiving_offer


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path, limits=Limits(rooms=3, participants=6)) as house:
        yield house


# ── coming in ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_comes_in_is_welcomed_with_the_state_of_the_room(house: House) -> None:
    teacher = await house.enter("lead_teacher", "主讲教师甲")
    await teacher.ask("chat", text="同学们好")
    pupils = await house.enter("receiving_class", "六(2)班", headcount=43)
    welcome = pupils.welcome
    assert (welcome["role"], welcome["title"], welcome["resumed"]) == ("receiving_class", "二元一次方程组", False)
    assert welcome["rights"] == ["publish_on_floor", "hand", "chat", "consent", "headcount", "signal", "private"]
    assert welcome["slots"] == {"audio": 3, "video": 4}
    assert [line["text"] for line in welcome["snapshot"]["chat"]] == ["同学们好"]
    people = {one["participant_id"]: one for one in welcome["snapshot"]["participants"]}
    assert people[pupils.id]["headcount"] == 43
    assert people[teacher.id]["name"] == "主讲教师甲"
    await teacher.event("joined", participant_id=pupils.id, headcount=43)


async def test_a_name_in_the_grant_wins(house: House) -> None:
    person = await house.open()
    await person.say("hello", token="observer:l-1:教研员甲", name="someone else")
    welcome = await person.next("welcome")
    assert welcome["snapshot"]["participants"][0]["name"] == "教研员甲"


async def test_researchers_and_administrators_come_in_as_observers(house: House) -> None:
    for role in ("researcher", "admin"):
        assert (await house.enter(role)).welcome["role"] == "observer"


async def test_everyone_hears_each_event_once_and_in_order(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class")
    for number in range(20):
        await teacher.say("chat", text=str(number))
        await pupils.say("hand", raised=number % 2 == 0)
    for person in (teacher, pupils):
        await person.quiet()
        await person.quiet()
        sequence = [message["seq"] for message in person.heard if message["type"] == "event"]
        assert sequence == list(range(person.welcome["seq"] + 1, person.welcome["seq"] + 1 + len(sequence)))
        assert len(sequence) >= 40
    assert [event.seq for event in house.watcher.events] == list(range(1, len(house.watcher.events) + 1))


BAD_HELLOS: list[tuple[dict[str, Any] | str, str, int]] = [
    ({"type": "hello", "token": "nonsense"}, "token_invalid", 4401),
    ({"type": "hello", "token": "expired:l-1"}, "token_expired", 4401),
    ({"type": "hello", "token": "observer:l-2"}, "token_foreign", 4401),
    ({"type": "ping"}, "hello_expected", 4408),
    ({"type": "hello"}, "hello_expected", 4408),
    ("not JSON", "hello_expected", 4408),
]


@pytest.mark.parametrize(("hello", "code", "close"), BAD_HELLOS)
async def test_a_bad_hello_has_its_code_and_close(
    house: House, hello: dict[str, Any] | str, code: str, close: int, caplog: pytest.LogCaptureFixture
) -> None:
    person = await house.open()
    await person.socket.send_str(hello if isinstance(hello, str) else json.dumps(hello))
    assert (await person.error(), await person.closed()) == (code, close)
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


async def test_a_lesson_nobody_knows_is_unknown_whatever_the_token_is_for(house: House) -> None:
    for token in ("observer:l-1", "observer:nowhere"):
        person = await house.open("nowhere")
        await person.say("hello", token=token)
        assert (await person.error(), await person.closed()) == ("lesson_unknown", 4404)


async def test_an_ended_lesson_is_told_so(house: House) -> None:
    house.directory.ended.add("l-1")
    person = await house.open()
    await person.say("hello", token="observer:l-1")
    assert (await person.error(), await person.closed()) == ("lesson_ended", 4410)


async def test_silence_before_hello_is_closed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "HELLO", 0.05)
    person = await house.open()
    assert (await person.error(), await person.closed()) == ("hello_expected", 4408)


async def test_silence_after_it_is_closed_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "SILENCE", 0.05)
    person = await house.enter("observer")
    assert await person.closed() == 4408


async def test_a_full_room_says_so(house: House) -> None:
    for _ in range(6):
        await house.enter("observer")
    late = await house.open()
    await late.say("hello", token="observer:l-1")
    assert (await late.error(), await late.closed()) == ("room_full", 4403)


async def test_lessons_have_a_bound(house: House) -> None:
    for number in (1, 2, 3):
        await house.enter("observer", lesson_id=f"l-{number}")
    late = await house.open("l-4")
    await late.say("hello", token="observer:l-4")
    assert (await late.error(), await late.closed()) == ("room_full", 4403)


# ── talking ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_ping_tells_the_lesson_clock(house: House) -> None:
    person = await house.enter("observer")
    first, second = (await person.ask("ping"))["now_ms"], (await person.ask("ping"))["now_ms"]
    assert person.welcome["now_ms"] <= first <= second


async def test_what_was_asked_with_a_number_is_answered_with_it(house: House) -> None:
    pupils = await house.enter("receiving_class")
    assert (await pupils.ask("hand", raised=True))["type"] == "done"
    assert (await pupils.ask("start"))["code"] == "not_allowed"


BAD_MESSAGES = [
    ("[]", "message_malformed"),
    ('{"type": "hand"}', "message_malformed"),
    ('{"type": "stroke"}', "message_malformed"),
    ('{"type": "poll"}', "unknown_message"),
    ('{"type": "start"}', "not_allowed"),
    ('{"type": "floor", "participant_id": "x", "granted": true}', "not_allowed"),
    ('{"type": "mute", "publication_id": "x", "muted": true}', "unknown_publication"),
    ('{"type": "key_frame", "publication_id": "x"}', "unknown_publication"),
    ('{"type": "hello", "token": "observer:l-1"}', "message_malformed"),
    ('{"type": "offer", "direction": "send", "sdp": "v=0", "generation": 1}', "not_allowed"),
    ('{"type": "offer", "direction": "receive", "sdp": "nonsense", "generation": 1}', "sdp_malformed"),
    ('{"type": "offer", "direction": "receive", "sdp": "", "generation": 1}', "sdp_malformed"),
]


async def test_bad_messages_have_codes_and_disturb_nobody(house: House, caplog: pytest.LogCaptureFixture) -> None:
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class")
    for text, code in BAD_MESSAGES:
        await pupils.socket.send_str(text)
        assert await pupils.error() == code, text
    await pupils.socket.send_bytes(b"\x00")
    assert await pupils.error() == "message_malformed"
    assert (await pupils.ask("hand", raised=True))["type"] == "done"
    await teacher.event("hand")
    await teacher.quiet()
    assert [message["type"] for message in teacher.heard if message["type"] != "event"] == []
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


async def test_no_token_and_no_word_of_a_client_is_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    person = await house.enter("observer", "某人")
    await person.say("chat", text="秘密")
    await person.quiet()
    await person.socket.send_str('{"type": "hello", "token": "observer:l-1"}')
    await person.error()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("signaling")]
    assert not [line for line in ours if "observer:l-1" in line or "秘密" in line or "某人" in line]


async def test_a_message_too_large_closes_the_socket(house: House) -> None:
    for size in (64 * 1024, 300 * 1024):
        person = await house.enter("observer")
        await person.say("chat", text="长" * (size // 3))
        assert await person.closed() == 1009


async def test_who_talks_too_fast_is_warned_and_then_closed(house: House) -> None:
    person = await house.enter("observer")
    for _ in range(102):
        await person.say("ping")
    assert await person.error() == "too_many_messages"
    assert await person.closed() == 4429


async def test_who_does_not_read_is_closed_and_nobody_waits(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "CLOSING", 0.2)
    monkeypatch.setattr("signaling.pace.WINDOW", 0.0)
    teacher = await house.enter("lead_teacher")
    stuck = await house.enter("observer")
    assert stuck.socket._conn is not None
    assert stuck.socket._conn.transport is not None
    stuck.socket._conn.transport.pause_reading()

    def away() -> bool:
        return any(event.kind == "away" for event in house.watcher.events)

    for _ in range(400):  # 68 MB: more than what the outbox and all buffers on the way hold
        for _ in range(100):
            await teacher.say("chat", text="长" * 500)
        await teacher.quiet()
        teacher.heard.clear()
        if away():
            break
    await eventually(away)
    await teacher.quiet()


# ── going ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_leaves_has_left_and_is_closed_normally(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class")
    assert (await pupils.ask("leave"))["type"] == "done"
    assert await pupils.closed() == 1000
    await teacher.event("left", participant_id=pupils.id, reason="left")


async def test_who_is_removed_hears_it_and_is_closed(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class")
    await teacher.ask("remove", participant_id=pupils.id)
    await pupils.event("left", participant_id=pupils.id, reason="removed")
    assert await pupils.closed() == 4403


async def test_the_end_is_told_and_then_everything_closes(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class")
    await teacher.say("end")
    for person in (teacher, pupils):
        await person.event("ended")
        assert await person.closed() == 4410
    await eventually(lambda: house.rooms.count == 0)
    assert house.watcher.told[-1] == ("ended", "l-1")
    assert await house.bus.lessons() == []


# ── a line that breaks ────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_lost_socket_is_away_and_comes_back_as_the_same_with_what_it_missed(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class")
    await teacher.ask("floor", participant_id=pupils.id, granted=True)
    await pupils.event("floor")
    await pupils.vanish()
    await teacher.event("away", participant_id=pupils.id, away=True)
    await teacher.ask("chat", text="等一下")
    again = await house.enter("receiving_class", resume=pupils.resume)
    assert (again.id, again.welcome["resumed"], again.welcome["snapshot"]) == (pupils.id, True, None)
    await again.event("chat", text="等一下")
    await again.event("away", participant_id=pupils.id, away=False)
    await teacher.event("away", participant_id=pupils.id, away=False)
    assert [one.participant_id for one in _state(house).on_floor()] == [pupils.id]


async def test_who_stays_away_has_left(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "AWAY", 0.05)
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class")
    await pupils.vanish()
    await teacher.event("left", participant_id=pupils.id, reason="lost")
    again = await house.enter("receiving_class", resume=pupils.resume)
    assert again.id != pupils.id
    assert again.welcome["resumed"] is False


async def test_a_session_that_goes_on_elsewhere_is_replaced_here(house: House) -> None:
    first = await house.enter("receiving_class")
    second = await house.enter("receiving_class", resume=first.resume)
    assert (await first.error(), await first.closed()) == ("replaced", 4409)
    assert second.id == first.id
    assert not [event for event in house.watcher.events if event.kind == "away"]


async def test_who_missed_too_much_gets_the_state_instead(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_MISSED", 3)
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class")
    await pupils.vanish()
    for number in range(5):
        await teacher.ask("chat", text=str(number))
    again = await house.enter("receiving_class", resume=pupils.resume)
    assert (again.id, again.welcome["resumed"]) == (pupils.id, False)
    assert len(again.welcome["snapshot"]["chat"]) == 5


@pytest.mark.parametrize("session", ["", "x", "AAAA", "é", "A" * 900])
async def test_a_session_nobody_issued_is_a_new_participant(house: House, session: str) -> None:
    person = await house.enter("observer", resume={"session": session, "seq": 10**15})
    assert person.welcome["resumed"] is False


async def test_a_session_does_not_lend_its_role(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    sly = await house.enter("receiving_class", resume=teacher.resume)
    assert sly.id != teacher.id
    assert sly.welcome["role"] == "receiving_class"


# ── media ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_teacher_publishes_and_a_class_has_it_in_its_slots(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class")
    answer = await pupils.offer("receive", receiving_offer())
    assert answer["sdp"].startswith("v=0")
    slots = (await pupils.next("slots"))["slots"]
    assert [slot["publication_id"] for slot in slots] == [None] * len(slots)

    answer = await teacher.offer("send", captured_offer("chromium", "send"), _0="microphone", _1="camera")
    assert [(one["mid"], one["kind"], one["source"]) for one in answer["publications"]] == [
        ("0", "audio", "microphone"),
        ("1", "video", "camera"),
    ]
    camera = answer["publications"][1]["publication_id"]
    await pupils.event("published", publication_id=camera, participant_id=teacher.id, source="camera")
    slots = (await pupils.find(lambda message: message["type"] == "slots" and camera in json.dumps(message)))["slots"]
    first = next(slot for slot in slots if slot["kind"] == "video")
    assert (first["publication_id"], first["participant_id"], first["source"]) == (camera, teacher.id, "camera")
    held = {slot.publication_id for slot in house.workers[0].held().slots}
    assert {one["publication_id"] for one in answer["publications"]} <= held
    assert (await pupils.ask("key_frame", publication_id=camera))["type"] == "done"


async def test_media_belong_to_the_lesson_from_its_start(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    await teacher.offer("send", captured_offer("chromium", "send"), _0="microphone", _1="camera")
    await teacher.quiet()
    assert house.watcher.told == [("opened", "l-1")]
    await teacher.ask("start")
    assert house.watcher.told[1:] == [("added", "microphone", True), ("added", "camera", True)]
    await eventually(lambda: len(house.workers[0].held().recorded) == 2)


async def test_who_comes_again_on_another_page_has_come_before_the_old_media_go(house: House) -> None:
    async def come() -> Person:
        person = await house.open("l-1")
        await person.say("hello", token="lead_teacher:l-1::t-1")
        await person.next("welcome")
        return person

    teacher = await come()
    await teacher.offer("send", captured_offer("chromium", "send"), _0="microphone", _1="camera")
    pupils = await house.enter("receiving_class")
    await come()
    await pupils.quiet()
    heard = [(one["kind"], one["seq"]) for one in pupils.heard if one["type"] == "event"]
    assert [kind for kind, _ in heard] == ["joined", "unpublished", "unpublished"]
    assert heard == sorted(heard, key=lambda one: one[1])


async def test_a_class_without_the_floor_is_seen_by_the_teachers_alone_and_recorded_with_the_floor(
    house: House,
) -> None:
    teacher = await house.enter("lead_teacher")
    await teacher.ask("start")
    await teacher.offer("receive", receiving_offer())
    pupils, others = await house.enter("receiving_class"), await house.enter("receiving_class")
    await others.offer("receive", receiving_offer())
    worker, offer = house.workers[0], captured_offer("chromium", "send")
    assert (await pupils.offer("send", offer, _0="microphone", _1="camera"))["code"] == "not_allowed"
    # What it names may be; the microphone it sends without a word goes nowhere.
    [camera] = (await pupils.offer("send", offer, _1="camera"))["publications"]
    assert camera["source"] == "camera"

    def carrying() -> list[str]:
        return [one.transport_id for one in worker.held().slots if one.publication_id == camera["publication_id"]]

    await eventually(lambda: len(carrying()) == 1)
    seen = await teacher.find(lambda one: one["type"] == "slots" and camera["publication_id"] in json.dumps(one))
    assert [slot["source"] for slot in seen["slots"] if slot["participant_id"] == pupils.id] == ["camera"]
    assert worker.held().recorded == ()
    await teacher.ask("floor", participant_id=pupils.id, granted=True)
    await eventually(lambda: len(carrying()) == 2 and set(worker.held().recorded) == {camera["publication_id"]})
    await teacher.ask("floor", participant_id=pupils.id, granted=False)
    await eventually(lambda: not carrying() and not worker.held().recorded)


async def test_a_floor_taken_back_ends_its_media_whatever_the_class_does(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    await teacher.ask("start")
    await teacher.offer("receive", receiving_offer())
    pupils = await house.enter("receiving_class")
    offer = captured_offer("chromium", "send")
    assert (await pupils.offer("send", offer))["code"] == "not_allowed"
    await teacher.ask("floor", participant_id=pupils.id, granted=True)
    answer = await pupils.offer("send", offer)
    ids = {one["publication_id"] for one in answer["publications"]}
    worker = house.workers[0]
    await eventually(lambda: ids <= {slot.publication_id for slot in worker.held().slots})
    await eventually(lambda: set(worker.held().recorded) == ids)

    await teacher.ask("floor", participant_id=pupils.id, granted=False)
    await eventually(lambda: {slot.publication_id for slot in worker.held().slots} == {None})
    await eventually(lambda: not worker.held().recorded)
    for publication_id in ids:
        await teacher.event("unpublished", publication_id=publication_id)
    # An offer that still sends is refused, one that has stopped is answered: the class may have the floor again.
    assert (await pupils.offer("send", offer))["code"] == "not_allowed"
    stopped = offer.replace("a=sendonly", "a=inactive").replace("a=sendrecv", "a=inactive")
    assert (await pupils.offer("send", stopped))["publications"] == []
    await teacher.ask("floor", participant_id=pupils.id, granted=True)
    again = await pupils.offer("send", offer)
    assert {one["publication_id"] for one in again["publications"]} == ids


async def test_a_section_that_becomes_inactive_is_unpublished(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    offer = captured_offer("chromium", "send")
    first = await teacher.offer("send", offer, _0="microphone", _1="screen")
    head, audio, video = _sections(offer)
    video = video.replace("a=sendonly", "a=inactive").replace("a=sendrecv", "a=inactive")
    second = await teacher.offer("send", head + audio + video)
    assert [one["source"] for one in second["publications"]] == ["microphone"]
    await teacher.event("unpublished", publication_id=first["publications"][1]["publication_id"])
    third = await teacher.offer("send", offer)
    assert third["publications"] == first["publications"]


async def test_a_new_generation_replaces_the_old(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    first = await teacher.offer("send", captured_offer("chromium", "send"), generation=1)
    second = await teacher.offer("send", captured_offer("chromium", "send"), generation=2)
    old = {one["publication_id"] for one in first["publications"]}
    new = {one["publication_id"] for one in second["publications"]}
    assert not old & new
    assert set(_state(house).publications) == new
    await eventually(lambda: len(house.workers[0].held().transports) == 1)


async def test_an_offer_without_a_common_codec_is_refused_and_changes_nothing(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    offer = captured_offer("chromium", "send")
    for name in ("opus", "H264", "VP8", "VP9", "AV1"):
        offer = offer.replace(f" {name}/", " unheard/")
    assert (await teacher.offer("send", offer))["code"] == "no_common_codec"
    assert not _state(house).publications
    assert not house.workers[0].held().transports


async def test_a_lost_transport_ends_its_publications_and_is_told(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    await teacher.offer("send", captured_offer("chromium", "send"))
    (transport,) = house.workers[0].held().transports
    house.workers[0].tell(TransportChanged(transport.transport_id, "lost"))
    assert (await teacher.next("media_lost"))["directions"] == ["send"]
    await eventually(lambda: not _state(house).publications)
    refused = await teacher.offer("send", captured_offer("chromium", "send"), generation=1)
    assert refused["code"] == "media_unavailable"
    assert (await teacher.offer("send", captured_offer("chromium", "send"), generation=2))["type"] == "answer"


async def test_a_peer_connection_the_browser_closed_is_not_asked_for_again(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    await teacher.offer("send", captured_offer("chromium", "send"))
    (transport,) = house.workers[0].held().transports
    house.workers[0].tell(TransportChanged(transport.transport_id, "closed"))
    await teacher.event("unpublished")
    await teacher.quiet()
    assert not [message for message in teacher.heard if message["type"] == "media_lost"]


async def test_slots_and_losses_of_the_meantime_are_told_to_who_comes_back(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class")
    await pupils.offer("receive", receiving_offer())
    await pupils.vanish()
    answer = await teacher.offer("send", captured_offer("chromium", "send"))
    again = await house.enter("receiving_class", resume=pupils.resume)
    camera = answer["publications"][1]["publication_id"]
    await again.find(lambda message: message["type"] == "slots" and camera in json.dumps(message))
    await again.vanish()
    transport = next(one for one in house.workers[0].held().transports if one.direction == "receive")
    house.workers[0].tell(TransportChanged(transport.transport_id, "lost"))
    await asyncio.sleep(0.05)
    third = await house.enter("receiving_class", resume=pupils.resume)
    assert (await third.next("media_lost"))["directions"] == ["receive"]


async def test_who_leaves_takes_the_transports_along(house: House) -> None:
    pupils = await house.enter("receiving_class")
    await pupils.offer("receive", captured_offer("firefox", "receive"))
    assert len(house.workers[0].held().transports) == 1
    await pupils.ask("leave")
    await eventually(lambda: not house.workers[0].held().transports)


async def test_only_its_sender_mutes_and_everyone_hears_it(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class")
    answer = await teacher.offer("send", captured_offer("chromium", "send"))
    microphone = answer["publications"][0]["publication_id"]
    assert (await pupils.ask("mute", publication_id=microphone, muted=True))["code"] == "not_allowed"
    await teacher.ask("mute", publication_id=microphone, muted=True)
    await pupils.event("muted", publication_id=microphone, muted=True)


def _state(house: House) -> Any:
    room = house.rooms.find("l-1")
    assert room is not None
    return room.room.state


def _sections(sdp: str) -> tuple[str, str, str]:
    head, audio, video = sdp.split("m=")
    return head, "m=" + audio, "m=" + video


async def test_who_comes_while_the_server_goes_is_asked_to_try_again(house: House) -> None:
    late = await house.open()
    await house.rooms.close()
    await late.say("hello", token="lead_teacher:l-1")
    assert await late.error() == "media_unavailable"
    assert await late.closed() == 1013


async def test_a_pause_and_a_consent_reach_everyone_and_outlive_the_server_process(house: House) -> None:
    teacher = await house.enter("lead_teacher", "主讲教师甲")
    pupils = await house.enter("receiving_class", "六(2)班", headcount=43)
    assert teacher.welcome["recording_policy"] == "consented"
    assert (await pupils.ask("set_recording", state="paused"))["code"] == "not_allowed"
    assert (await teacher.ask("consent", given=True))["code"] == "not_allowed"
    await teacher.ask("set_recording", state="paused")
    await pupils.ask("consent", given=True)
    paused = await pupils.event("recording", state="paused")
    assert paused["actor"] == teacher.id
    await teacher.event("consent", participant_id=pupils.id, given=True, name="六(2)班", headcount=43)
    await house.crash()
    late = await house.enter("observer")
    snapshot = late.welcome["snapshot"]
    assert snapshot["recording"] == "paused"
    consents = {one["participant_id"]: one["consent"] for one in snapshot["participants"]}
    assert (consents[pupils.id], consents[teacher.id]) == (True, None)
