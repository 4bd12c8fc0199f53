"""What is between the teachers and one class goes over no other socket, and nobody takes the hole for a loss."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.signaling.house import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path) as house:
        yield house


async def test_a_private_word_is_on_no_other_socket_and_the_next_event_says_what_came_before(house: House) -> None:
    teacher = await house.enter("lead_teacher", "主讲教师甲")
    near = await house.enter("receiving_class", "阜平一小")
    far = await house.enter("receiving_class", "张北实验")
    await far.ask("hand", raised=True)
    before = await far.event("hand")
    await teacher.ask("private", participant_id=near.id, text="只给这个班")
    await near.ask("signal", signal="slower")
    await teacher.ask("chat", text="同学们好")

    heard = await far.event("chat")
    assert heard["prev"] == before["seq"]
    assert heard["seq"] == before["seq"] + 3
    await far.quiet()
    assert [one["kind"] for one in far.heard if one["type"] == "event" and one["seq"] > before["seq"]] == []
    for one in (teacher, near):
        assert "prev" not in await one.event("private", text="只给这个班")
        assert "prev" not in await one.event("chat")


async def test_who_comes_back_misses_nothing_of_its_own_and_gets_nothing_of_others(house: House) -> None:
    teacher = await house.enter("lead_teacher", "主讲教师甲")
    near = await house.enter("receiving_class", "阜平一小")
    far = await house.enter("receiving_class", "张北实验")
    await far.vanish()
    await teacher.event("away", participant_id=far.id)
    await teacher.ask("private", participant_id=near.id, text="只给这个班")
    await teacher.ask("private", participant_id=far.id, text="给您")
    again = await house.enter("receiving_class", resume=far.resume)
    assert again.welcome["resumed"] is True
    await teacher.ask("private", participant_id=near.id, text="又一句")
    await teacher.ask("chat", text="同学们好")
    await again.event("chat")
    events = [one for one in again.heard if one["type"] == "event"]
    assert [one["payload"]["text"] for one in events if one["kind"] == "private"] == ["给您"]
    known = far.welcome["seq"]
    for one in events:
        assert one.get("prev", one["seq"] - 1) <= known
        known = one["seq"]


async def test_a_latecomer_sees_no_private_word_of_before(house: House) -> None:
    teacher = await house.enter("lead_teacher", "主讲教师甲")
    near = await house.enter("receiving_class", "阜平一小")
    await teacher.ask("private", participant_id=near.id, text="只给这个班")
    late = await house.enter("receiving_class", "张北实验")
    assert late.welcome["snapshot"]["private"] == []
    co_teacher = await house.enter("co_teacher", "辅助")
    assert [one["text"] for one in co_teacher.welcome["snapshot"]["private"]] == ["只给这个班"]
