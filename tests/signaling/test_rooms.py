import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media.messages import TransportChanged
from signaling import live, rooms
from signaling.bus import Opened
from tests.signaling.house import House, captured_offer, eventually, receiving_offer
from tests.signaling.test_whip import post, state


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path) as house:
        yield house


# ── the server process dies ───────────────────────────────────────────────────────────────────────────────────────


async def test_after_a_crash_everyone_resumes_and_the_media_never_stopped(house: House) -> None:
    teacher = await house.enter("lead_teacher", "主讲教师甲")
    pupils = await house.enter("receiving_class", "六(2)班")
    await teacher.ask("start")
    sent = await teacher.offer("send", captured_offer("chromium", "send"))
    await pupils.offer("receive", receiving_offer())
    await teacher.ask("floor", participant_id=pupils.id, granted=True)
    worker = house.workers[0]
    ids = {one["publication_id"] for one in sent["publications"]}
    await eventually(lambda: ids <= {slot.publication_id for slot in worker.held().slots})
    before = worker.held()
    seq = state(house).seq

    await house.crash()
    assert worker.held() == before
    again = await house.enter("receiving_class", resume={"session": pupils.welcome["session"], "seq": seq - 1})
    back = await house.enter("lead_teacher", resume=teacher.resume)
    assert (again.id, again.welcome["resumed"], back.id) == (pupils.id, True, teacher.id)
    assert (await again.event("floor"))["seq"] == seq
    slots = (await again.next("slots"))["slots"]
    assert ids == {slot["publication_id"] for slot in slots} - {None}
    await back.quiet()
    assert not [message for message in back.heard if message["type"] == "media_lost"]
    assert not [event for event in house.watcher.events if event.kind == "away"]
    assert worker.held() == before

    # What was negotiated before goes on being negotiated: the same generation is a re-offer.
    answer = await back.offer("send", captured_offer("chromium", "send"))
    assert {one["publication_id"] for one in answer["publications"]} == ids
    pupils_answer = await again.offer("send", captured_offer("chromium", "send"))
    assert len(pupils_answer["publications"]) == 2


async def test_after_a_crash_the_observers_hear_of_the_room_and_its_publications_again(house: House) -> None:
    await post(house)
    house.watcher.told.clear()
    await house.crash()
    await eventually(lambda: len(house.watcher.told) == 3)
    assert house.watcher.told == [("opened", "l-1"), ("added", "microphone", True), ("added", "camera", True)]
    assert [event.seq for event in await house.rooms.events("l-1", after=2)] == [3, 4]


async def test_a_whip_session_goes_on_over_a_crash(house: House) -> None:
    posted = await post(house)
    headers = {"Authorization": "Bearer lead_teacher:l-1", "Content-Type": "application/trickle-ice-sdpfrag"}
    restart = "a=ice-ufrag:AbCd\r\na=ice-pwd:0123456789abcdefghijkl\r\n"
    location = posted.headers["Location"]
    await house.http.patch(house.url + location, data=restart, headers={**headers, "If-Match": "*"})
    await house.crash()
    again = await house.http.patch(house.url + location, data=restart, headers={**headers, "If-Match": '"2"'})
    assert again.status == 204
    await eventually(lambda: house.pool.connected == 1)
    assert (await house.http.delete(house.url + location, headers=headers)).status == 200
    await eventually(lambda: not house.workers[0].held().transports)


async def test_what_was_lost_while_nobody_ran_is_told_to_who_resumes(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    await teacher.offer("send", captured_offer("chromium", "send"))
    await post(house)
    await house.stop()
    await house.replace_worker(0)
    await house.start()
    await eventually(lambda: not state(house).publications)
    assert [one.participant_id for one in state(house).participants.values()] == [teacher.id]
    back = await house.enter("lead_teacher", resume=teacher.resume)
    assert (await back.next("media_lost"))["directions"] == ["send"]


async def test_who_does_not_return_after_a_crash_is_away_and_then_gone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RETURN", 0.05)
    monkeypatch.setattr(live, "AWAY", 0.1)
    await house.enter("receiving_class")
    await house.crash()
    await eventually(lambda: [event.kind for event in house.watcher.events] == ["joined", "away", "left"])


async def test_transports_nobody_knows_are_closed(house: House) -> None:
    await post(house)
    await house.stop()
    for path in (house.folder / "rooms").iterdir():
        path.unlink()
    await house.start()
    await eventually(lambda: not house.workers[0].held().transports)


async def test_a_lesson_whose_end_was_cut_short_is_ended_at_the_next_start(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    await teacher.ask("start")
    await house.stop()
    log = house.folder / "rooms" / "l-1.jsonl"
    ended = {"entry": "event", "seq": state_seq(log) + 1, "at_ms": 10**6, "kind": "ended", "actor": "server"}
    log.write_text(log.read_text() + json.dumps({**ended, "payload": {}}) + "\n")
    house.watcher.told.clear()
    await house.start()
    await eventually(lambda: ("ended", "l-1") in house.watcher.told)
    await eventually(lambda: house.rooms.count == 0)
    assert await house.bus.lessons() == []


def state_seq(log: Path) -> int:
    return max(int(json.loads(line).get("seq", 0)) for line in log.read_text().splitlines())


async def test_a_server_that_stops_lets_its_sockets_go_and_its_lessons_stay(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    await teacher.ask("chat", text="好")
    await house.rooms.close()
    assert await teacher.closed() == 1001
    await house.start()
    back = await house.enter("lead_teacher", resume=teacher.resume)
    assert (back.id, back.welcome["resumed"]) == (teacher.id, True)


async def test_a_stopped_server_opens_no_room(house: House) -> None:
    await house.rooms.close()
    late = await house.open()
    await late.say("hello", token="observer:l-1")
    assert (await late.error(), await late.closed()) == ("media_unavailable", 1013)


async def test_the_lesson_clock_goes_on_over_a_crash(house: House) -> None:
    log = [Opened(time.time_ns() // 1000 - 3_600_000_000, "一小时前")]
    await house.bus.append("l-2", log)
    person = await house.enter("observer", lesson_id="l-2")
    assert person.welcome["title"] == "一小时前"
    assert 3_600_000 <= person.welcome["now_ms"] < 3_660_000


# ── media workers die ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_dead_worker_is_told_at_once_and_offers_go_to_the_next(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils = await house.enter("receiving_class")
    await teacher.offer("send", captured_offer("chromium", "send"))
    await teacher.offer("receive", receiving_offer())
    await pupils.offer("receive", receiving_offer())
    await house.workers[0].die()
    assert (await teacher.next("media_lost"))["directions"] == ["send", "receive"]
    assert (await pupils.next("media_lost"))["directions"] == ["receive"]
    await pupils.event("unpublished")
    await house.replace_worker(0)
    again = await teacher.offer("send", captured_offer("chromium", "send"), generation=2)
    await pupils.offer("receive", receiving_offer(), generation=2)
    camera = again["publications"][1]["publication_id"]
    await pupils.find(lambda message: message["type"] == "slots" and camera in json.dumps(message))


async def test_with_two_workers_lessons_spread_and_move_to_the_living(tmp_path: Path) -> None:
    async with House(tmp_path, workers=2) as house:
        await eventually(lambda: house.pool.connected == 2)
        people = [await house.enter("lead_teacher", lesson_id=f"l-{number}") for number in range(1, 5)]
        for person in people:
            await person.offer("send", captured_offer("chromium", "send"))
        assert [len(worker.held().transports) for worker in house.workers] == [2, 2]
        await house.workers[0].die()
        for person in people[0], people[2]:
            assert (await person.next("media_lost"))["directions"] == ["send"]
            assert (await person.offer("send", captured_offer("chromium", "send"), generation=2))["type"] == "answer"
        assert len(house.workers[1].held().transports) == 4
        for person in people[1], people[3]:
            await person.quiet()
            assert not [message for message in person.heard if message["type"] == "media_lost"]


async def test_a_connection_lost_to_a_living_worker_loses_nothing(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    await teacher.offer("send", captured_offer("chromium", "send"))
    (worker,) = house.pool.all
    assert worker._client is not None
    await worker._client.close()
    await eventually(lambda: worker.alive)
    await teacher.quiet()
    assert not [message for message in teacher.heard if message["type"] == "media_lost"]
    assert len(state(house).publications) == 2
    (transport,) = house.workers[0].held().transports
    house.workers[0].tell(TransportChanged(transport.transport_id, "lost"))
    await teacher.next("media_lost")


# ── ending and tidying ────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_server_ends_a_lesson_and_waits_for_its_observers(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    await teacher.offer("send", captured_offer("chromium", "send"))
    assert await house.rooms.end("l-1")
    assert house.watcher.told[-1] == ("ended", "l-1")
    await teacher.event("ended")
    assert await teacher.closed() == 4410
    assert not await house.rooms.end("l-1")
    assert not await house.rooms.end("l-2")
    await eventually(lambda: not house.workers[0].held().transports)


async def test_an_observer_that_fails_disturbs_nobody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    for name in ("event_stored", "publication_added", "room_ended"):
        monkeypatch.setattr(house.watcher, name, fail)
    teacher = await house.enter("lead_teacher")
    await teacher.ask("start")
    assert (await teacher.offer("send", captured_offer("chromium", "send")))["type"] == "answer"
    await house.rooms.end("l-1")
    assert house.rooms.count == 0


async def test_an_end_that_an_observer_could_not_take_is_told_again_at_the_next_start(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late(lesson_id: str) -> None:
        raise TimeoutError

    teacher = await house.enter("lead_teacher")
    await teacher.ask("start")
    with monkeypatch.context() as patch:
        patch.setattr(house.watcher, "room_ended", late)
        assert await house.rooms.end("l-1")
    assert house.rooms.count == 0
    assert await house.bus.lessons() == ["l-1"]
    await house.stop()
    await house.start()
    await eventually(lambda: ("ended", "l-1") in house.watcher.told)
    await eventually(lambda: house.rooms.count == 0)
    assert await house.bus.lessons() == []


async def test_recording_is_told_to_everyone(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    house.rooms.set_recording("l-1", "on")
    house.rooms.set_recording("l-1", "stopped", "disk_full")
    house.rooms.set_recording("l-9", "on")
    assert (await teacher.event("recording"))["payload"] == {"state": "on", "reason": None}
    assert (await teacher.event("recording"))["payload"] == {"state": "stopped", "reason": "disk_full"}


async def test_an_empty_room_that_has_not_started_is_put_down_and_comes_back_as_it_was(house: House) -> None:
    person = await house.enter("lead_teacher")
    await person.ask("chat", text="明天见")
    await person.ask("leave")
    await house.rooms.sweep(time.monotonic())
    assert house.rooms.count == 1
    await house.rooms.sweep(time.monotonic() + rooms.IDLE)
    assert house.rooms.count == 0
    back = await house.enter("lead_teacher")
    assert [line["text"] for line in back.welcome["snapshot"]["chat"]] == ["明天见"]
    assert house.watcher.told == [("opened", "l-1")]


async def test_a_started_lesson_nobody_is_in_ends_only_after_hours(house: House) -> None:
    person = await house.enter("lead_teacher")
    await person.ask("start")
    await person.ask("leave")
    await house.rooms.sweep(time.monotonic() + rooms.IDLE)
    assert house.rooms.count == 1
    await house.rooms.sweep(time.monotonic() + rooms.FORGOTTEN)
    await eventually(lambda: house.rooms.count == 0)
    assert house.watcher.told[-1] == ("ended", "l-1")


async def test_which_of_two_contents_a_class_gets_follows_the_teachers_choice_at_once(house: House) -> None:
    teacher, other = await house.enter("lead_teacher"), await house.enter("co_teacher")
    pupils = await house.enter("receiving_class")
    offer = captured_offer("chromium", "send")
    await teacher.offer("send", offer, _0="microphone", _1="screen")
    await other.offer("send", offer, _0="microphone", _1="document_camera")
    await pupils.offer("receive", receiving_offer())

    async def content(source: str) -> None:
        await pupils.find(
            lambda message: message["type"] == "slots" and [slot["source"] for slot in message["slots"]][4] == source
        )

    await content("screen")
    await teacher.ask("shown", source="document_camera", layout="content")
    await content("document_camera")
