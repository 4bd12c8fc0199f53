import asyncio
from collections.abc import AsyncIterator

import pytest

from server.audit import trail as trail_module
from server.audit.trail import Actor, Trail, entry
from server.database import create_engine, migrate, sessions

SOMEONE = Actor("甲", "teacher", "u1")


@pytest.fixture
async def trail(database: str) -> AsyncIterator[Trail]:
    engine = create_engine(database)
    try:
        await migrate(engine)
        yield Trail(sessions(engine))
    finally:
        await engine.dispose()


async def written(trail: Trail, count: int) -> list[tuple[str, str, str]]:
    """Run the trail until so many entries are there."""
    task = asyncio.create_task(trail.run())
    try:
        async with asyncio.timeout(10):
            while len(found := await trail.page(100)) < count:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return [(one.actor, one.action, one.lesson_id) for one in found]


async def test_what_is_seen_again_within_the_hour_is_one_entry(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        trail.saw(SOMEONE, "seen", "l1", "草原")
    trail.saw(SOMEONE, "seen", "l2", "草原")
    trail.saw(Actor("甲", "observer"), "seen", "l1", "草原")
    assert len(await written(trail, 3)) == 3
    monkeypatch.setattr(trail_module, "AGAIN", 0.0)
    trail.saw(SOMEONE, "seen", "l1", "草原")
    assert (await written(trail, 4))[0] == ("甲", "seen", "l1")


async def test_entries_wait_for_a_database_that_is_away(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_module, "RETRY", 0.01)
    engine = create_engine(database)
    trail = Trail(sessions(engine))  # there is no table yet
    trail.saw(SOMEONE, "seen", "l1", "草原")
    task = asyncio.create_task(trail.run())
    await asyncio.sleep(0.1)
    await migrate(engine)
    async with asyncio.timeout(10):
        while not await trail.page(1):
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await engine.dispose()


async def test_what_waits_when_the_process_ends_is_written(trail: Trail) -> None:
    task = asyncio.create_task(trail.run())
    await asyncio.sleep(0)
    for number in range(20):
        trail.saw(SOMEONE, "seen", f"l{number}", "草原")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(await trail.page(100)) == 20


async def test_entries_are_read_newest_first_in_pages_and_by_lesson(trail: Trail) -> None:
    for number in range(5):
        await trail.add(entry(SOMEONE, "deleted", f"l{number % 2}", "草原", str(number)))
    first = await trail.page(2)
    assert [one.detail for one in first] == ["4", "3"]
    assert [one.detail for one in await trail.page(9, before=first[-1].id)] == ["2", "1", "0"]
    assert [one.detail for one in await trail.page(9, lesson_id="l1")] == ["3", "1"]


async def test_any_text_fits(trail: Trail) -> None:
    await trail.add(entry(Actor("甲\0" * 300, "admin"), "deleted", "l1", "题" * 500, "\0"))
    (one,) = await trail.page(1)
    assert (len(one.actor), len(one.title), one.detail) == (100, 200, "")
