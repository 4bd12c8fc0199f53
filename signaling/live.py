"""A room with everything around it: its log, the people connected to it, its transports, its deadlines.

`Room` decides, and here its events go on their way: into the log, then to every socket and observer, in order. Someone
whose socket is lost is away, and after a minute gone; a WHIP or WHEP session is here as long as its transport.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence

from media import messages as media
from signaling import commands, messages
from signaling.bus import Bus, Door, Entry, Opened, TransportNote, events_of
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
from signaling.messages import EventMessage, ServerMessage, SlotCounts, Welcome, to_json
from signaling.observers import ConsentBook, LivePublication, Observers, RoomObserver
from signaling.orders import carry_out
from signaling.presence import Connection, LessonClock, Presence
from signaling.rights import RIGHTS, may_watch
from signaling.room import Room, RoomError
from signaling.room_log import RoomLog
from signaling.seating import new_id, seat, waits
from signaling.sessions import Sessions
from signaling.snapshot import ParticipantState
from signaling.transports import Transports
from signaling.turn import IceServers
from signaling.visibility import alone, sees, snapshot_for
from signaling.workers import Worker, Workers

AWAY = 60.0  # seconds a participant whose socket is lost may be away before it has left
POCKETED = 4 * 3600.0  # of a remote control: a phone in a pocket stays on the list its teacher disconnects it by
RETURN = 5.0  # seconds after a restart of this process in which people return without having been away
CONNECTING = 30.0  # seconds a WHIP or WHEP session has to connect its transport
MAX_MISSED = 500  # events; who missed more gets the snapshot, which is smaller
SLOTS = SlotCounts(audio=3, video=4)
TEACHER_SLOTS = SlotCounts(audio=3, video=8)  # teacher, screen, and every class on the wall

CLOSE_LEFT = 1000
CLOSE_RESTART = 1001
CLOSE_REMOVED = 4403
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
        self._presences: dict[str, Presence] = {}
        self._leaving: list[Presence] = []  # they have left, and are still to be told
        self._log = RoomLog(lesson_id, bus, entries, self._deliver)
        self._closing = False
        self.transports = Transports(lesson_id, self.room, workers, self)
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
            participant_id, role = seat(grant, hello, self._presences)
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
        presence = self._here(participant_id, "socket")
        if presence.connection is not None:
            self._say(presence.connection, messages.Error(code="replaced", message="resumed elsewhere"))
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
        presence = self._presences.get(participant_id)
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

    # ── WHIP and WHEP ─────────────────────────────────────────────────────────────────────────────────────────────

    async def open_session(self, grant: Grant, door: Door, sdp: str) -> tuple[str, str, str]:
        """A WHIP or WHEP session as a participant of its own: its id, the id of its transport and the answer.

        A grant that names a participant has one session per door; the next takes the place of the last.
        Raises RoomError.
        """
        direction: media.Direction = "send" if door == "whip" else "receive"
        if direction == "send" and "publish" not in RIGHTS[grant.room_role]:
            raise RoomError("not_allowed", f"{grant.room_role} may not publish by WHIP")
        if not may_watch(grant.room_role):
            raise RoomError("not_allowed", f"{grant.room_role} receives no media")
        # Never the grant's own id: a device beside the same person's browser is another participant.
        named = grant.participant_id
        participant_id = f"{named}-{door}" if named is not None else new_id(grant)
        if waits(grant, participant_id, self.room.state) and not self.room.was_in(participant_id):
            raise RoomError("not_admitted", "a teacher has not let you in yet")
        if participant_id not in self.room.state.participants:
            self.room.check_place(grant.room_role)
        negotiated = await self.transports.negotiate(direction, sdp)
        try:
            joined = self.room.join(
                self.now_ms(), participant_id, grant.room_role, grant.name or "", None, class_id=grant.class_id
            )
            self.commit(joined)
        except RoomError:
            self.transports.discard(negotiated)
            raise
        presence = self._here(participant_id, door)
        presence.expect(CONNECTING, lambda: self._connected_or_left(participant_id))
        answer, _ = self.transports.register(participant_id, door, direction, 1, negotiated)
        if direction == "send" and "start" in RIGHTS[grant.room_role]:
            self.commit(self.room.start(self.now_ms(), participant_id))
        return participant_id, negotiated.transport_id, answer

    def session(self, door: Door, transport_id: str) -> str | None:
        """The participant whose session by this door has this transport, None if there is no such session."""
        note = self.transports.note(transport_id)
        return note.participant_id if note is not None and note.door == door else None

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

    def worker_event(self, worker: Worker, event: media.Event) -> bool:
        """Take notice of what a worker tells if it is of this room; False if it is not."""
        match event:
            case media.TransportChanged():
                return self.transports.transport_changed(worker, event)
            case media.LayersWanted():
                return self.transports.layers_wanted(event)
            case media.SlotChanged():
                return self.transports.slot_changed(event)
            case media.SpeechChanged():
                return self.transports.speech_changed(event)
            case _:
                return False

    async def close(self) -> None:
        """Let the sockets go; the lesson stays as it is in the log. Closing twice is harmless."""
        self._closing = True
        for presence in self._presences.values():
            presence.settle()
            if presence.connection is not None:
                presence.connection.close(CLOSE_RESTART, "the server restarts")
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
            for presence in self._presences.values():
                presence.settle()
            self._log.finish()

    def tell(self, participant_id: str, message: ServerMessage) -> None:
        presence = self._presences.get(participant_id)
        if presence is not None and presence.connection is not None:
            self._say(presence.connection, message)

    def tell_all(self, message: ServerMessage) -> None:
        """Say something to everybody that is no event: it is not stored, who is away misses it."""
        text = to_json(message)
        for presence in self._presences.values():
            if presence.connection is not None and presence.let_in is None:
                presence.connection.send(text)

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
        presence = self._presences.get(actor)
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
            presence = self._here(participant_id, doors.get(participant_id, "socket"))
            if presence.door == "socket":
                presence.expect(RETURN, lambda id=participant_id: self._not_returned(id))  # type: ignore[misc]

    def _not_returned(self, participant_id: str) -> None:
        presence = self._presences[participant_id]
        self.commit(self.room.set_away(self.now_ms(), participant_id, away=True))
        presence.expect(max(0.0, self._patience(participant_id) - RETURN), lambda: self.leave(participant_id, "lost"))

    def _patience(self, participant_id: str) -> float:
        """Seconds it may be away."""
        known = self.room.state.participants.get(participant_id)
        if known is not None and known.role == "remote_control":
            return POCKETED
        return AWAY if self._away is None else self._away

    def _connected_or_left(self, participant_id: str) -> None:
        if not self.transports.connected(participant_id):
            self.leave(participant_id, "lost")

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
        presence = self._presences.get(participant_id)
        if presence is None or presence.let_in is None:
            return
        let_in, presence.let_in = presence.let_in, None
        presence.seen = self.room.state.seq
        if presence.connection is not None:
            let_in()

    def _here(self, participant_id: str, door: Door) -> Presence:
        presence = self._presences.setdefault(participant_id, Presence(door))
        presence.door = door
        presence.settle()
        return presence

    def _left(self, left: Left) -> None:
        self.transports.closed_by(left.participant_id)
        presence = self._presences.pop(left.participant_id, None)
        if self.empty:
            self.empty_since = time.monotonic()
        if presence is None:
            return
        presence.settle()
        if presence.let_in is not None and left.reason == "removed" and presence.connection is not None:
            self._say(presence.connection, messages.Error(code="removed", message="a teacher has not let you in"))
        self._leaving.append(presence)
        self._log.then(lambda: self._dismiss(presence, left.reason))  # after it was told that it has left

    def _dismiss(self, presence: Presence, reason: LeaveReason) -> None:
        self._leaving.remove(presence)
        if presence.connection is not None:
            presence.connection.close(CLOSE_REMOVED if reason == "removed" else CLOSE_LEFT, reason)

    def _welcome(
        self,
        participant_id: str,
        connection: Connection,
        missed: list[Event] | None,
        re: int | None,
        role: Role,
        ice_servers: IceServers,
    ) -> None:
        state = self.room.state
        viewer = state.participants[participant_id]
        at_the_door = viewer.waiting
        welcome = Welcome(
            re=re,
            participant_id=participant_id,
            session=self._sessions.issue(self.lesson_id, participant_id),
            role=role,
            lesson_id=self.lesson_id,
            title=self.title,
            now_ms=self.now_ms(),
            seq=0 if at_the_door else state.seq,  # of the room it has nothing yet
            recording_policy=self.room.policy,
            resumed=missed is not None,
            snapshot=None
            if missed is not None
            else alone(viewer, state.started_ms)
            if at_the_door
            else snapshot_for(viewer, state),
            rights=RIGHTS[role],
            ice_servers=tuple(ice_servers(participant_id)),
            slots=TEACHER_SLOTS if "publish" in RIGHTS[role] else SLOTS,
        )

        def say() -> None:
            self._say(connection, welcome)
            told = missed[0].seq - 1 if missed else welcome.seq
            for event in missed or ():
                if sees(viewer, event):
                    self._say(connection, EventMessage(event, None if event.seq == told + 1 else told))
                    told = event.seq
            presence = self._presences.get(participant_id)
            if presence is not None:
                presence.told = told
                self.transports.tell_again(participant_id)

        self._log.then(say)  # behind the events it speaks of, which are stored first

    def _say(self, connection: Connection, message: ServerMessage) -> None:
        connection.send(to_json(message))

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
        for presence in self._presences.values():
            if presence.connection is not None:
                presence.connection.close(CLOSE_ENDED, "lesson_ended")
        done = await self._observers.ended()
        await (self._bus.remove if done else self._bus.release)(self.lesson_id)
        self._over(self)

    def _deliver(self, event: Event) -> None:
        texts: dict[int, str] = {}  # by what was told before: nearly always the same to all
        people: list[tuple[str, Presence]] = [*self._presences.items(), *(("", one) for one in self._leaving)]
        for participant_id, presence in people:
            if presence.connection is None or presence.let_in is not None or presence.seen >= event.seq:
                continue
            if not sees(self.room.state.participants.get(participant_id), event):
                continue
            if presence.told not in texts:
                prev = None if presence.told == event.seq - 1 else presence.told
                texts[presence.told] = to_json(EventMessage(event, prev))
            presence.connection.send(texts[presence.told])
            presence.told = event.seq
        self._observers.tell(lambda observer: observer.event_stored(self.lesson_id, event))
