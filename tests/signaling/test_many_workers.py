"""A lesson on several workers, which are processes of their own: viewers spread, tracks pulled, deaths survived."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from media import messages as media
from tests.signaling.house import House, Person, captured_offer, eventually, receiving_offer


async def watching(house: House, name: str) -> Person:
    person = await house.enter("receiving_class", name)
    await person.offer("receive", receiving_offer())
    return person


async def held(house: House, number: int) -> media.Held:
    reply = await house.pool.all[number].request(media.ListHeld())
    assert isinstance(reply, media.Held)
    return reply


async def carried(house: House, number: int) -> set[str]:
    """The publications that slots of a worker carry."""
    return {slot.publication_id for slot in (await held(house, number)).slots if slot.publication_id is not None}


async def teaching(house: House) -> Person:
    await eventually(lambda: house.pool.connected == len(house.pool.all))
    teacher = await house.enter("lead_teacher")
    await teacher.ask("start")
    answer = await teacher.offer("send", captured_offer("chromium", "send"), _0="microphone", _1="camera")
    assert answer["publications"]
    return teacher


async def spread(house: House) -> tuple[Person, Person]:
    """The teacher and a class at one worker, and a class at the other, where it gets the same."""
    await teaching(house)
    near, far = await watching(house, "近"), await watching(house, "远")
    async with asyncio.timeout(5):
        while not (await carried(house, 0)) or await carried(house, 0) != await carried(house, 1):
            await far.quiet()
    return near, far


async def test_who_comes_when_home_has_enough_to_do_is_served_by_another_worker(tmp_path: Path) -> None:
    async with House(tmp_path, workers=2, viewers=1) as house:
        await spread(house)
        home, other = await held(house, 0), await held(house, 1)
        assert set(other.pulled) == await carried(house, 1)
        assert (home.pulled, other.publications) == ((), ())
        assert len(home.transports) == 2


async def test_what_nobody_carries_there_any_more_is_released(tmp_path: Path) -> None:
    async with House(tmp_path, workers=2, viewers=1) as house:
        _, far = await spread(house)
        await far.say("leave")
        await eventually(lambda: not house.workers[1].held().pulled)
        assert not house.pool.all[1].viewers


@pytest.mark.parametrize("number", [0, 1])
async def test_the_death_of_a_worker_is_told_to_those_who_had_media_there_and_to_nobody_else(
    tmp_path: Path, number: int
) -> None:
    async with House(tmp_path, workers=2, viewers=1, processes=True) as house:
        people = await spread(house)
        await house.replace_worker(number)
        lost, spared = people[number], people[1 - number]
        assert (await lost.next("media_lost"))["directions"] == ["receive"]
        await eventually(lambda: house.pool.connected == 2)
        answer = await lost.offer("receive", receiving_offer(), generation=2)
        assert answer["type"] == "answer"
        await spared.quiet()
        assert not any(message["type"] == "media_lost" for message in spared.heard)


async def test_a_lesson_whose_home_has_died_goes_on_where_its_viewers_are(tmp_path: Path) -> None:
    async with House(tmp_path, workers=3, viewers=1, processes=True) as house:
        teacher = await teaching(house)
        await watching(house, "近")
        await watching(house, "远")
        (home,) = (worker for worker in house.pool.all if worker.lessons)
        (part,) = (worker for worker in house.pool.all if worker.viewers and worker is not home)
        await house.replace_worker(home.number)
        assert (await teacher.next("media_lost"))["directions"] == ["send"]
        await eventually(lambda: house.pool.connected == 3)  # so that the new one could be chosen, and has less to do
        await teacher.offer("send", captured_offer("chromium", "send"), generation=2, _0="microphone", _1="camera")
        assert part.lessons
        async with asyncio.timeout(5):
            while not await carried(house, part.number):
                await teacher.quiet()
        assert (await held(house, part.number)).pulled == ()


async def test_a_new_server_takes_over_what_workers_pull_from_each_other(tmp_path: Path) -> None:
    async with House(tmp_path, workers=2, viewers=1) as house:
        await spread(house)
        before = house.workers[1].held()
        await house.crash()
        await eventually(lambda: house.pool.connected == 2)
        await eventually(lambda: bool(house.pool.all[1].viewers))
        after = house.workers[1].held()
        assert (after.pulled, after.slots) == (before.pulled, before.slots)
