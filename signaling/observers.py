"""Where signaling meets the server: what a room asks of it and what it tells it.

The server puts the recorder and the database behind these Protocols, so signaling knows neither of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from media import messages as media
from signaling.events import Event, RecordingPolicy, SlidesAdded, Source

log = logging.getLogger(__name__)

LessonStatus = Literal["scheduled", "live", "ended"]


@dataclass(frozen=True, slots=True)
class LessonInfo:
    lesson_id: str
    title: str
    status: LessonStatus
    epoch_us: int | None  # the lesson clock's zero, microseconds since 1970, if the room was open before
    recording_policy: RecordingPolicy = "consented"


class LessonDirectory(Protocol):
    """What the server knows of lessons."""

    async def find(self, lesson_id: str) -> LessonInfo | None:
        """The lesson, or None if there is none of this id."""


class ConsentBook(Protocol):
    """What classes of the server's list said about being recorded, in this lesson and in others."""

    async def holds(self, class_group_id: str) -> bool:
        """Whether this class lets itself be recorded now."""

    def said(self, lesson_id: str, class_group_id: str, given: bool) -> None:
        """It said so in its room just now. Must not block."""


class SlidesShelf(Protocol):
    """The slides of lessons, which come before the lesson as well as in it."""

    async def ready(self, lesson_id: str) -> Sequence[SlidesAdded]:
        """Those that can be shown now, in the order they came. What is ready later is told to the room, if it is open
        (`LiveRoom.add_slides`), as is what is deleted (`remove_slides`)."""


class MediaWorker(Protocol):
    """A media worker as an observer may use it."""

    async def request(self, message: media.Request) -> media.Reply:
        """Ask the worker. Raises ConnectionError when it is gone."""


@dataclass(frozen=True, slots=True)
class LivePublication:
    """A publication that is part of the lesson, with what a recorder must know of it."""

    publication_id: str
    participant_id: str
    kind: media.Kind
    source: Source
    lead: bool  # a lead teacher sends it


class RoomObserver(Protocol):
    """Something of the server's that follows rooms. Calls come in order, on the event loop, and must not block:
    what takes time an observer does in a task of its own. An exception in one is logged and disturbs nobody else."""

    def room_opened(self, lesson_id: str, epoch_us: int, title: str, policy: RecordingPolicy) -> None:
        """A room is open. Told again for every room that comes back when the server process was restarted."""

    def event_stored(self, lesson_id: str, event: Event) -> None:
        """An event is in the log. Those of before a restart are not told again: see `Rooms.events`."""

    def publication_added(self, lesson_id: str, publication: LivePublication, worker: MediaWorker) -> None:
        """From now on its media belong to the lesson: it was published after `started`, or was there at `started`.

        Told again, for the same publication and worker, when the server process was restarted.
        """

    def publication_removed(self, lesson_id: str, publication_id: str, worker: MediaWorker) -> None:
        """Its media no longer belong to the lesson, though the worker may go on receiving them (a class whose floor was
        taken back): a recorder must be told to stop at once. The worker may be gone already."""

    async def room_ended(self, lesson_id: str) -> None:
        """The lesson is over. Awaited; told again at the next start if it raised, or the process died before it
        returned. Raises TimeoutError if the observer needs longer than anybody should wait."""


class Observers:
    """All that follow one room. What one of them gets wrong disturbs neither the room nor the others."""

    def __init__(self, lesson_id: str, observers: Sequence[RoomObserver]) -> None:
        self._lesson_id = lesson_id
        self._observers = observers

    def tell(self, call: Callable[[RoomObserver], None]) -> None:
        """Call each of them."""
        for observer in self._observers:
            try:
                call(observer)
            except Exception:
                log.exception("an observer of lesson %s failed", self._lesson_id)

    async def ended(self) -> bool:
        """The lesson is over; False if one of them has not done with it and must be told again."""
        done = True
        for observer in self._observers:
            try:
                await observer.room_ended(self._lesson_id)
            except TimeoutError:
                log.warning("an observer of lesson %s has not done with it yet", self._lesson_id)
                done = False
            except Exception:
                log.exception("an observer of lesson %s failed", self._lesson_id)
                done = False
        return done
