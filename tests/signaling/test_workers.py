import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media import messages as media
from signaling import workers as workers_module
from signaling.workers import MediaUnavailableError, Worker, Workers
from tests.signaling.house import RunningWorker, captured_offer, eventually


class Listener:
    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.held: list[media.Held] = []
        self.events: list[media.Event] = []

    def worker_up(self, worker: Worker, held: media.Held) -> None:
        self.told.append(("up", worker.number))
        self.held.append(held)

    def worker_down(self, worker: Worker) -> None:
        self.told.append(("down", worker.number))

    def worker_event(self, worker: Worker, event: media.Event) -> None:
        self.events.append(event)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def pool(tmp_path: Path, listener: Listener) -> AsyncIterator[Workers]:
    pool = Workers([tmp_path / "0.sock", tmp_path / "1.sock"])
    pool.start(listener)
    yield pool
    await pool.close()
    await pool.close()


async def test_workers_are_found_whenever_they_come_and_their_loss_is_told_once(
    pool: Workers, listener: Listener, tmp_path: Path
) -> None:
    assert pool.connected == 0
    for _ in range(2):
        worker = RunningWorker(tmp_path / "0.sock")
        await eventually(lambda: pool.connected == 1)
        await worker.die()
        await eventually(lambda: listener.told[-1] == ("down", 0))
    assert listener.told == [("up", 0), ("down", 0)] * 2


async def test_a_cut_connection_is_made_again_and_tells_what_is_still_held(
    pool: Workers, listener: Listener, tmp_path: Path
) -> None:
    worker = RunningWorker(tmp_path / "0.sock")
    await eventually(lambda: pool.connected == 1)
    await pool.all[0].request(media.Answer("s-1", "send", captured_offer("chromium", "send")))
    assert pool.all[0]._client is not None
    await pool.all[0]._client.close()
    await eventually(lambda: len(listener.told) == 2)
    assert listener.told == [("up", 0), ("up", 0)]
    assert [one.transport_id for one in listener.held[1].transports] == ["s-1"]
    await worker.die()


async def test_events_come_in_order(pool: Workers, listener: Listener, tmp_path: Path) -> None:
    worker = RunningWorker(tmp_path / "0.sock")
    await eventually(lambda: pool.connected == 1)
    events = [media.TransportChanged(f"s-{number}", "lost") for number in range(20)]
    for event in events:
        worker.tell(event)
    await eventually(lambda: listener.events == events)
    await worker.die()


async def test_a_lesson_goes_to_the_living_worker_with_the_fewest(pool: Workers, tmp_path: Path) -> None:
    running = [RunningWorker(tmp_path / f"{number}.sock") for number in range(2)]
    await eventually(lambda: pool.connected == 2)
    pool.all[0].lessons |= {"l-1", "l-2"}
    pool.all[1].lessons |= {"l-3"}
    assert (await pool.choose()).number == 1
    await running[1].die()
    await eventually(lambda: pool.connected == 1)
    assert (await pool.choose()).number == 0
    await running[0].die()


async def test_an_offer_waits_a_little_for_a_worker(pool: Workers, tmp_path: Path) -> None:
    waiting = asyncio.create_task(pool.choose())
    await asyncio.sleep(0)
    worker = RunningWorker(tmp_path / "1.sock")
    assert (await waiting).number == 1
    await worker.die()


async def test_without_any_worker_it_is_said(pool: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_module, "PATIENCE", 0.02)
    with pytest.raises(MediaUnavailableError):
        await pool.choose()
    with pytest.raises(MediaUnavailableError):
        await pool.all[0].request(media.ListHeld())


async def test_counters_are_those_of_the_living(pool: Workers, tmp_path: Path) -> None:
    worker = RunningWorker(tmp_path / "1.sock")
    await eventually(lambda: pool.connected == 1)
    measured = await pool.measure()
    assert list(measured) == [1]
    assert measured[1]["transports"] == 0
    await worker.die()
