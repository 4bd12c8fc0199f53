"""Attaches the recorder to rooms, as one more subscriber: signaling and recorder do not know each other.

For every room whose lesson has started, one task opens the lesson at the recorder and hands it the room's event log
from where the recorder has it, again and again: after each event, after a restart of the recorder or of our own.
Media go from worker to recorder directly; here the worker is only told what to send: what recording_policy.py allows,
decided anew with every event. Before `started` nothing is kept, and of a lesson that is not recorded never anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from media import messages as media
from recorder import messages as recorder
from recorder.client import RecorderClient, RecorderGoneError
from server.recording_policy import ArchivedLog, may_record
from signaling.events import Event, Planned, RecordingPolicy, RecordingState
from signaling.observers import LivePublication, MediaWorker
from signaling.state import RoomState

_log = logging.getLogger("tongke.recording")

RECONNECT = 0.1  # seconds between attempts to reach the recorder; the supervisor starts a dead one again as fast
LOST_AFTER = 10.0  # seconds without a recorder until recordings are called stopped: as long as workers hold media back
REFUSED_AGAIN = 5.0  # seconds until a refused request (disk full) is tried again
ASK_AGAIN = 1.0  # seconds until a worker that did not answer is told again what to record or not
BATCH = 500  # events in one message, far below the framing's 4 MiB
WATCHED_FOR = 30.0  # seconds after a fetch by HTTP in which a lesson counts as watched; players come every 2 to 6 s
CLOSE_TIME = 5.0  # seconds a room waits for its recording to close; then it goes on closing in the background


class RoomLog(Protocol):
    """What is needed of signaling's Rooms."""

    async def events(self, lesson_id: str, after: int = 0) -> list[Event]: ...

    def set_recording(self, lesson_id: str, state: RecordingState, reason: str | None = None) -> None: ...


class Pages(Protocol):
    """What is needed of what keeps the pictures of slides in the archive."""

    def keep(self, lesson_id: str, pages: Sequence[str]) -> None: ...


@dataclass(slots=True)
class _Sent:
    """A publication, and whether its worker was told to record it; None: not told anything by this process."""

    publication: LivePublication
    worker: MediaWorker
    recorded: bool | None = None


@dataclass(slots=True)
class _Lesson:
    lesson_id: str
    epoch_us: int
    title: str
    policy: RecordingPolicy
    news: asyncio.Event = field(default_factory=asyncio.Event)
    state: RoomState | None = None  # the fold of what is stored; None until the log of a former process is read
    publications: dict[str, _Sent] = field(default_factory=dict)
    log: list[Event] | None = None  # all of it, once the room has ended
    truth: tuple[RecordingState, str | None] | None = None  # what the recorder said last
    watched: bool = False  # by HTTP, and so cut into shorter segments
    fetched: float = 0.0  # when it was last fetched, on the loop's clock
    timer: asyncio.TimerHandle | None = None  # while watched
    task: asyncio.Task[None] | None = None


class RecorderAttachment:
    """A RoomObserver. `run` keeps the connection to the recorder whose control socket is `path`."""

    def __init__(
        self,
        path: Path,
        is_over: Callable[[str], Awaitable[bool]],
        closed: Callable[[str], Coroutine[Any, Any, None]] | None = None,
        pages: Pages | None = None,
    ) -> None:
        self._path = path
        self._is_over = is_over  # whether a lesson has ended, as the database knows
        self._closed = closed  # told of each lesson whose recording is complete
        self._pages = pages
        self._rooms: RoomLog | None = None
        self._client: RecorderClient | None = None
        self._here = asyncio.Event()  # the recorder is connected
        self._lessons: dict[str, _Lesson] = {}
        self._requests: set[asyncio.Task[None]] = set()  # on their way to workers

    @property
    def connected(self) -> bool:
        return self._here.is_set()

    def has(self, lesson_id: str) -> bool:
        """Whether the recorder has, or may soon have, something to write for this lesson."""
        lesson = self._lessons.get(lesson_id)
        return lesson is not None and lesson.state is not None and lesson.state.started_ms is not None

    @property
    def stopped(self) -> int:
        """Lessons on air that are not recorded although they should be: the disk is full, the recorder is gone."""
        return sum(lesson.truth is not None and lesson.truth[0] == "stopped" for lesson in self._lessons.values())

    async def reached(self) -> None:
        """Wait until the recorder is connected."""
        await self._here.wait()

    def attach(self, rooms: RoomLog) -> None:
        """Rooms need their observers first, so the rooms come afterwards."""
        self._rooms = rooms

    async def run(self) -> None:
        """Stay connected and listen to the recorder, until cancelled."""
        try:
            while True:
                self._client = await self._connect()
                self._here.set()
                closing = asyncio.create_task(self._close_forgotten(self._client))
                try:
                    async for event in self._client.events():
                        self._changed(event)
                finally:
                    self._here.clear()
                    closing.cancel()
                    await self._client.close()
                    for lesson in self._lessons.values():
                        lesson.news.set()  # their tasks see that the connection has ended
        finally:
            tasks = [lesson.task for lesson in self._lessons.values() if lesson.task] + list(self._requests)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def fetched(self, lesson_id: str) -> None:
        """Someone has just asked for a lesson's last seconds by HTTP. Costs nothing when it is already known."""
        lesson = self._lessons.get(lesson_id)
        if lesson is None:
            return
        loop = asyncio.get_running_loop()
        lesson.fetched = loop.time()
        if not lesson.watched:
            lesson.timer = loop.call_later(WATCHED_FOR, self._look_whether_watched, lesson)
            lesson.watched = True
            lesson.news.set()

    # ── what rooms tell ───────────────────────────────────────────────────────────────────────────────────────────

    def room_opened(self, lesson_id: str, epoch_us: int, title: str, policy: RecordingPolicy) -> None:
        lesson = self._lessons[lesson_id] = _Lesson(lesson_id, epoch_us, title, policy)
        lesson.task = asyncio.create_task(self._keep(lesson), name=f"recording {lesson_id}")

    def event_stored(self, lesson_id: str, event: Event) -> None:
        lesson = self._lessons.get(lesson_id)
        if lesson is None:
            return
        if isinstance(event.payload, Planned):
            lesson.title, lesson.policy = event.payload.title, event.payload.recording_policy
        if lesson.state is not None and event.seq == lesson.state.seq + 1:
            lesson.state.apply(event)
            self._direct(lesson)
        lesson.news.set()

    def publication_added(self, lesson_id: str, publication: LivePublication, worker: MediaWorker) -> None:
        if lesson := self._lessons.get(lesson_id):
            lesson.publications[publication.publication_id] = _Sent(publication, worker)
            self._direct(lesson)

    def publication_removed(self, lesson_id: str, publication_id: str, worker: MediaWorker) -> None:
        if lesson := self._lessons.get(lesson_id):
            lesson.publications.pop(publication_id, None)
        self._start(self._stop(lesson_id, publication_id, worker))

    async def room_ended(self, lesson_id: str) -> None:
        lesson = self._lessons.get(lesson_id)
        if lesson is None or lesson.task is None:
            return
        assert self._rooms is not None
        lesson.log = await self._rooms.events(lesson_id)  # soon the room is gone and cannot be asked
        lesson.news.set()
        if lesson.policy == "nothing":
            self._lessons.pop(lesson_id, None)
        await asyncio.wait({lesson.task}, timeout=CLOSE_TIME)
        if not lesson.task.done():
            _log.warning("a recording is not closed yet", extra={"lesson_id": lesson_id})

    # ── the recorder ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _connect(self) -> RecorderClient:
        loop = asyncio.get_running_loop()
        lost_at = loop.time() + LOST_AFTER
        while True:
            with contextlib.suppress(OSError):
                return await RecorderClient.connect(self._path)
            if loop.time() > lost_at:
                lost_at = float("inf")
                _log.error("the recorder does not come back")
                for lesson in self._lessons.values():
                    if lesson.truth == ("on", None):
                        self._tell(lesson, "stopped", "recorder_lost")
            await asyncio.sleep(RECONNECT)

    def _changed(self, event: recorder.Event) -> None:
        if lesson := self._lessons.get(event.lesson_id):
            self._tell(lesson, event.state, event.reason or None)

    def _tell(self, lesson: _Lesson, state: RecordingState, reason: str | None) -> None:
        assert self._rooms is not None
        lesson.truth = (state, reason)
        self._rooms.set_recording(lesson.lesson_id, state, reason)  # which a paused room leaves as it is

    async def _close_forgotten(self, client: RecorderClient) -> None:
        """Close what a server process that died left open although the lesson is over."""
        try:
            held = await client.request(recorder.ListOpen())
            for one in held.lessons if isinstance(held, recorder.Open) else ():
                if one.lesson_id not in self._lessons and await self._is_over(one.lesson_id):
                    self._is_closed(one.lesson_id, await client.request(recorder.CloseLesson(one.lesson_id)))
        except (RecorderGoneError, TimeoutError):
            pass  # connected anew, it is asked anew

    # ── one lesson ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _keep(self, lesson: _Lesson) -> None:
        """Bring a lesson's log to the recorder until the room has ended and the recording is closed."""
        try:
            state = await self._catch_up(lesson)
            while state.started_ms is None:
                if lesson.log is not None:
                    return  # over before it began: nothing to record
                lesson.news.clear()
                await lesson.news.wait()
            if lesson.policy == "nothing":  # until it begins that may be decided anew
                lesson.state = None
                return
            while True:
                await self._here.wait()
                assert self._client is not None
                try:
                    if await self._feed(lesson, self._client):
                        return
                except RecorderGoneError:
                    await asyncio.sleep(RECONNECT)
                except (TimeoutError, _RefusedError) as error:
                    _log.warning("the recorder refuses", extra={"lesson_id": lesson.lesson_id, "why": str(error)})
                    await asyncio.sleep(REFUSED_AGAIN)
        except Exception:
            _log.exception("a lesson is not recorded", extra={"lesson_id": lesson.lesson_id})
        finally:
            if lesson.timer is not None:
                lesson.timer.cancel()
            if lesson.log is not None:
                self._lessons.pop(lesson.lesson_id, None)

    async def _catch_up(self, lesson: _Lesson) -> RoomState:
        """Fold what was stored before we were here; `event_stored` goes on from there."""
        state = RoomState()
        while events := await self._events(lesson, state.seq):
            for event in events:
                state.apply(event)
        lesson.state = state
        self._direct(lesson)
        return state

    async def _feed(self, lesson: _Lesson, client: RecorderClient) -> bool:
        """Open, append as events come, close at the end: True when closed. Raises when the recorder goes or refuses."""
        opened = await client.request(recorder.OpenLesson(lesson.lesson_id, lesson.epoch_us, lesson.title))
        if not isinstance(opened, recorder.Opened):
            raise _RefusedError(opened)
        seq, watched = 0, False
        archive = ArchivedLog(lesson.policy)
        while True:
            lesson.news.clear()
            if watched != lesson.watched:
                watched = lesson.watched
                await client.request(recorder.WatchLesson(lesson.lesson_id, watched))
            if events := await self._events(lesson, seq):
                batch = events[:BATCH]
                seq = batch[-1].seq
                kept = [event for event in map(archive.archived, batch) if event is not None]
                await self._keep_pages(lesson, archive.new_pages())  # before an event names them
                if lines := tuple(event.to_json() for event in kept if event.seq > opened.last_seq):
                    appended = await client.request(recorder.AppendEvents(lesson.lesson_id, lines))
                    if not isinstance(appended, recorder.Appended):
                        raise _RefusedError(appended)
            elif lesson.log is not None:
                closed = await client.request(recorder.CloseLesson(lesson.lesson_id))
                if isinstance(closed, recorder.Refused) and closed.code in ("disk_full", "disk_error"):
                    raise _RefusedError(closed)
                _log.info("recording closed", extra={"lesson_id": lesson.lesson_id, "reply": str(closed)})
                self._is_closed(lesson.lesson_id, closed)
                return True
            else:
                await lesson.news.wait()
                if client.gone:
                    raise RecorderGoneError("the recorder's connection has ended")

    async def _keep_pages(self, lesson: _Lesson, pages: Sequence[str]) -> None:
        """Raises _RefusedError for want of room; a lesson that is over is closed without what does not fit."""
        if self._pages is None or not pages:
            return
        try:
            await asyncio.to_thread(self._pages.keep, lesson.lesson_id, pages)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT) and lesson.log is None:
                raise _RefusedError(error) from error
            _log.error("pages are not archived: %s", error, extra={"lesson_id": lesson.lesson_id})

    def _is_closed(self, lesson_id: str, reply: recorder.Reply) -> None:
        if isinstance(reply, recorder.Closed) and self._closed is not None:
            self._start(self._closed(lesson_id))  # nobody who ends a lesson waits for it

    def _look_whether_watched(self, lesson: _Lesson) -> None:
        loop = asyncio.get_running_loop()
        left = lesson.fetched + WATCHED_FOR - loop.time()
        if left > 0:
            lesson.timer = loop.call_later(left, self._look_whether_watched, lesson)
        else:
            lesson.timer, lesson.watched = None, False
            lesson.news.set()

    async def _events(self, lesson: _Lesson, after: int) -> Sequence[Event]:
        if lesson.log is not None:
            return [event for event in lesson.log if event.seq > after]
        assert self._rooms is not None
        return await self._rooms.events(lesson.lesson_id, after)

    # ── workers ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _direct(self, lesson: _Lesson) -> None:
        """Have the workers record what may be recorded as things are now, and nothing else."""
        state = lesson.state
        if state is None:
            return
        for sent in lesson.publications.values():
            if sent.recorded is None and lesson.policy == "nothing":
                continue  # nobody ever said otherwise
            sender = state.participants.get(sent.publication.participant_id)
            wanted = sender is not None and state.recording != "paused" and may_record(lesson.policy, sender)
            if wanted != sent.recorded:
                sent.recorded = wanted
                publication_id = sent.publication.publication_id
                self._start(
                    self._record(lesson, sent) if wanted else self._stop(lesson.lesson_id, publication_id, sent.worker)
                )

    async def _record(self, lesson: _Lesson, sent: _Sent) -> None:
        publication = sent.publication
        record = media.Record(
            publication_id=publication.publication_id,
            lesson_id=lesson.lesson_id,
            participant=publication.participant_id,
            source=publication.source,
            lead=publication.lead,
            epoch_us=lesson.epoch_us,
        )
        answer: media.Reply | None = None
        while answer is None:
            try:
                answer = await sent.worker.request(record)
            except (ConnectionError, TimeoutError):
                await asyncio.sleep(ASK_AGAIN)
                if lesson.publications.get(publication.publication_id) is not sent or not sent.recorded:
                    return  # the worker has died, and the publication was added anew; or it may not be recorded now
        if isinstance(answer, media.Refused):
            _log.info("a worker refuses to record", extra={"lesson_id": lesson.lesson_id, "code": answer.code})
        elif lesson.truth is not None and lesson.state is not None and lesson.state.recording == "off":
            self._tell(lesson, *lesson.truth)  # after a pause the recorder does not say it again

    async def _stop(self, lesson_id: str, publication_id: str, worker: MediaWorker) -> None:
        """What must not be recorded must not be: until a worker has answered it is told again."""
        while True:
            with contextlib.suppress(ConnectionError, TimeoutError):
                await worker.request(media.StopRecording(publication_id))
                return  # if refused, it has gone with its transport: the next worker in this place does not know it
            await asyncio.sleep(ASK_AGAIN)
            lesson = self._lessons.get(lesson_id)
            if lesson is None:
                return  # it is over, and its transports are closed
            sent = lesson.publications.get(publication_id)
            if sent is not None and sent.recorded:
                return  # it may be recorded again

    def _start(self, errand: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(errand)
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)


class _RefusedError(Exception):
    """The recorder did not do it; trying again later may help."""
