"""A room with everything around it: its log, the people connected to it, its transports, its deadlines.

`Room` decides, and here its events go on their way: into the log, then to every socket and observer, in order. Someone
whose socket is lost is away, and after a minute gone; a WHIP or WHEP session is here as long as its transport.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence

from signaling import commands, messages
from signaling.attendance import Attendance, say
from signaling.bus import Bus, Entry, Opened, TransportNote, events_of
from signaling.commands import Hello
from signaling.events import (
    SERVER,
    Admission,
    Ended,
    Event,
    LeaveReason,
    Left,
    RecordingPolicy,
    RecordingState,
    SlidesAdded,
)
from signaling.grants import Grant, Role
from signaling.http_sessions import HttpSessions
from signaling.messages import ServerMessage
from signaling.observers import ConsentBook, LivePublication, Observers, RoomObserver
from signaling.orders import carry_out
from signaling.presence import Connection, LessonClock
from signaling.room import Room
from signaling.room_log import RoomLog
from signaling.seating import seat, waits
from signaling.sessions import Sessions
from signaling.snapshot import ParticipantState
from signaling.transports import Transports
from signaling.turn import IceServers
from signaling.welcome import welcome_to
from signaling.workers import Worker, Workers

AWAY = 60.0  # seconds a participant whose socket is lost may be away before it has left
POCKETED = 4 * 3600.0  # of a remote control: a phone in a pocket stays on the list its teacher disconnects it by
RETURN = 5.0  # seconds after a restart of this process in which people return without having been away
MAX_MISSED = 500  # events; who missed more gets the snapshot, which is smaller

CLOSE_RESTART = 1001
CLOSE_REPLACED = 4409
CLOSE_ENDED = 4410

log = logging.getLogger(__name__)


class LiveRoom:
    """One open room.

    `entries` is its log, which begins with `Opened`; `known`: the observers were told of it before; `over` is called
    once it has ended.
    """

    def __init__(
        self,
        lesson_id: str,
        entries: Sequence[Entry],
        *,
        bus: Bus,
        workers: Workers,
        observers: Sequence[RoomObserver],
        secret: bytes,
        max_participants: int,
        known: bool,
        over: Callable[[LiveRoom], None],
        consents: ConsentBook | None = None,
        away: float | None = None,
    ) -> None:
        opened = entries[0]
        assert isinstance(opened, Opened)
        self.lesson_id = lesson_id
        self._title = opened.title
        self.clock = LessonClock(opened.epoch_us)
        self.room = Room(events_of(entries), max_participants, opened.recording_policy)
        self.empty_since = time.monotonic()
        self._bus = bus
        self._observers = Observers(lesson_id, observers)
        self._over = over
        self._consents = consents
        self._away = away
        self._sessions = Sessions(secret, "room")
        self._log = RoomLog(lesson_id, bus, entries, self._deliver)
        self._attendance = Attendance(self.room.state, self._log.then)
        self._closing = False
        self.transports = Transports(lesson_id, self.room, workers, self)
        self.http_sessions = HttpSessions(self.room, self.transports, self._attendance, self)
        self._remember(entries)
        if not known:
            self._observers.tell(
                lambda observer: observer.room_opened(lesson_id, opened.epoch_us, self.title, self.room.policy)
            )
        self._writer = asyncio.create_task(self._run(), name=f"room {lesson_id}")

    # ── sockets ───────────────────────────────────────────────────────────────────────────────────────────────────

    def enter(self, grant: Grant, hello: Hello, connection: Connection, ice_servers: IceServers) -> str:
        """Someone says hello: the same participant again, or a new one. Gives its id. Raises RoomError."""
        resumed = self._resumed(grant, hello)
        role = grant.room_role
        events: list[Event] = []
        missed: list[Event] | None = None
        known = False
        if resumed is not None:
            participant_id = resumed
            events = self.room.set_away(self.now_ms(), participant_id, away=False)
            after = hello.resume.seq if hello.resume else 0
            if self.room.state.seq - MAX_MISSED <= after <= self.room.state.seq:
                missed = self._log.events[after:] + events
        else:
            participant_id, role = seat(grant, hello, self._attendance.presences)
            known = participant_id in self.room.state.participants
            name = grant.name or hello.name or ""
            headcount = hello.headcount if role == grant.room_role else None  # beside a class nobody is counted twice
            at_the_door = waits(grant, participant_id, self.room.state)
            events = self.room.join(
                self.now_ms(), participant_id, role, name, headcount, waits=at_the_door, class_id=grant.class_id
            )
            if grant.consent:
                events += self.room.remember_consent(self.now_ms(), participant_id)
        self.commit(events)
        if known:  # a new page that knows nothing of the peer connections of the old one
            self.transports.closed_by(participant_id)
        presence = self._attendance.here(participant_id, "socket")
        if presence.connection is not None:
            say(presence.connection, messages.Error(code="replaced", message="resumed elsewhere"))
            presence.connection.close(CLOSE_REPLACED, "replaced")
        presence.connection = connection
        presence.device = grant.device
        presence.class_group_id = grant.class_group_id if role == "receiving_class" else None
        presence.seen = self.room.state.seq
        if self.room.participant(participant_id).waiting:
            presence.let_in = lambda: self._welcome(participant_id, connection, None, None, role, ice_servers)
            missed = None
        self._welcome(participant_id, connection, missed, hello.id, role, ice_servers)
        return participant_id

    def dropped(self, participant_id: str, connection: Connection) -> None:
        """A socket is lost. Its participant may come back for a while."""
        presence = self._attendance.find(participant_id)
        if presence is None or presence.connection is not connection or self._closing:
            return
        presence.connection = None
        self.commit(self.room.set_away(self.now_ms(), participant_id, away=True))
        presence.expect(self._patience(participant_id), lambda: self.leave(participant_id, "lost"))

    def command(self, actor: str, message: commands.ClientMessage) -> None:
        """Do what a participant asks (PROTOCOL.md section 4). Raises RoomError."""
        room = self.room
        if not isinstance(message, commands.SetHeadcount | commands.Leave):
            room.check_admitted(actor)
        match message:
            case commands.KeyFrame(publication_id=publication_id):
                room.participant(actor)
                self.transports.request_key_frame(publication_id)
            case commands.View(slots=shown):
                self.transports.view(actor, shown)
            case commands.GiveConsent(given=given):
                self._consented(actor, carry_out(room, self.now_ms(), actor, message), given)
            case commands.Leave():
                self.leave(actor, "left")
            case _:
                self.commit(carry_out(room, self.now_ms(), actor, message))

    async def offer(self, actor: str, message: commands.Offer) -> messages.AnswerSend | messages.AnswerReceive:
        """Answer a peer connection's offer. Raises RoomError."""
        self.room.check_admitted(actor)
        self.room.check_may_watch(actor)
        sdp, tracks = await self.transports.offer(
            actor, message.direction, message.generation, message.sdp, message.tracks
        )
        if message.direction == "receive":
            return messages.AnswerReceive(re=message.id, generation=message.generation, sdp=sdp)
        return messages.AnswerSend(re=message.id, generation=message.generation, sdp=sdp, publications=tracks)

    # ── for everyone ──────────────────────────────────────────────────────────────────────────────────────────────

    def leave(self, participant_id: str, reason: LeaveReason) -> None:
        """A participant goes. Leaving twice is harmless."""
        self.commit(self.room.leave(self.now_ms(), participant_id, reason))

    def end(self, actor: str = SERVER) -> None:
        """The lesson is over. Ending twice is harmless."""
        self.commit(self.room.end(self.now_ms(), actor))

    @property
    def title(self) -> str:
        planned = self.room.state.planned
        return planned.title if planned else self._title

    def plan(self, title: str, policy: RecordingPolicy) -> None:
        """The lesson is planned anew while somebody is here already. Raises RoomError once it has begun."""
        self.commit(self.room.plan(self.now_ms(), title, policy))

    def set_recording(self, state: RecordingState, reason: str | None) -> None:
        self.commit(self.room.set_recording(self.now_ms(), state, reason))

    def events(self, after: int) -> list[Event]:
        """The stored events with a greater `seq`."""
        return self._log.stored(after)

    @property
    def empty(self) -> bool:
        """Whether nobody is here; a remote control in somebody's pocket is nobody."""
        return all(one.role == "remote_control" for one in self.room.state.participants.values())

    def who(self, session: str) -> ParticipantState | None:
        """Whom the `session` of a `welcome` belongs to, if that participant is here and let in."""
        known = self.room.state.participants.get(self._sessions.name(self.lesson_id, session) or "")
        return known if known is not None and not known.waiting else None

    def add_photo(self, actor: str, photo_id: str) -> None:
        """A photo that is kept now. Raises RoomError."""
        self.commit(self.room.photo(self.now_ms(), actor, photo_id))

    def add_slides(self, slides: SlidesAdded) -> None:
        """These are ready to be shown; saying so twice is harmless. Raises RoomError if the lesson takes no more."""
        self.commit(self.room.add_slides(self.now_ms(), slides))

    def remove_slides(self, slides_id: str) -> None:
        """They are deleted. Saying so twice is harmless."""
        self.commit(self.room.remove_slides(self.now_ms(), slides_id))

    async def close(self) -> None:
        """Let the sockets go; the lesson stays as it is in the log. Closing twice is harmless."""
        self._closing = True
        self._attendance.settle()
        for connection in self._attendance.connections:
            connection.close(CLOSE_RESTART, "the server restarts")
        self._log.finish()
        await asyncio.gather(self._writer, return_exceptions=True)
        await self.transports.stop()

    async def finished(self) -> None:
        """Wait until the ended lesson is finished with."""
        await asyncio.wait({self._writer})

    # ── the stage of the transports ───────────────────────────────────────────────────────────────────────────────

    def now_ms(self) -> int:
        return self.clock.now_ms()

    def commit(self, entries: Iterable[Entry]) -> None:
        """Send events and notes on their way, and draw the consequences of them."""
        entries = list(entries)
        if not entries:
            return
        self._log.add(entries)
        events = events_of(entries)
        for event in events:
            if isinstance(event.payload, Left):
                self._left(event.payload)
            elif isinstance(event.payload, Admission) and event.payload.state == "admitted":
                self._let_in(event.payload.participant_id)
        if events:
            self.transports.changed()
        if any(isinstance(event.payload, Ended) for event in events):
            self.transports.close()
            self._attendance.settle()
            self._log.finish()

    def tell(self, participant_id: str, message: ServerMessage) -> None:
        self._attendance.tell(participant_id, message)

    def tell_all(self, message: ServerMessage) -> None:
        self._attendance.tell_all(message)

    def transport_gone(self, note: TransportNote) -> None:
        self.leave(note.participant_id, "lost")

    def publication_added(self, publication: LivePublication, worker: Worker) -> None:
        self._observers.tell(lambda observer: observer.publication_added(self.lesson_id, publication, worker))

    def publication_removed(self, publication_id: str, worker: Worker) -> None:
        self._observers.tell(lambda observer: observer.publication_removed(self.lesson_id, publication_id, worker))

    # ── helpers ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _consented(self, actor: str, events: list[Event], given: bool) -> None:
        """A class has said whether it may be recorded; what one of the list says holds in its other lessons too."""
        self.commit(events)
        presence = self._attendance.find(actor)
        if events and presence is not None and presence.class_group_id is not None and self._consents is not None:
            self._consents.said(self.lesson_id, presence.class_group_id, given)

    def _remember(self, entries: Sequence[Entry]) -> None:
        """Take up the log of a process that is no more: its people have a while to come back."""
        notes = {(note.participant_id, note.direction): note for note in entries if isinstance(note, TransportNote)}
        if self.room.state.ended_ms is not None:
            self._log.finish()
            return
        here = self.room.state.participants
        open_notes = [note for note in notes.values() if note.open and note.participant_id in here]
        self.transports.remember(open_notes)
        doors = {note.participant_id: note.door for note in open_notes}
        for participant_id in here:
            presence = self._attendance.here(participant_id, doors.get(participant_id, "socket"))
            if presence.door == "socket":
                presence.expect(RETURN, lambda id=participant_id: self._not_returned(id))  # type: ignore[misc]

    def _not_returned(self, participant_id: str) -> None:
        presence = self._attendance.presences[participant_id]
        self.commit(self.room.set_away(self.now_ms(), participant_id, away=True))
        presence.expect(max(0.0, self._patience(participant_id) - RETURN), lambda: self.leave(participant_id, "lost"))

    def _patience(self, participant_id: str) -> float:
        """Seconds it may be away."""
        known = self.room.state.participants.get(participant_id)
        if known is not None and known.role == "remote_control":
            return POCKETED
        return AWAY if self._away is None else self._away

    def _resumed(self, grant: Grant, hello: Hello) -> str | None:
        if hello.resume is None:
            return None
        participant_id = self._sessions.name(self.lesson_id, hello.resume.session)
        known = self.room.state.participants.get(participant_id or "")
        if known is None or known.role != grant.room_role or grant.participant_id not in (None, participant_id):
            return None
        self.room.participant(known.participant_id)
        return known.participant_id

    def _let_in(self, participant_id: str) -> None:
        """It stood at the door and knows nothing: from now on it hears all."""
        presence = self._attendance.find(participant_id)
        if presence is None or presence.let_in is None:
            return
        let_in, presence.let_in = presence.let_in, None
        presence.seen = self.room.state.seq
        if presence.connection is not None:
            let_in()

    def _left(self, left: Left) -> None:
        self.transports.closed_by(left.participant_id)
        presence = self._attendance.left(left.participant_id, left.reason)
        if self.empty:
            self.empty_since = time.monotonic()
        if presence and presence.connection and presence.let_in is not None and left.reason == "removed":
            say(presence.connection, messages.Error(code="removed", message="a teacher has not let you in"))

    def _welcome(
        self,
        participant_id: str,
        connection: Connection,
        missed: list[Event] | None,
        re: int | None,
        role: Role,
        ice_servers: IceServers,
    ) -> None:
        viewer = self.room.state.participants[participant_id]
        welcome = welcome_to(
            self.room,
            viewer,
            lesson_id=self.lesson_id,
            title=self.title,
            session=self._sessions.issue(self.lesson_id, participant_id),
            now_ms=self.now_ms(),
            role=role,
            resumed=missed is not None,
            ice_servers=tuple(ice_servers(participant_id)),
            re=re,
        )
        self._attendance.greet(viewer, connection, welcome, missed, after=self.transports.tell_again)

    async def _run(self) -> None:
        """Store, then send, in order, until the lesson is over or the process ends."""
        try:
            await self._log.write()
            if self.room.state.ended_ms is not None:
                await self._finish()
        except Exception:
            log.exception("lesson %s cannot go on", self.lesson_id)

    async def _finish(self) -> None:
        """The lesson is over: once every observer has done with it, its log is not needed any more.

        If one fails, the log stays, and whoever asks for the lesson, or the next start, has it told again.
        """
        for connection in self._attendance.connections:
            connection.close(CLOSE_ENDED, "lesson_ended")
        done = await self._observers.ended()
        await (self._bus.remove if done else self._bus.release)(self.lesson_id)
        self._over(self)

    def _deliver(self, event: Event) -> None:
        self._attendance.deliver(event)
        self._observers.tell(lambda observer: observer.event_stored(self.lesson_id, event))
