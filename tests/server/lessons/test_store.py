import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from unittest.mock import patch

import pytest

from server.audit.trail import SERVER, entry
from server.database import create_engine, migrate, now, sessions
from server.lessons.store import CODE_REST, Lessons, LessonUnknownError, NoFreeCodeError


@pytest.fixture
async def lessons(database: str) -> AsyncIterator[Lessons]:
    engine = create_engine(database)
    try:
        await migrate(engine)
        yield Lessons(sessions(engine))
    finally:
        await engine.dispose()


async def test_a_code_is_never_given_to_two_lessons(lessons: Lessons) -> None:
    with patch("server.lessons.store.secrets.randbelow", side_effect=[7, 7, 7, 8]):
        _, first = await lessons.create("一", "lecture")
        _, second = await lessons.create("二", "lecture")
    assert (first, second) == ("000007", "000008")
    with patch("server.lessons.store.secrets.randbelow", return_value=7), pytest.raises(NoFreeCodeError):
        await lessons.create("三", "lecture")


async def test_the_code_of_a_lesson_rests_for_a_day_after_it(lessons: Lessons) -> None:
    with patch("server.lessons.store.secrets.randbelow", return_value=7):
        lesson, _ = await lessons.create("一", "lecture")
        await lessons.ended(lesson.id, now() - CODE_REST + timedelta(minutes=1))
        with pytest.raises(NoFreeCodeError):
            await lessons.create("二", "lecture")
        found = await lessons.by_code("000007")
        assert found is not None
        assert found.id == lesson.id


async def test_the_code_of_a_lesson_long_over_is_used_again(lessons: Lessons) -> None:
    with patch("server.lessons.store.secrets.randbelow", return_value=7):
        old, _ = await lessons.create("一", "lecture")
        await lessons.ended(old.id, now() - CODE_REST - timedelta(minutes=1))
        new, code = await lessons.create("二", "lecture")
    found = await lessons.by_code(code)
    assert found is not None
    assert found.id == new.id


async def test_a_lesson_goes_from_scheduled_to_live_to_ended_and_never_back(lessons: Lessons) -> None:
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


async def test_a_code_can_move_on_to_the_next_lesson(lessons: Lessons) -> None:
    first, code = await lessons.create("一", "lecture")
    second, own = await lessons.create("二", "lecture")
    await lessons.move_code(code, second.id)
    assert await lessons.codes([first.id, second.id]) == {second.id: code}
    assert await lessons.by_code(own) is None


async def test_lessons_are_paged_newest_first(lessons: Lessons) -> None:
    made = [(await lessons.create(str(number), "lecture"))[0] for number in range(5)]
    first = await lessons.page(3)
    second = await lessons.page(3, first[-1])
    found = [*first, *second]
    assert {lesson.id for lesson in found} == {lesson.id for lesson in made}
    assert found == sorted(found, key=lambda lesson: (lesson.created_at, lesson.id), reverse=True)


async def test_of_many_who_make_a_lesson_at_once_each_gets_a_code_of_its_own(lessons: Lessons) -> None:
    made = await asyncio.gather(*(lessons.create(str(number), "lecture") for number in range(10)))
    assert len({code for _, code in made}) == 10


async def test_a_lesson_that_is_removed_takes_its_code_along(lessons: Lessons) -> None:
    lesson, code = await lessons.create("一", "lecture")
    await lessons.remove(lesson.id)
    assert await lessons.by_code(code) is None
    with pytest.raises(LessonUnknownError):
        await lessons.get(lesson.id)


@pytest.mark.parametrize("lesson_id", ["", "x\0", "é", "' OR 1=1 --", "x" * 10_000])
async def test_text_that_is_no_id_is_no_lesson(lessons: Lessons, lesson_id: str) -> None:
    with pytest.raises(LessonUnknownError):
        await lessons.get(lesson_id)


async def test_a_deleted_lesson_is_unknown_whatever_is_left_of_it(lessons: Lessons) -> None:
    lesson, code = await lessons.create("一", "lecture")
    made = entry(SERVER, "deleted", lesson.id, "一")
    assert not await lessons.mark_deleted(lesson.id, made)  # it is not over
    await lessons.ended(lesson.id, now())
    assert await lessons.mark_deleted(lesson.id, entry(SERVER, "deleted", lesson.id, "一"))
    assert not await lessons.mark_deleted(lesson.id, entry(SERVER, "deleted", lesson.id, "一"))
    with pytest.raises(LessonUnknownError):
        await lessons.get(lesson.id)
    assert await lessons.by_code(code) is None
    assert list(await lessons.page(10)) == []
    assert await lessons.deleted() == [lesson.id]
    await lessons.remove(lesson.id)
    assert await lessons.deleted() == []


async def test_old_lessons_are_found_by_kind_unless_they_are_kept(lessons: Lessons) -> None:
    ids = []
    for kind, days in (("lecture", 40), ("lecture", 31), ("training", 40), ("lecture", 29), ("lecture", 50)):
        lesson, _ = await lessons.create("课", kind)  # type: ignore[arg-type]
        await lessons.ended(lesson.id, now() - timedelta(days=days))
        ids.append(lesson.id)
    await lessons.set_keep(ids[4], True, entry(SERVER, "kept", ids[4], "课"))
    limit = now() - timedelta(days=30)
    assert {one.id for one in await lessons.older_than(limit, ["lecture"], 10)} == {ids[0], ids[1]}
    assert len(await lessons.older_than(limit, ["lecture", "training"], 2)) == 2
