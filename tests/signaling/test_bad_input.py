"""What a class, or who has taken its place, may try in a room: told so itself, and nobody else notices."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.signaling.house import House, Person, captured_offer

MARKUP = '<img src=x onerror="alert(1)"><script>alert(2)</script>&amp;'


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path) as house:
        yield house


async def heard_by(person: Person) -> list[str]:
    """The kinds of all events that have come and were not asked for."""
    await person.quiet()
    return [message["kind"] for message in person.heard if message["type"] == "event"]


async def test_a_class_does_not_open_the_floor_by_itself(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils, others = await house.enter("receiving_class"), await house.enter("receiving_class")
    await teacher.event("joined", participant_id=others.id)
    teacher.heard.clear()
    for one in (pupils, others):
        assert (await pupils.ask("floor", participant_id=one.id, granted=True))["code"] == "not_allowed"
        assert (await pupils.ask("on_stage", participant_id=one.id))["code"] == "not_allowed"
    assert (await pupils.ask("mode", participant_id=pupils.id, mode="interactive"))["code"] == "not_allowed"
    offer = captured_offer("chromium", "send")
    answer = await pupils.offer("send", offer, _0="microphone")
    assert (answer["type"], answer["code"]) == ("error", "not_allowed")
    assert await heard_by(teacher) == []


FORGED: list[tuple[str, dict[str, Any], str]] = [
    ("private", {"text": "x"}, "not_allowed"),
    ("headcount", {"headcount": 1}, "not_allowed"),
    ("admit", {}, "not_allowed"),
    ("remove", {}, "not_allowed"),
    ("silenced", {"silenced": True}, "not_allowed"),
    ("floor", {"granted": False}, "not_allowed"),
]


@pytest.mark.parametrize(("kind", "fields", "code"), FORGED)
async def test_with_another_classs_id_a_class_says_nothing_in_its_name(
    house: House, kind: str, fields: dict[str, Any], code: str
) -> None:
    teacher = await house.enter("lead_teacher")
    pupils, others = await house.enter("receiving_class"), await house.enter("receiving_class")
    await teacher.ask("floor", participant_id=others.id, granted=True)
    await others.event("floor", participant_id=others.id)
    others.heard.clear()
    assert (await pupils.ask(kind, participant_id=others.id, **fields))["code"] == code
    assert await heard_by(others) == []


async def test_what_a_class_says_is_its_own_whoever_it_claims_to_be(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    pupils, others = await house.enter("receiving_class"), await house.enter("receiving_class")
    for actor in (others.id, teacher.id, "server"):
        await pupils.ask("hand", raised=True, actor=actor, participant_id=actor)
        assert (await teacher.event("hand", raised=True))["actor"] == pupils.id
        await pupils.ask("hand", raised=False)
    await pupils.ask("consent", given=True, participant_id=others.id)
    assert (await teacher.event("consent", given=True))["payload"]["participant_id"] == pupils.id


async def test_an_id_that_nobody_has_is_an_unknown_participant(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    for forged in ("c-0000", "", "x" * 2000, "../..", "\x00", MARKUP):
        assert (await teacher.ask("floor", participant_id=forged, granted=True))["code"] in (
            "unknown_participant",
            "message_malformed",
        )


async def test_a_name_of_five_hundred_characters_does_not_come_in_and_one_with_markup_is_text(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    for wrong in ("班" * 500, "六(2)班\n主讲教师"):
        stranger = await house.open()
        await stranger.say("hello", token="receiving_class:l-1", name=wrong)
        assert (await stranger.error(), await stranger.closed()) == ("hello_expected", 4408)
    assert await heard_by(teacher) == []
    marked = await house.enter("receiving_class", MARKUP)
    joined = await teacher.event("joined", participant_id=marked.id)
    assert joined["payload"]["name"] == MARKUP  # as it was written: pages show text and make no elements of it
    assert (await marked.ask("chat", text="班" * 501))["code"] == "message_malformed"
    await marked.ask("chat", text=MARKUP)
    assert (await teacher.event("chat"))["payload"]["text"] == MARKUP


async def test_ten_thousand_messages_end_the_socket_they_come_by_and_the_others_go_on(house: House) -> None:
    teacher = await house.enter("lead_teacher")
    flood, others = await house.enter("receiving_class"), await house.enter("receiving_class")

    async def pour() -> None:
        text = json.dumps({"type": "signal", "signal": "slower"})
        for _ in range(10_000):
            try:
                await flood.socket.send_str(text)
            except ConnectionError:  # closed: so it should be
                return

    pouring = asyncio.create_task(pour())
    for number in range(10):
        assert (await others.ask("chat", text=str(number)))["type"] == "done"
        await teacher.event("chat", text=str(number))
    # What it is told is lost with the connection when so much lies unread in it; test_socket.py looks at the words.
    await teacher.event("away", participant_id=flood.id, away=True)
    pouring.cancel()
    await asyncio.gather(pouring, return_exceptions=True)
    assert (await heard_by(teacher)).count("signal") <= 100


async def test_of_two_teachers_who_end_the_lesson_at_once_both_hear_that_it_is_over_once(house: House) -> None:
    teacher, helper = await house.enter("lead_teacher"), await house.enter("co_teacher")
    pupils = await house.enter("receiving_class")
    assert (await helper.ask("end"))["code"] == "not_allowed"
    second = await house.enter("lead_teacher")
    await asyncio.gather(teacher.say("end"), second.say("end"))
    for person in (teacher, second, helper, pupils):
        await person.event("ended")
        assert await person.closed() == 4410
        assert "ended" not in [message.get("kind") for message in person.heard]
    assert [event.kind for event in house.watcher.events].count("ended") == 1
