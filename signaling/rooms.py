"""All open rooms of this process: opened when the first participant comes, back from their logs after a restart."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from media import messages as media
from signaling.bus import Bus, Entry, Opened, events_of
from signaling.errands import Errands
from signaling.events import Event, RecordingState
from signaling.grants import Grant, Verifier, own, verify_for
from signaling.live import LiveRoom
from signaling.observers import (
    ConsentBook,
    LessonDirectory,
    LessonInfo,
    LivePublication,
    MediaWorker,
    RoomObserver,
    SlidesShelf,
)
from signaling.room import Room, RoomError
from signaling.sessions import Sessions
from signaling.workers import Worker, Workers

__all__ = ["LessonDirectory", "LessonInfo", "Limits", "LivePublication", "MediaWorker", "RoomObserver", "Rooms"]

SETTLING = 5.0  # seconds after a start in which workers are asked for what the logs say they hold
SWEEP = 30.0  # seconds between looks for rooms nobody is in
IDLE = 120.0  # seconds an empty room that has not started is kept in memory
FORGOTTEN = 2 * 3600.0  # seconds nobody was in a lesson until it counts as ended

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds, so that no lesson and no stranger can take what the others need."""

    rooms: int = 500
    participants: int = 500  # in one room, WHIP and WHEP sessions included
    away: float | None = None  # seconds that one may be lost before it has left; None: live.AWAY


class Rooms:
    """The rooms. `secret` signs sessions: the same over restarts, else nobody can resume after one."""

    def __init__(
        self,
        *,
        bus: Bus,
        workers: Workers,
        directory: LessonDirectory,
        observers: Sequence[RoomObserver],
        verify: Verifier,
        secret: bytes,
        limits: Limits | None = None,
        consents: ConsentBook | None = None,
        slides: SlidesShelf | None = None,
    ) -> None:
        self.locations = Sessions(secret, "location")  # of WHIP and WHEP sessions, by their transport
        self._bus = bus
        self._workers = workers
        self._directory = directory
        self._observers = tuple(observers)
        self._verify = verify
        self._secret = secret
        self._limits = limits or Limits()
        self._consents = consents
        self._slides = slides
        self._rooms: dict[str, LiveRoom] = {}
        self._opening = asyncio.Lock()
        self._told: set[str] = set()  # lessons whose room the observers know
        self._settled = False
        self._closed = False
        self._tasks: list[asyncio.Task[None]] = []
        self._errands = Errands()

    @property
    def count(self) -> int:
        """How many rooms are open."""
        return len(self._rooms)

    @property
    def open(self) -> list[LiveRoom]:
        """All of them, whose lesson is not over."""
        return [room for room in self._rooms.values() if room.room.state.ended_ms is None]

    async def start(self) -> None:
        """Bring back the rooms of the logs, then connect to the workers and adopt what they hold."""
        for lesson_id in await self._bus.lessons():
            entries = await self._bus.read(lesson_id)
            if not entries or not isinstance(entries[0], Opened):
                await self._bus.remove(lesson_id)  # cut off before it began
                continue
            state = Room(events_of(entries)).state
            if state.participants or state.started_ms is not None or state.ended_ms is not None:
                await self._bring_slides(self._live(lesson_id, entries))
        self._workers.start(self)
        self._tasks = [asyncio.create_task(self._settle_later()), asyncio.create_task(self._sweep())]

    async def close(self) -> None:
        """End the sockets (1001); lessons stay resumable. Closing twice is harmless."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *(room.close() for room in self._rooms.values()), return_exceptions=True)
        self._rooms.clear()
        await self._errands.stop()
        await self._workers.close()
        await self._bus.close()

    def find(self, lesson_id: str) -> LiveRoom | None:
        """The room of a lesson, if it is open."""
        return self._rooms.get(lesson_id)

    def check(self, token: str, lesson_id: str) -> Grant:
        """The grant of a token, which must be for this lesson. Raises GrantError."""
        return verify_for(self._verify, token, lesson_id)

    async def admit(self, token: str, lesson_id: str) -> tuple[Grant, LiveRoom]:
        """The grant of a token and the open room it is for. Raises GrantError or RoomError."""
        if self._closed:
            raise RoomError("media_unavailable", "the server is about to restart")
        grant = self._verify(token)
        room = self._rooms.get(lesson_id)
        if room is None:
            info = await self._directory.find(lesson_id)
            if info is None:
                raise RoomError("lesson_unknown", "there is no such lesson")
            own(grant, lesson_id)
            room = await self._open(info)
        own(grant, lesson_id)
        room.empty_since = time.monotonic()
        if room.room.state.ended_ms is not None:
            raise RoomError("lesson_ended", "the lesson is over")
        return await self._with_consent(grant), room

    async def end(self, lesson_id: str) -> bool:
        """End the lesson for everyone, as the server, and wait until its observers have done with it.

        False if it has no room, open or in a log.
        """
        async with self._opening:
            room = self._rooms.get(lesson_id)
            if room is None:
                entries = await self._bus.read(lesson_id)
                if not entries:
                    return False
                room = self._live(lesson_id, entries)
        room.end()
        await room.finished()
        return True

    async def events(self, lesson_id: str, after: int = 0) -> list[Event]:
        """The stored events with a greater `seq`; [] if the lesson has no room. For an observer that catches up."""
        room = self._rooms.get(lesson_id)
        return room.events(after) if room is not None else events_of(await self._bus.read(lesson_id), after)

    def set_recording(self, lesson_id: str, state: RecordingState, reason: str | None = None) -> None:
        """Tell the room the truth about its recording (PROTOCOL.md section 3, `recording`)."""
        if (room := self._rooms.get(lesson_id)) is not None:
            room.set_recording(state, reason)

    # ── what the workers tell ─────────────────────────────────────────────────────────────────────────────────────

    def worker_up(self, worker: Worker, held: media.Held) -> None:
        known: set[str] = set()
        pulled: set[str] = set()
        for room in list(self._rooms.values()):
            pulled |= room.transports.worker_up(worker, held)
            known |= room.transports.ids
        for info in held.transports:
            if info.transport_id not in known:
                self._errands.ask(worker, media.CloseTransport(info.transport_id))
        for publication_id in held.pulled:
            if publication_id not in pulled:
                self._errands.ask(worker, media.Release(publication_id))
        if not self._settled and all(one.alive for one in self._workers.all):
            self._settle()

    def worker_down(self, worker: Worker) -> None:
        for room in list(self._rooms.values()):
            room.transports.worker_down(worker)

    def worker_event(self, worker: Worker, event: media.Event) -> None:
        for room in list(self._rooms.values()):
            if room.transports.worker_event(worker, event):
                return

    # ── helpers ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _with_consent(self, grant: Grant) -> Grant:
        """With what the class said in other lessons. A book that cannot be read keeps nobody out: then it is asked."""
        if self._consents is None or grant.class_group_id is None or grant.room_role != "receiving_class":
            return grant
        try:
            return replace(grant, consent=await self._consents.holds(grant.class_group_id))
        except Exception:
            log.exception("what a class of lesson %s said about being recorded cannot be read", grant.lesson_id)
            return grant

    async def _open(self, info: LessonInfo) -> LiveRoom:
        """The room of a lesson, made or brought back if it is not open. Raises RoomError."""
        async with self._opening:
            if (room := self._rooms.get(info.lesson_id)) is not None:
                return room
            if info.status == "ended":
                raise RoomError("lesson_ended", "the lesson is over")
            if len(self._rooms) >= self._limits.rooms:
                raise RoomError("room_full", f"{self._limits.rooms} lessons are open already")
            entries = await self._bus.read(info.lesson_id)
            if not entries:
                epoch_us = info.epoch_us if info.epoch_us is not None else time.time_ns() // 1000
                opened = Opened(epoch_us, info.title, info.recording_policy)
                entries = [opened]
                await self._bus.append(info.lesson_id, entries)
            room = self._live(info.lesson_id, entries)
            await self._bring_slides(room)
            return room

    async def _bring_slides(self, room: LiveRoom) -> None:
        """Slides that came and went while the room was not open. Without them a lesson goes on, too."""
        if self._slides is None or room.room.state.ended_ms is not None:
            return
        before = set(room.room.state.pages.slides)  # not what becomes ready while we ask
        try:
            ready = await self._slides.ready(room.lesson_id)
        except Exception:
            log.exception("the slides of lesson %s cannot be read", room.lesson_id)
            return
        for slides in ready:
            try:
                room.add_slides(slides)
            except RoomError as error:
                log.info("slides of lesson %s are not shown: %s", room.lesson_id, error)
        for slides_id in sorted(before - {slides.slides_id for slides in ready}):
            room.remove_slides(slides_id)

    def _live(self, lesson_id: str, entries: Sequence[Entry]) -> LiveRoom:
        room = self._rooms[lesson_id] = LiveRoom(
            lesson_id,
            entries,
            bus=self._bus,
            workers=self._workers,
            observers=self._observers,
            secret=self._secret,
            max_participants=self._limits.participants,
            away=self._limits.away,
            known=lesson_id in self._told,
            over=self._over,
            consents=self._consents,
        )
        self._told.add(lesson_id)
        log.info("room of lesson %s is open, event %d", lesson_id, room.room.state.seq)
        return room

    def _over(self, room: LiveRoom) -> None:
        log.info("room of lesson %s has ended", room.lesson_id)
        self._told.discard(room.lesson_id)
        if self._rooms.get(room.lesson_id) is room:
            del self._rooms[room.lesson_id]

    async def _settle_later(self) -> None:
        await asyncio.sleep(SETTLING)
        self._settle()

    def _settle(self) -> None:
        """Every worker has said what it holds, or does not answer: what was not found is lost."""
        if not self._settled:
            self._settled = True
            for room in list(self._rooms.values()):
                room.transports.give_up()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            await self.sweep(time.monotonic())

    async def sweep(self, now: float) -> None:
        """Put down the rooms nobody is in: before the lesson they cost memory only, after it they keep it open."""
        for lesson_id, room in list(self._rooms.items()):
            state, empty = room.room.state, now - room.empty_since
            if not room.empty or state.ended_ms is not None:
                continue
            if state.started_ms is not None:
                if empty >= FORGOTTEN:
                    log.info("nobody has been in lesson %s for %.0f s: it ends", lesson_id, empty)
                    room.end()
            elif empty >= IDLE:
                async with self._opening:
                    del self._rooms[lesson_id]
                    await room.close()
                    await self._bus.release(lesson_id)
