from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media import messages as media
from media.worker import Worker
from signaling.messages import SlotQuality
from tests.signaling.house import House, Person, captured_offer, eventually, receiving_offer


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path) as house:
        yield house


async def _publishing(house: House) -> tuple[Person, str]:
    """A teacher, and the publication id of the camera."""
    teacher = await house.enter("lead_teacher")
    answer = await teacher.offer("send", captured_offer("chromium", "send"))
    return teacher, next(one["publication_id"] for one in answer["publications"] if one["kind"] == "video")


async def _receiving(house: House) -> tuple[Person, str]:
    """A class, and the id of its receiving transport."""
    pupils = await house.enter("receiving_class")
    await pupils.offer("receive", receiving_offer())
    await pupils.next("slots")
    [transport_id] = [one.transport_id for one in house.workers[0].held().transports if one.direction == "receive"]
    return pupils, transport_id


async def test_the_layers_somebody_needs_are_told_to_their_sender_alone(house: House) -> None:
    teacher, camera = await _publishing(house)
    pupils, _ = await _receiving(house)
    house.workers[0].tell(media.LayersWanted(camera, ("h", "l")))
    told = await teacher.next("layers")
    assert told == {"type": "layers", "publication_id": camera, "active": ["h", "l"]}
    await pupils.quiet()
    assert not [message for message in pupils.heard if message["type"] == "layers"]


async def test_what_a_slot_carries_is_told_to_who_sits_before_it(house: House) -> None:
    teacher, _ = await _publishing(house)
    pupils, transport_id = await _receiving(house)
    house.workers[0].tell(media.SlotChanged(transport_id, "3", "m", 360, paused=False))
    assert (await pupils.next("slot_quality"))["slots"] == [{"mid": "3", "rid": "m", "height": 360, "paused": False}]
    await teacher.quiet()
    assert not [message for message in teacher.heard if message["type"] == "slot_quality"]


async def test_who_comes_back_is_told_layers_and_qualities_as_they_are_now(house: House) -> None:
    teacher, camera = await _publishing(house)
    pupils, transport_id = await _receiving(house)
    await teacher.vanish()
    await pupils.vanish()
    for rids in (("h", "m", "l"), ("l",)):
        house.workers[0].tell(media.LayersWanted(camera, rids))
    for paused in (False, True):
        house.workers[0].tell(media.SlotChanged(transport_id, "3", "l", 180, paused=paused))
    room = house.rooms.find("l-1")
    assert room is not None
    receiving = room.transports.find(pupils.id, "receive")
    assert receiving is not None
    await eventually(lambda: receiving.qualities.get("3") == SlotQuality("3", "l", 180, paused=True))
    back = await house.enter("lead_teacher", resume=teacher.resume)
    assert (await back.next("layers"))["active"] == ["l"]
    again = await house.enter("receiving_class", resume=pupils.resume)
    assert (await again.next("slot_quality"))["slots"] == [{"mid": "3", "rid": "l", "height": 180, "paused": True}]


async def test_news_of_a_transport_that_is_no_more_is_nobodys(house: House) -> None:
    teacher, camera = await _publishing(house)
    house.workers[0].tell(media.SlotChanged("r-gone", "3", None, 0, paused=True))
    house.workers[0].tell(media.LayersWanted("s-gone-1", ()))
    house.workers[0].tell(media.LayersWanted(camera, ("h",)))
    assert (await teacher.next("layers"))["publication_id"] == camera
    assert not [message for message in teacher.heard if message["type"] in ("layers", "slot_quality")]


async def test_the_heights_a_page_shows_reach_the_worker_for_the_slots_it_has(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    views: list[media.View] = []
    handle = Worker.handle

    def noting(self: Worker, request: media.Request, now: float) -> media.Reply:
        if isinstance(request, media.View):
            views.append(request)
        return handle(self, request, now)

    monkeypatch.setattr(Worker, "handle", noting)
    pupils, transport_id = await _receiving(house)
    shown = [{"mid": "3", "height": 720}, {"mid": "4", "height": 0}, {"mid": "nowhere", "height": 90}]
    assert (await pupils.ask("view", slots=shown))["type"] == "done"
    await pupils.offer("receive", receiving_offer())  # the worker answers in order
    assert views == [media.View(transport_id, (media.Shown("3", 720), media.Shown("4", 0)))]


async def test_a_view_without_a_receiving_transport_changes_nothing(house: House) -> None:
    person = await house.enter("observer")
    assert (await person.ask("view", slots=[{"mid": "3", "height": 720}]))["type"] == "done"


@pytest.mark.parametrize("height", [-1, 20_001, 1.5, None])
async def test_a_height_no_screen_has_is_malformed(house: House, height: float | None) -> None:
    person = await house.enter("observer")
    assert (await person.ask("view", slots=[{"mid": "3", "height": height}]))["code"] == "message_malformed"
