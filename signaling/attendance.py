"""Who is here: their sockets and deadlines, and what each of them has been told.

An event goes to everybody who may see it, in order and once; `prev` says what came before it for those who were not
sent everything (PROTOCOL.md section 3). Who has left hears of that first, and then the socket closes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from signaling.bus import Door
from signaling.events import Event, LeaveReason
from signaling.messages import EventMessage, ServerMessage, Welcome, to_json
from signaling.presence import Connection, Presence
from signaling.snapshot import ParticipantState
from signaling.state import RoomState
from signaling.visibility import sees

CLOSE_LEFT = 1000
CLOSE_REMOVED = 4403


class Attendance:
    """`then` calls something once everything before it is stored and told (room_log.py)."""

    def __init__(self, state: RoomState, then: Callable[[Callable[[], None]], None]) -> None:
        self.presences: dict[str, Presence] = {}
        self._state = state
        self._then = then
        self._leaving: list[Presence] = []  # they have left, and are still to be told

    @property
    def connections(self) -> Iterator[Connection]:
        return (presence.connection for presence in self.presences.values() if presence.connection is not None)

    def find(self, participant_id: str) -> Presence | None:
        return self.presences.get(participant_id)

    def here(self, participant_id: str, door: Door) -> Presence:
        """Somebody is here, again or for the first time, and is not waited for any more."""
        presence = self.presences.setdefault(participant_id, Presence(door))
        presence.door = door
        presence.settle()
        return presence

    def settle(self) -> None:
        """Nobody is waited for any more."""
        for presence in self.presences.values():
            presence.settle()

    def left(self, participant_id: str, reason: LeaveReason) -> Presence | None:
        """Somebody has left: the socket closes when this was told. None if nobody of this id was here."""
        presence = self.presences.pop(participant_id, None)
        if presence is not None:
            presence.settle()
            self._leaving.append(presence)
            self._then(lambda: self._dismiss(presence, reason))
        return presence

    # ── telling ───────────────────────────────────────────────────────────────────────────────────────────────────

    def tell(self, participant_id: str, message: ServerMessage) -> None:
        """Say something to one participant, if it has a socket."""
        presence = self.presences.get(participant_id)
        if presence is not None and presence.connection is not None:
            say(presence.connection, message)

    def tell_all(self, message: ServerMessage) -> None:
        """Say something to everybody that is no event: it is not stored, who is away misses it."""
        text = to_json(message)
        for presence in self.presences.values():
            if presence.connection is not None and presence.let_in is None:
                presence.connection.send(text)

    def deliver(self, event: Event) -> None:
        """Send a stored event to everybody who may see it and has not seen it."""
        texts: dict[int, str] = {}  # by what was told before: nearly always the same to all
        people: list[tuple[str, Presence]] = [*self.presences.items(), *(("", one) for one in self._leaving)]
        for participant_id, presence in people:
            if presence.connection is None or presence.let_in is not None or presence.seen >= event.seq:
                continue
            if not sees(self._state.participants.get(participant_id), event):
                continue
            if presence.told not in texts:
                prev = None if presence.told == event.seq - 1 else presence.told
                texts[presence.told] = to_json(EventMessage(event, prev))
            presence.connection.send(texts[presence.told])
            presence.told = event.seq

    def greet(
        self,
        viewer: ParticipantState,
        connection: Connection,
        welcome: Welcome,
        missed: list[Event] | None,
        after: Callable[[str], None],
    ) -> None:
        """Say welcome, with what was missed, behind the events it speaks of; `after` that, what is no event.

        One that stands at the door is told of itself alone.
        """

        def greet() -> None:
            say(connection, welcome)
            told = missed[0].seq - 1 if missed else welcome.seq
            for event in missed or ():
                if sees(viewer, event):
                    say(connection, EventMessage(event, None if event.seq == told + 1 else told))
                    told = event.seq
            presence = self.presences.get(viewer.participant_id)
            if presence is not None:
                presence.told = told
                if not viewer.waiting:
                    after(viewer.participant_id)

        self._then(greet)

    def _dismiss(self, presence: Presence, reason: LeaveReason) -> None:
        self._leaving.remove(presence)
        if presence.connection is not None:
            presence.connection.close(CLOSE_REMOVED if reason == "removed" else CLOSE_LEFT, reason)


def say(connection: Connection, message: ServerMessage) -> None:
    connection.send(to_json(message))
