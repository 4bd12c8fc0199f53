import asyncio
import typing
from collections.abc import Coroutine

from media import messages as media
from signaling.arrangement import Arrangement
from signaling.bus import TransportNote
from signaling.messages import ServerMessage, Slots
from signaling.pulls import Pulls
from signaling.room import Room
from signaling.slots import Slot
from signaling.transport import Transport
from signaling.workers import MediaUnavailableError, Worker


class SlowWorker:
    """Answers a placement when it is told how."""

    def __init__(self) -> None:
        self.alive = True
        self.placed: list[media.Place] = []
        self.outcomes: asyncio.Queue[media.Reply | Exception] = asyncio.Queue()

    async def request(self, message: media.Request) -> media.Reply:
        assert isinstance(message, media.Place)
        self.placed.append(message)
        outcome = await self.outcomes.get()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Scene:
    """A teacher who sends, a class whose slots are arranged, and the worker between them."""

    def __init__(self, viewer: typing.Literal["c", "t"] = "c") -> None:
        self.room = Room()
        self.room.join(1, "t", "lead_teacher", "", None)
        self.room.join(2, "c", "receiving_class", "", None)
        self.worker = SlowWorker()
        self.told: list[dict[str, str | None]] = []
        self.tasks: list[asyncio.Task[None]] = []
        note = TransportNote("r-1", viewer, "receive", "socket", 1, 1, open=True)
        slots = [Slot("0", "audio"), Slot("1", "video")]
        if viewer == "t":  # the first two of pictures are the lead teacher's and the screen
            slots += [Slot("2", "video"), Slot("3", "video")]
        self.transport = Transport(note, typing.cast(Worker, self.worker), slots=slots)
        pulls = Pulls(self.room.state, {}, lambda: [self.transport], self._start)
        self.arrangement = Arrangement(self.room.state, pulls, self._tell, self._start)

    def publish(self, source: typing.Literal["microphone", "camera"]) -> None:
        kind: media.Kind = "audio" if source == "microphone" else "video"
        self.room.publish(3, "t", source, kind, source)
        self.arrangement.arrange(self.transport)

    async def settle(self) -> None:
        async with asyncio.timeout(5):
            await asyncio.gather(*self.tasks)

    async def asked(self, times: int) -> None:
        async with asyncio.timeout(5):
            while len(self.worker.placed) < times:
                await asyncio.sleep(0)

    def _tell(self, participant_id: str, message: ServerMessage) -> None:
        assert isinstance(message, Slots)
        self.told.append({slot.mid: slot.publication_id for slot in message.slots})

    def _start(self, work: Coroutine[None, None, None]) -> None:
        self.tasks.append(asyncio.create_task(work))


async def test_what_changes_while_the_worker_answers_is_placed_next() -> None:
    scene = Scene()
    scene.publish("microphone")
    await scene.asked(1)
    scene.publish("camera")
    scene.worker.outcomes.put_nowait(media.Done())
    scene.worker.outcomes.put_nowait(media.Done())
    await scene.settle()
    assert [place.placements for place in scene.worker.placed] == [
        (media.Placement("0", "microphone", 0),),
        (media.Placement("1", "camera", 1),),
    ]
    assert scene.told[-1] == {"0": "microphone", "1": "camera"}


async def test_a_slot_added_while_the_worker_answers_is_filled_too() -> None:
    scene = Scene()
    scene.transport.slots = [Slot("0", "audio")]
    scene.publish("microphone")
    await scene.asked(1)
    scene.room.publish(4, "t", "camera", "video", "camera")
    scene.transport.slots = [*scene.transport.slots, Slot("1", "video")]
    scene.arrangement.arrange(scene.transport)
    for _ in range(2):
        scene.worker.outcomes.put_nowait(media.Done())
    await scene.settle()
    assert scene.told[-1] == {"0": "microphone", "1": "camera"}


async def test_a_slow_worker_is_asked_again_and_a_dead_one_is_not() -> None:
    scene = Scene()
    scene.publish("microphone")
    await scene.asked(1)
    scene.worker.outcomes.put_nowait(MediaUnavailableError())
    await scene.asked(2)
    scene.worker.alive = False
    scene.worker.outcomes.put_nowait(MediaUnavailableError())
    await scene.settle()
    assert len(scene.worker.placed) == 2
    assert scene.told == []


async def test_a_refused_placement_is_not_called_done() -> None:
    scene = Scene()
    scene.publish("microphone")
    scene.worker.outcomes.put_nowait(media.Refused("unknown_publication", "gone"))
    await scene.settle()
    assert scene.told == []
    assert [slot.publication_id for slot in scene.transport.slots] == [None, None]


async def test_slots_that_stay_as_they_are_are_told_once() -> None:
    scene = Scene()
    scene.arrangement.arrange(scene.transport)
    await scene.settle()
    scene.arrangement.arrange(scene.transport)
    await scene.settle()
    assert scene.told == [{"0": None, "1": None}]
    assert scene.worker.placed == []


async def test_a_class_without_the_floor_is_carried_in_its_smallest_layer_and_with_it_in_all() -> None:
    scene = Scene(viewer="t")
    scene.room.publish(3, "c", "wall", "video", "camera")
    scene.arrangement.arrange(scene.transport)
    scene.worker.outcomes.put_nowait(media.Done())
    await scene.settle()
    scene.room.floor(4, "t", "c", granted=True)
    scene.arrangement.arrange(scene.transport)
    scene.worker.outcomes.put_nowait(media.Done())
    await scene.settle()
    scene.arrangement.arrange(scene.transport)
    await scene.settle()
    assert [place.placements for place in scene.worker.placed] == [
        (media.Placement("3", "wall", 3, smallest=True),),
        (media.Placement("3", "wall", 2, smallest=False),),
    ]


async def test_what_a_worker_held_before_this_process_came_is_placed_once_more() -> None:
    scene = Scene(viewer="t")
    scene.room.publish(3, "c", "wall", "video", "camera")
    scene.transport.slots = [Slot("1", "video"), Slot("2", "video"), Slot("3", "video", "wall")]
    for _ in range(2):
        scene.arrangement.arrange(scene.transport)
        scene.worker.outcomes.put_nowait(media.Done())
        await scene.settle()
    assert [place.placements for place in scene.worker.placed] == [(media.Placement("3", "wall", 3, smallest=True),)]
