"""What every bus promises. Another implementation joins by one more entry in `MAKERS`."""

import errno
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from signaling.bus import Bus, Entry, Opened, TransportNote, events_of
from signaling.bus_memory import MemoryBus
from signaling.events import SERVER, Chat, Ended, Event, Joined, Recording

OPENED = Opened(epoch_us=1_700_000_000_000_000, title="二元一次方程组")
NOTE = TransportNote("c-1-s9f", "c-1", "send", "whip", generation=1, ice_generation=2, open=True)


def said(seq: int, text: str = "好") -> Event:
    return Event(seq, seq * 10, "c-1", Chat(text))


MAKERS: dict[str, Callable[[Path], Bus]] = {
    "memory": lambda folder: MemoryBus(),
    "memory with a folder": lambda folder: MemoryBus(folder / "rooms"),
}


@pytest.fixture(params=list(MAKERS))
async def bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bus]:
    bus = MAKERS[request.param](tmp_path)
    yield bus
    await bus.close()


async def test_entries_come_back_in_their_order(bus: Bus) -> None:
    entries: list[Entry] = [OPENED, Event(1, 0, "c-1", Joined("c-1", "receiving_class", "一班\n", 40)), NOTE, said(2)]
    await bus.append("l-1", entries[:2])
    await bus.append("l-1", entries[2:])
    assert await bus.read("l-1") == entries
    assert events_of(await bus.read("l-1"), after=1) == [said(2)]


async def test_lessons_do_not_see_each_other(bus: Bus) -> None:
    await bus.append("l-1", [OPENED])
    await bus.append("l-2", [OPENED, said(1)])
    assert await bus.read("l-1") == [OPENED]
    assert await bus.lessons() == ["l-1", "l-2"]


async def test_a_lesson_without_a_log_reads_as_nothing(bus: Bus) -> None:
    assert await bus.read("l-1") == []


async def test_a_released_log_is_still_there(bus: Bus) -> None:
    await bus.append("l-1", [OPENED])
    await bus.release("l-1")
    assert await bus.read("l-1") == [OPENED]
    await bus.append("l-1", [said(1)])
    assert await bus.read("l-1") == [OPENED, said(1)]


async def test_a_removed_log_is_gone_and_may_begin_anew(bus: Bus) -> None:
    await bus.append("l-1", [OPENED, said(1)])
    await bus.remove("l-1")
    await bus.remove("l-1")
    assert await bus.lessons() == []
    await bus.append("l-1", [OPENED])
    assert await bus.read("l-1") == [OPENED]


# ── the folder ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_was_appended_outlives_a_process_that_never_closed(tmp_path: Path) -> None:
    await MemoryBus(tmp_path).append("l-1", [OPENED, said(1), Event(2, 30, SERVER, Recording("on", None))])
    after = MemoryBus(tmp_path)
    assert await after.lessons() == ["l-1"]
    assert await after.read("l-1") == [OPENED, said(1), Event(2, 30, SERVER, Recording("on", None))]


@pytest.mark.parametrize("tail", [b'{"entry":"ev', b'{"entry":"event"}\n', b"\x00\x00\n", b"[]\n", b"\n"])
async def test_a_torn_last_line_is_passed_over_and_written_over(tmp_path: Path, tail: bytes) -> None:
    await MemoryBus(tmp_path).append("l-1", [OPENED, said(1)])
    path = tmp_path / "l-1.jsonl"
    path.write_bytes(path.read_bytes() + tail)
    bus = MemoryBus(tmp_path)
    assert await bus.read("l-1") == [OPENED, said(1)]
    await bus.append("l-1", [said(2)])
    assert await MemoryBus(tmp_path).read("l-1") == [OPENED, said(1), said(2)]


async def test_a_hole_in_the_log_ends_it(tmp_path: Path) -> None:
    await MemoryBus(tmp_path).append("l-1", [OPENED, said(1), said(3), said(4)])
    assert await MemoryBus(tmp_path).read("l-1") == [OPENED, said(1)]


async def test_a_full_disk_does_not_end_the_lesson_and_is_caught_up_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bus = MemoryBus(tmp_path)
    await bus.append("l-1", [OPENED, said(1)])
    real = os.pwrite

    def half(file: int, data: bytes, offset: int) -> int:
        real(file, data[: len(data) // 2], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", half)
    await bus.append("l-1", [said(2)])
    await bus.append("l-1", [said(3)])
    assert await bus.read("l-1") == [OPENED, said(1), said(2), said(3)]
    assert len(caplog.records) == 1
    held = await MemoryBus(tmp_path).read("l-1")
    assert held == [OPENED, said(1), said(2), said(3)][: len(held)]
    monkeypatch.undo()
    await bus.append("l-1", [Event(4, 50, SERVER, Ended())])
    assert len(await MemoryBus(tmp_path).read("l-1")) == 5


async def test_a_lesson_id_never_leaves_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="file name"):
        await MemoryBus(tmp_path).append("../l-1", [OPENED])
