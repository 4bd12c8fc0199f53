"""Whether a room has let in whoever asks over HTTP: who stands at its door or was sent out reads nothing of the lesson.

A grant is good for hours, and the room knows better: a teacher may have let its bearer in since, or sent it out. Who
was in and who was out when a lesson ended is remembered, in memory, as long as a grant lives.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from server.lessons.grants import GRANT_TIME, Claims
from signaling.events import Event, RecordingPolicy
from signaling.live import LiveRoom
from signaling.observers import LivePublication, MediaWorker
from signaling.problems import ProblemError
from signaling.state import RoomState, person


class OpenRooms(Protocol):
    """What is needed of signaling's Rooms."""

    def find(self, lesson_id: str) -> LiveRoom | None: ...


@dataclass(frozen=True, slots=True)
class _Over:
    until: float  # seconds, monotonic
    admitted: frozenset[str]
    removed: frozenset[str]


_NOTHING_KNOWN = _Over(0.0, frozenset(), frozenset())


class LetIn:
    """A RoomObserver, for what is known of a room that is over."""

    def __init__(self) -> None:
        self._rooms: OpenRooms | None = None
        self._over: dict[str, _Over] = {}  # lessons

    def attach(self, rooms: OpenRooms) -> None:
        """Rooms need their observers first, so the rooms come afterwards."""
        self._rooms = rooms

    def check(self, grant: Claims) -> None:
        """Raises ProblemError for the grant of one who is not let in."""
        state, of_class = self._state(grant.lesson_id), _class_of(grant)
        known = state or self._over.get(grant.lesson_id, _NOTHING_KNOWN)
        if not known.removed.isdisjoint({of_class, person(grant.participant_id or "")}):
            raise ProblemError(403, "removed", "A teacher has sent you out of this lesson")
        if of_class in known.admitted:
            return  # whatever the grant said when it was given
        waiting = (person(id) for id, one in state.participants.items() if one.waiting) if state is not None else ()
        if grant.waits or of_class in waiting:
            raise ProblemError(403, "not_admitted", "A teacher has not let you in yet")

    def _state(self, lesson_id: str) -> RoomState | None:
        room = self._rooms.find(lesson_id) if self._rooms is not None else None
        return room.room.state if room is not None else None

    # ── what rooms tell ───────────────────────────────────────────────────────────────────────────────────────────

    def room_opened(self, lesson_id: str, epoch_us: int, title: str, policy: RecordingPolicy) -> None: ...

    def event_stored(self, lesson_id: str, event: Event) -> None: ...

    def publication_added(self, lesson_id: str, publication: LivePublication, worker: MediaWorker) -> None: ...

    def publication_removed(self, lesson_id: str, publication_id: str, worker: MediaWorker) -> None: ...

    async def room_ended(self, lesson_id: str) -> None:
        now = time.monotonic()
        for old in [key for key, one in self._over.items() if one.until < now]:
            del self._over[old]
        if (state := self._state(lesson_id)) is not None:
            self._over[lesson_id] = _Over(now + GRANT_TIME, frozenset(state.admitted), frozenset(state.removed))


def _class_of(grant: Claims) -> str | None:
    """Which class somebody comes as, or for, by `person`; None for one who needs nobody to be let in."""
    if grant.role == "local_teacher" and grant.class_id is not None:
        return person(grant.class_id)
    if grant.role != "receiving_class":
        return None
    if grant.participant_id is not None:
        return person(grant.participant_id)
    known_by = grant.identity or grant.device
    return f"c-{known_by}" if known_by is not None else None
