import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from server.database import create_engine, migrate, now, sessions
from server.schools.consents import Consents
from server.schools.store import Schools
from server.schools.terms import end_of_term


@pytest.fixture
async def books(database: str) -> AsyncIterator[tuple[Consents, str]]:
    engine = create_engine(database)
    try:
        await migrate(engine)
        factory = sessions(engine)
        schools = Schools(factory)
        made = await schools.add_class((await schools.add("阜平一小")).id, "一班")
        yield Consents(factory), made.class_group_id
    finally:
        await engine.dispose()


async def test_a_consent_holds_until_the_end_of_the_term(books: tuple[Consents, str]) -> None:
    consents, one = books
    assert not await consents.holds(one)
    await consents.give("lesson", one, now())
    assert await consents.holds(one)
    assert await consents.until() == {one: end_of_term(now())}


async def test_a_consent_of_last_term_holds_no_longer(books: tuple[Consents, str]) -> None:
    consents, one = books
    await consents.give("lesson", one, now() - timedelta(days=240))
    assert not await consents.holds(one)
    assert await consents.until() == {}


async def test_a_withdrawn_consent_holds_no_longer_and_may_be_given_anew(books: tuple[Consents, str]) -> None:
    consents, one = books
    await consents.give("lesson", one, now())
    await consents.withdraw(one, now())
    assert not await consents.holds(one)
    await consents.give("lesson", one, now())
    assert await consents.holds(one)


async def test_of_what_a_class_says_in_a_room_the_last_word_is_kept(books: tuple[Consents, str]) -> None:
    consents, one = books
    for given in (True, False, True):
        consents.said("lesson", one, given)
    consents.said("lesson", "no such class", True)
    writing = asyncio.create_task(consents.run())
    try:
        async with asyncio.timeout(5):
            while not await consents.holds(one):
                await asyncio.sleep(0.01)
        consents.said("lesson", one, False)
        async with asyncio.timeout(5):
            while await consents.holds(one):
                await asyncio.sleep(0.01)
    finally:
        writing.cancel()
