from datetime import timedelta
from pathlib import Path

import pytest

from server.database import now
from server.lessons import api
from server.lessons.kinds import LessonKind
from server.lessons.retention import Retention
from server.lessons.retention_rule import RetentionRule, kinds_by_days
from tests.server.application import Client, running, token
from tests.server.lessons.test_deletion import entries, record


def rules(*texts: str) -> list[RetentionRule]:
    return [RetentionRule.parse(text) for text in texts]


async def over_since(client: Client, data: Path, kind: LessonKind, days: float) -> str:
    """A recorded lesson that ended so long ago."""
    lessons = client.app[api.LESSONS]
    lesson, _ = await lessons.create("课", kind)
    record(data, lesson.id)
    await lessons.ended(lesson.id, now() - timedelta(days=days))
    return lesson.id


def test_a_kind_without_a_rule_of_its_own_is_kept_as_long_as_the_others() -> None:
    assert kinds_by_days([]) == {}
    assert kinds_by_days(rules("0", "lecture=30")) == {30: ["lecture"]}
    found = kinds_by_days(rules("365", "lecture=0", "training=30"))
    assert found[30] == ["training"]
    assert "lecture" not in found[365]
    assert "delivered_class" in found[365]


@pytest.mark.parametrize("text", ["", "x", "-1", "party=3", "lecture=", "=3", "lecture=x", "99999", "3.5", "٣"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # the settings say what is wrong with it
        RetentionRule.parse(text)


@pytest.mark.parametrize("text", ["365", "0", "lecture=90"])
def test_a_rule_is_written_as_it_is_read(text: str) -> None:
    assert str(RetentionRule.parse(text)) == text


async def test_lessons_older_than_their_kind_is_kept_for_are_deleted(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        old = await over_since(client, tmp_path, "delivered_class", 31)
        young = await over_since(client, tmp_path, "delivered_class", 29)
        lecture = await over_since(client, tmp_path, "lecture", 500)
        kept = await over_since(client, tmp_path, "delivered_class", 500)
        headers = token(client, "", "admin")
        assert (await client.patch(f"/api/lessons/{kept}", json={"keep": True}, headers=headers)).status == 200
        scheduled, _ = await client.app[api.LESSONS].create("未上的课", "delivered_class")
        retention = Retention(rules("30", "lecture=0"), client.app[api.LESSONS], client.app[api.DELETIONS])
        assert await retention.sweep(now()) == 1
        assert await retention.sweep(now()) == 0
        left = {
            one["lesson_id"] for one in (await (await client.get("/api/lessons", headers=headers)).json())["lessons"]
        }
        assert left == {young, lecture, kept, scheduled.id}
        assert not (tmp_path / "archive" / old).exists()
        (deleted,) = [one for one in await entries(client, lesson_id=old) if one["action"] == "deleted"]
        assert (deleted["actor_role"], deleted["detail"]) == ("server", "older than 30 days")
        (noted,) = await entries(client, lesson_id=kept)
        assert noted["action"] == "kept"


async def test_one_lesson_that_cannot_be_deleted_stops_no_other(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        stuck = await over_since(client, tmp_path, "lecture", 40)
        record(tmp_path, stuck, "recording")
        old = await over_since(client, tmp_path, "lecture", 31)
        retention = Retention(rules("30"), client.app[api.LESSONS], client.app[api.DELETIONS])
        assert await retention.sweep(now()) == 1
        assert (tmp_path / "archive" / stuck).exists()
        assert not (tmp_path / "archive" / old).exists()


async def test_a_rehearsal_is_forgotten_after_a_day_without_any_rule(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        lessons = client.app[api.LESSONS]
        old, _ = await lessons.create("试讲", "lecture", rehearsal=True)
        young, _ = await lessons.create("试讲", "lecture", rehearsal=True)
        await lessons.ended(old.id, now() - timedelta(days=2))
        await lessons.ended(young.id, now())
        assert await Retention([], lessons, client.app[api.DELETIONS]).sweep(now()) == 1
        assert (await lessons.get(young.id)).rehearsal
