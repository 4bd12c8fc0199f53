from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from media import messages as media
from media.worker import Worker
from signaling import statistics
from signaling.messages import SlotQuality
from signaling.statistics import Surveys, loss, rung
from tests.signaling.house import House, captured_offer, eventually, receiving_offer


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path) as house:
        yield house


def slot(mid: str, rid: str | None = "h", height: int = 720, paused: bool = False, **more: Any) -> media.SlotStatistics:
    fields = {"publication_id": "p", "bitrate": 1e6, "loss": 0.0, "jitter_ms": 1.0, "nacked": 0, "repeated": 0}
    return media.SlotStatistics(mid, rid=rid, height=height, paused=paused, **{**fields, "pictures_lost": 0, **more})


@pytest.mark.parametrize(
    ("slots", "expected"),
    [
        ([], None),
        ([slot("3", height=720)], "high"),
        ([slot("3", height=540)], "high"),
        ([slot("3", height=360)], "medium"),
        ([slot("3", height=180)], "low"),
        ([slot("3", height=180), slot("4", height=1080)], "high"),
        ([slot("3", rid=None, height=0, paused=True), slot("4", height=180)], "low"),
        ([slot("3", paused=True), slot("4", rid=None, height=0, paused=True)], "audio"),
        ([slot("3", rid="", height=0)], None),  # a picture whose size is not known yet
        ([slot("3", rid=None, height=0)], None),
        ([slot("3", publication_id=None, paused=True)], None),
    ],
)
def test_the_rung_is_that_of_the_tallest_picture(slots: list[media.SlotStatistics], expected: str | None) -> None:
    assert rung(slots) == expected


def test_the_loss_of_a_transport_counts_each_stream_by_its_bitrate() -> None:
    layer = media.LayerStatistics("h", "H264", 720, 1e5, 0.06, 1.0, 0, 0)
    publications = (media.PublicationStatistics("p", (layer,)),)
    slots = (slot("3", bitrate=3e5, loss=0.02), slot("4", bitrate=0.0, loss=0.9))
    one = media.TransportStatistics("r-1", "receive", True, "udp", None, None, 4e5, publications, slots)
    assert loss(one) == pytest.approx(0.03)


async def _in_class(house: House, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, Any]:
    """A teacher who publishes, a class and an observer who receive, and a worker to which all are connected."""
    teacher = await house.enter("lead_teacher")
    await teacher.offer("send", captured_offer("chromium", "send"))
    await teacher.offer("receive", receiving_offer())
    pupils, observer = await house.enter("receiving_class"), await house.enter("observer")
    for person in (pupils, observer):
        await person.offer("receive", receiving_offer())
        await person.find(lambda message: message["type"] == "slots" and message["slots"][3]["publication_id"])
    handle = Worker.handle

    def embellished(self: Worker, request: media.Request, now: float) -> media.Reply:
        reply = handle(self, request, now)
        if not isinstance(reply, media.Surveyed):
            return reply
        carried = (slot("3", rid="m", height=360, loss=0.04), slot("0", rid="", height=0, bitrate=0.0))
        return media.Surveyed(
            tuple(
                media.TransportStatistics(
                    one.transport_id, one.direction, True, "tcp", 81.5, 1.9e6, 7e5, one.publications,
                    carried if one.slots else (),
                )
                for one in reply.transports
            )
        )  # fmt: skip

    monkeypatch.setattr(Worker, "handle", embellished)
    return teacher, pupils, observer


async def test_everybody_hears_of_their_own_transports_and_teachers_of_the_line_of_each_class(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher, pupils, observer = await _in_class(house, monkeypatch)
    surveys = Surveys(house.rooms)
    await surveys.survey()
    told = await pupils.next("statistics")
    assert [(one["direction"], one["protocol"], one["rtt_ms"]) for one in told["transports"]] == [
        ("receive", "tcp", 81.5)
    ]
    assert told["transports"][0]["slots"][0]["loss"] == 0.04
    assert told["lines"] == []
    assert (await observer.next("statistics"))["lines"] == []
    told = await teacher.next("statistics")
    assert sorted(one["direction"] for one in told["transports"]) == ["receive", "send"]
    line = {"participant_id": pupils.id, "rtt_ms": 81.5, "loss": 0.04, "rung": "medium", "protocol": "tcp"}
    assert told["lines"] == [line]


async def test_what_slots_carry_is_told_where_nobody_has_said_it_or_said_otherwise_for_long(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, pupils, observer = await _in_class(house, monkeypatch)
    room = house.rooms.find("l-1")
    assert room is not None
    known = room.transports.find(observer.id, "receive")
    assert known is not None
    known.qualities["3"] = SlotQuality("3", "l", 180, paused=True)
    carried = [{"mid": "3", "rid": "m", "height": 360, "paused": False}]

    surveys = Surveys(house.rooms)
    await surveys.survey()
    assert (await pupils.next("slot_quality"))["slots"] == carried
    await observer.quiet()
    assert not [message for message in observer.heard if message["type"] == "slot_quality"]
    for _ in range(2):
        await surveys.survey()
    assert (await observer.next("slot_quality"))["slots"] == carried
    for person in (pupils, observer):
        await person.quiet()
        assert not [message for message in person.heard if message["type"] == "slot_quality"]


async def test_the_last_word_on_a_room_is_kept_until_it_is_over(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher, pupils, observer = await _in_class(house, monkeypatch)
    surveys = Surveys(house.rooms)
    assert surveys.latest("l-1") is None
    await surveys.survey()
    latest = surveys.latest("l-1")
    assert latest is not None
    assert latest.transports.keys() == {teacher.id, pupils.id, observer.id}
    assert len(list(surveys.transports)) == 4
    await teacher.ask("end")
    await eventually(lambda: house.rooms.find("l-1") is None)
    assert surveys.latest("l-1") is None
    await surveys.survey()
    assert list(surveys.transports) == []


async def test_many_transports_are_asked_for_a_few_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await _in_class(house, monkeypatch)
    monkeypatch.setattr(statistics, "AT_ONCE", 3)
    sizes: list[int] = []
    handle = Worker.handle

    def noting(self: Worker, request: media.Request, now: float) -> media.Reply:
        if isinstance(request, media.Survey):
            sizes.append(len(request.transport_ids))
        return handle(self, request, now)

    monkeypatch.setattr(Worker, "handle", noting)
    surveys = Surveys(house.rooms)
    await surveys.survey()
    assert sizes == [3, 1]
    assert len(list(surveys.transports)) == 4


async def test_without_a_worker_nobody_is_told_anything(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    _, pupils, _ = await _in_class(house, monkeypatch)
    await house.workers[0].die()
    surveys = Surveys(house.rooms)
    await surveys.survey()
    await pupils.quiet()
    assert not [message for message in pupils.heard if message["type"] == "statistics"]
