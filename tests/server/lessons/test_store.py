from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from server.database import create_engine, migrate, now, sessions
from server.lessons.store import CODE_REST, Lessons, NoFreeCodeError


@asynccontextmanager
async def store(folder: Path) -> AsyncIterator[Lessons]:
    engine = create_engine(f"sqlite+aiosqlite:///{folder / 'x.db'}")
    try:
        await migrate(engine)
        yield Lessons(sessions(engine))
    finally:
        await engine.dispose()


async def test_a_code_is_never_given_to_two_lessons(tmp_path: Path) -> None:
    async with store(tmp_path) as lessons:
        with patch("server.lessons.store.secrets.randbelow", side_effect=[7, 7, 7, 8]):
            _, first = await lessons.create("一", "lecture")
            _, second = await lessons.create("二", "lecture")
        assert (first, second) == ("000007", "000008")
        with patch("server.lessons.store.secrets.randbelow", return_value=7), pytest.raises(NoFreeCodeError):
            await lessons.create("三", "lecture")


async def test_the_code_of_a_lesson_rests_for_a_day_after_it(tmp_path: Path) -> None:
    async with store(tmp_path) as lessons:
        with patch("server.lessons.store.secrets.randbelow", return_value=7):
            lesson, _ = await lessons.create("一", "lecture")
            await lessons.ended(lesson.id, now() - CODE_REST + timedelta(minutes=1))
            with pytest.raises(NoFreeCodeError):
                await lessons.create("二", "lecture")
            found = await lessons.by_code("000007")
            assert found is not None
            assert found.id == lesson.id


async def test_the_code_of_a_lesson_long_over_is_used_again(tmp_path: Path) -> None:
    async with store(tmp_path) as lessons:
        with patch("server.lessons.store.secrets.randbelow", return_value=7):
            old, _ = await lessons.create("一", "lecture")
            await lessons.ended(old.id, now() - CODE_REST - timedelta(minutes=1))
            new, code = await lessons.create("二", "lecture")
        found = await lessons.by_code(code)
        assert found is not None
        assert found.id == new.id


async def test_a_lesson_goes_from_scheduled_to_live_to_ended_and_never_back(tmp_path: Path) -> None:
    async with store(tmp_path) as lessons:
        lesson, _ = await lessons.create("一", "lecture")
        moment = now()
        await lessons.opened(lesson.id, 1_700_000_000_000_000)
        await lessons.started(lesson.id, moment)
        live = await lessons.get(lesson.id)
        assert (live.status, live.started_at, live.epoch_us) == ("live", moment, 1_700_000_000_000_000)
        await lessons.ended(lesson.id, moment + timedelta(hours=1))
        await lessons.ended(lesson.id, moment + timedelta(hours=2))
        await lessons.started(lesson.id, moment)
        ended = await lessons.get(lesson.id)
        assert (ended.status, ended.ended_at) == ("ended", moment + timedelta(hours=1))


async def test_a_code_can_move_on_to_the_next_lesson(tmp_path: Path) -> None:
    async with store(tmp_path) as lessons:
        first, code = await lessons.create("一", "lecture")
        second, own = await lessons.create("二", "lecture")
        await lessons.move_code(code, second.id)
        assert await lessons.codes([first.id, second.id]) == {second.id: code}
        assert await lessons.by_code(own) is None
