import asyncio
from collections.abc import AsyncIterator
from unittest.mock import patch

import pytest

from server.database import create_engine, migrate, sessions
from server.schools.store import ClassUnknownError, Schools, SchoolUnknownError, TakenError


@pytest.fixture
async def schools(database: str) -> AsyncIterator[Schools]:
    engine = create_engine(database)
    try:
        await migrate(engine)
        yield Schools(sessions(engine))
    finally:
        await engine.dispose()


async def test_a_class_is_known_by_school_and_name_and_found_by_its_code(schools: Schools) -> None:
    school = await schools.add("阜平一小", "河北省阜平县")
    made = await schools.add_class(school.id, "六(2)班", 43)
    assert (made.full_name, made.region, made.headcount) == ("阜平一小 六(2)班", "河北省阜平县", 43)
    assert await schools.by_code(made.code) == made
    assert await schools.by_code("123456") is None


async def test_the_code_of_a_class_is_longer_than_a_lessons_and_nobody_elses(schools: Schools) -> None:
    school = await schools.add("阜平一小")
    with patch("server.schools.store.secrets.randbelow", side_effect=[7, 7, 7, 8]):
        first = await schools.add_class(school.id, "一班")
        second = await schools.add_class(school.id, "二班")
    assert (first.code, second.code) == ("00000007", "00000008")


async def test_a_renewed_code_replaces_the_old_one(schools: Schools) -> None:
    school = await schools.add("阜平一小")
    made = await schools.add_class(school.id, "一班")
    code = await schools.renew_code(made.class_group_id)
    assert await schools.by_code(made.code) is None
    found = await schools.by_code(code)
    assert found is not None
    assert found.class_group_id == made.class_group_id


async def test_no_two_schools_of_a_region_and_no_two_classes_of_a_school_have_one_name(schools: Schools) -> None:
    school = await schools.add("一小", "阜平县")
    other = await schools.add("一小", "张北县")
    with pytest.raises(TakenError):
        await schools.add("一小", "阜平县")
    with pytest.raises(TakenError):
        await schools.change(other.id, "一小", "阜平县")
    await schools.add_class(school.id, "一班")
    await schools.add_class(other.id, "一班")
    with pytest.raises(TakenError):
        await schools.add_class(school.id, "一班")


async def test_a_school_goes_with_its_classes(schools: Schools) -> None:
    school = await schools.add("阜平一小")
    made = await schools.add_class(school.id, "一班")
    await schools.remove(school.id)
    assert await schools.classes() == []
    with pytest.raises(ClassUnknownError):
        await schools.remove_class(made.class_group_id)
    with pytest.raises(SchoolUnknownError):
        await schools.remove(school.id)


@pytest.mark.parametrize("made_up", ["", "x\0", "é", "' OR 1=1 --", "x" * 10_000])
async def test_text_that_is_no_id_is_no_class_and_no_school(schools: Schools, made_up: str) -> None:
    with pytest.raises(ClassUnknownError):
        await schools.class_of(made_up)
    with pytest.raises(SchoolUnknownError):
        await schools.add_class(made_up, "一班")
    assert await schools.by_code(made_up) is None


async def test_of_many_classes_made_at_once_each_has_its_own_code(schools: Schools) -> None:
    school = await schools.add("阜平一小")
    made = await asyncio.gather(*(schools.add_class(school.id, f"{number}班") for number in range(10)))
    assert len({one.code for one in made}) == 10
