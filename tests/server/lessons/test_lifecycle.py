import asyncio
import sqlite3
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy.exc import OperationalError

from server.database import create_engine, migrate, sessions
from server.lessons import lifecycle
from server.lessons.lifecycle import Directory, Lifecycle
from server.lessons.store import Lessons
from signaling.events import SERVER, Event, Started


@pytest.fixture
async def lessons(database: str) -> AsyncIterator[Lessons]:
    engine = create_engine(database)
    await migrate(engine)
    yield Lessons(sessions(engine))
    await engine.dispose()


@pytest.fixture
async def followed(lessons: Lessons) -> AsyncIterator[Lifecycle]:
    made = Lifecycle(lessons)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()


async def test_a_lesson_is_scheduled_then_live_then_ended(lessons: Lessons, followed: Lifecycle) -> None:
    lesson, _ = await lessons.create("x", "lecture")
    followed.room_opened(lesson.id, 1_700_000_000_000_000, "x", "all")
    followed.event_stored(lesson.id, Event(1, 5000, SERVER, Started()))
    await followed.room_ended(lesson.id)
    known = await lessons.get(lesson.id)
    assert (known.status, known.epoch_us) == ("ended", 1_700_000_000_000_000)
    assert known.started_at is not None
    assert known.started_at.timestamp() == 1_700_000_005
    found = await Directory(lessons).find(lesson.id)
    assert found is not None
    assert found.status == "ended"
    assert await Directory(lessons).find("nothing") is None


async def test_a_database_that_refuses_is_asked_again_and_the_room_does_not_wait_for_ever(
    lessons: Lessons, followed: Lifecycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "RETRY", 0.01)
    monkeypatch.setattr(lifecycle, "PATIENCE", 0.05)
    lesson, _ = await lessons.create("x", "lecture")

    async def full(*_: Any, **__: Any) -> None:
        raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database or disk is full"))

    followed.room_opened(lesson.id, 1, "x", "all")
    with patch.object(Lessons, "_update", full):
        followed.event_stored(lesson.id, Event(1, 0, SERVER, Started()))
        with pytest.raises(TimeoutError):
            await followed.room_ended(lesson.id)
        assert (await lessons.get(lesson.id)).status == "scheduled"
    async with asyncio.timeout(10):
        while (await lessons.get(lesson.id)).status != "ended":
            await asyncio.sleep(0.01)
    assert (await lessons.get(lesson.id)).started_at is not None
