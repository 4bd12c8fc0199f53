"""signaling/room_log.py: what happens in a room is stored first and told afterwards, in order."""

import asyncio
from collections.abc import Sequence

import pytest

from signaling.bus import Entry, events_of
from signaling.bus_memory import MemoryBus
from signaling.events import SERVER, Chat, Event, Started
from signaling.room_log import RoomLog


class SlowBus(MemoryBus):
    """Stores when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()

    async def append(self, lesson_id: str, entries: Sequence[Entry]) -> None:
        await self.let.wait()
        await super().append(lesson_id, entries)


def said(seq: int) -> Event:
    return Event(seq, seq * 10, "t-1", Chat(str(seq)))


async def test_nobody_hears_of_what_is_not_stored_yet() -> None:
    bus, told = SlowBus(), list[Event]()
    log = RoomLog("lesson", bus, [Event(1, 0, SERVER, Started())], told.append)
    writing = asyncio.create_task(log.write())
    log.add([said(2)])
    await asyncio.sleep(0)
    assert (told, log.stored(0)) == ([], [Event(1, 0, SERVER, Started())])
    assert log.events[1:] == [said(2)]
    bus.let.set()
    log.finish()
    await writing
    assert told == log.stored(1) == events_of(await bus.read("lesson")) == [said(2)]


async def test_what_is_said_between_two_events_stands_between_them() -> None:
    told = list[object]()
    log = RoomLog("lesson", MemoryBus(), [], told.append)
    log.add([said(1)])
    log.then(lambda: told.append("welcome"))
    log.add([said(2)])
    log.finish()
    await log.write()
    assert told == [said(1), "welcome", said(2)]


async def test_what_cannot_be_told_to_one_does_not_keep_the_rest_from_all(caplog: pytest.LogCaptureFixture) -> None:
    told = list[object]()
    log = RoomLog("lesson", MemoryBus(), [], told.append)
    log.then(lambda: told.remove("a bug"))
    log.add([said(1)])
    log.finish()
    await log.write()
    assert told == [said(1)]
    assert "something was not told" in caplog.text
