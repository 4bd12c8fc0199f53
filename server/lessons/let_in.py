"""Whether a room has let in whoever asks over HTTP: who stands at its door or was sent out reads nothing of the lesson.

A grant is good for hours, and the room knows better: a teacher may have let its bearer in since, or sent it out. Whom
a lesson had sent out when it ended is remembered, in memory, as long as a grant lives.
"""

from __future__ import annotations

import time
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


class LetIn:
    """A RoomObserver, for what is known of a room that is over."""

    def __init__(self) -> None:
        self._rooms: OpenRooms | None = None
        self._sent_out: dict[str, tuple[float, frozenset[str]]] = {}  # by lesson that is over: until when, and whom

    def attach(self, rooms: OpenRooms) -> None:
        """Rooms need their observers first, so the rooms come afterwards."""
        self._rooms = rooms

    def check(self, grant: Claims) -> None:
        """Raises ProblemError for the grant of one who is not let in."""
        state = self._state(grant.lesson_id)
        removed = state.removed if state is not None else self._sent_out.get(grant.lesson_id, (0.0, frozenset()))[1]
        of_class = _class_of(grant)
        if not removed.isdisjoint({of_class, person(grant.participant_id or "")}):
            raise ProblemError(403, "removed", "A teacher has sent you out of this lesson")
        if of_class is not None and state is not None:
            if of_class in state.admitted:
                return  # whatever the grant said when it was given
            if any(one.waiting and person(id) == of_class for id, one in state.participants.items()):
                raise _at_the_door()
        if grant.waits:
            raise _at_the_door()

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
        for old in [key for key, (until, _) in self._sent_out.items() if until < now]:
            del self._sent_out[old]
        state = self._state(lesson_id)
        if state is not None and state.removed:
            self._sent_out[lesson_id] = (now + GRANT_TIME, frozenset(state.removed))


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


def _at_the_door() -> ProblemError:
    return ProblemError(403, "not_admitted", "A teacher has not let you in yet")
