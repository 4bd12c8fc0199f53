"""signaling/speech.py: who speaks is told to everyone, and the loudest are heard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media import messages as media
from media.messages import SpeechChanged
from signaling.messages import Speaking
from signaling.speech import Speech
from tests.signaling.house import House, Person, captured_offer, receiving_offer


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path) as house:
        yield house


def test_the_loudest_come_first_and_only_a_change_is_told() -> None:
    told: list[Speaking] = []
    speech = Speech(told.append)
    assert speech.heard(SpeechChanged("a", True, 40))
    assert speech.heard(SpeechChanged("b", True, 30))
    assert not speech.heard(SpeechChanged("b", True, 20))
    assert speech.heard(SpeechChanged("a", True, 10))
    assert not speech.heard(SpeechChanged("c", False, 127))
    assert speech.heard(SpeechChanged("a", False, 127))
    assert [message.publication_ids for message in told] == [("a",), ("b", "a"), ("a", "b"), ("b",)]
    assert speech.levels == {"b": 20}


def test_a_microphone_that_is_gone_speaks_no_more() -> None:
    told: list[Speaking] = []
    speech = Speech(told.append)
    speech.heard(SpeechChanged("a", True, 40))
    speech.keep({"b"})
    assert speech.message is None
    assert told[-1].publication_ids == ()


async def _microphone(house: House, role: str) -> tuple[Person, str]:
    person = await house.enter(role)
    answer = await person.offer("send", captured_offer("chromium", "send"))
    return person, next(one["publication_id"] for one in answer["publications"] if one["kind"] == "audio")


async def test_everyone_is_told_who_speaks_and_a_latecomer_too(house: House) -> None:
    teacher, microphone = await _microphone(house, "lead_teacher")
    pupils = await house.enter("receiving_class")
    house.workers[0].tell(media.SpeechChanged(microphone, True, 30))
    for person in (teacher, pupils):
        assert (await person.next("speaking")) == {"type": "speaking", "publication_ids": [microphone]}
    late = await house.enter("observer")
    assert (await late.next("speaking"))["publication_ids"] == [microphone]
    house.workers[0].tell(media.SpeechChanged(microphone, False, 127))
    assert (await pupils.next("speaking"))["publication_ids"] == []


async def test_the_fourth_microphone_is_heard_when_somebody_speaks_into_it(house: House) -> None:
    _, lead = await _microphone(house, "lead_teacher")
    others = [(await _microphone(house, "co_teacher"))[1] for _ in range(3)]
    pupils = await house.enter("receiving_class")
    await pupils.offer("receive", receiving_offer())
    assert _heard(await pupils.next("slots")) == [lead, others[0], others[1]]
    house.workers[0].tell(media.SpeechChanged(others[0], True, 30))
    house.workers[0].tell(media.SpeechChanged(others[2], True, 40))
    assert _heard(await pupils.next("slots")) == [lead, others[0], others[2]]


async def test_speech_in_another_lesson_is_nobodys_here(house: House) -> None:
    teacher, microphone = await _microphone(house, "lead_teacher")
    house.workers[0].tell(media.SpeechChanged("elsewhere-0", True, 30))
    house.workers[0].tell(media.SpeechChanged(microphone, True, 30))
    assert (await teacher.next("speaking"))["publication_ids"] == [microphone]


def _heard(slots: dict[str, object]) -> list[str]:
    states = slots["slots"]
    assert isinstance(states, list)
    return [state["publication_id"] for state in states if state["kind"] == "audio"]
