"""One room: commands in, events out.

Plain and synchronous, without socket, clock or task: each command checks and acts at once, and the moment is an
argument. A command that may not be raises RoomError and changes nothing; one that changes nothing gives no events.
"""

from __future__ import annotations

from collections.abc import Iterable

from media.messages import Kind
from signaling.directing import Directing, tidy
from signaling.events import (
    SERVER,
    Admission,
    Away,
    Consent,
    Ended,
    Event,
    Floor,
    Hand,
    Headcount,
    Joined,
    LeaveReason,
    Left,
    Locked,
    Mark,
    Mode,
    Muted,
    Participation,
    Payload,
    Planned,
    Published,
    Recording,
    RecordingPolicy,
    RecordingState,
    Source,
    Started,
    Unpublished,
)
from signaling.grants import Role
from signaling.rights import Right, may, may_publish, may_watch
from signaling.room_error import RoomError as RoomError
from signaling.snapshot import ParticipantState
from signaling.state import RoomState, person
from signaling.surfaces import Surfaces
from signaling.talk import Talk

FLOOR_PLACES = 2  # classes that have the floor at once
INTERACTIVE_PLACES = 6  # classes that may be called on; the others watch until one is promoted
MAX_WAITING = 100  # at the door; whoever has a code can stand there
MAX_MARKS = 2000  # in one lesson; the snapshot carries them all


class Room(Directing, Talk, Surfaces):
    """The truth about one lesson while it is on. `state` is the fold of every event given out."""

    def __init__(
        self, history: Iterable[Event] = (), max_participants: int = 500, policy: RecordingPolicy = "consented"
    ) -> None:
        self.state = RoomState()
        self.max_participants = max_participants
        self._policy = policy
        for event in history:
            self.state.apply(event)

    @property
    def policy(self) -> RecordingPolicy:
        """Who is recorded, chosen with the lesson."""
        return self.state.planned.recording_policy if self.state.planned else self._policy

    def plan(self, at_ms: int, title: str, policy: RecordingPolicy) -> list[Event]:
        """Give the lesson another name, or decide anew who is recorded, until it begins. Raises RoomError."""
        self._open()
        if self.state.started_ms is not None:
            raise RoomError("lesson_begun", "the lesson has begun")
        return [self._emit(at_ms, SERVER, Planned(title, policy))]

    # ── coming and going ──────────────────────────────────────────────────────────────────────────────────────────

    def join(
        self,
        at_ms: int,
        participant_id: str,
        role: Role,
        name: str,
        headcount: int | None,
        *,
        waits: bool = False,
        class_id: str | None = None,
    ) -> list[Event]:
        """Someone comes, or comes again under the same id (and keeps hand, floor and publications).

        `waits`: a class that a teacher lets in first, unless one has done so before. `class_id`: of a phone,
        whom it belongs to.
        """
        self._open()
        known = self.state.participants.get(participant_id)
        events = []
        if known is not None and known.role != role:
            events += self.leave(at_ms, participant_id, "left")
            known = None
        if known is None:
            self.check_place(role)
            self._check_door(participant_id, role)
            if class_id is not None and person(class_id) in self.state.removed:
                raise RoomError("removed", "a teacher has sent this phone's class out of this lesson")
        elif headcount is None:
            headcount = known.headcount
        if known is None and waits and not self.was_in(participant_id):
            if sum(one.waiting for one in self.state.participants.values()) >= MAX_WAITING:
                raise RoomError("room_full", f"{MAX_WAITING} wait at the door already")
            events.append(
                self._emit(at_ms, participant_id, Joined(participant_id, role, tidy(name), headcount, class_id))
            )
            return [*events, self._emit(at_ms, SERVER, Admission(participant_id, "waiting"))]
        full = known is None and role == "receiving_class" and self._interactive() >= INTERACTIVE_PLACES
        events.append(self._emit(at_ms, participant_id, Joined(participant_id, role, tidy(name), headcount, class_id)))
        if full:
            events.append(self._emit(at_ms, SERVER, Mode(participant_id, "view_only")))
        return events

    def check_place(self, role: Role) -> None:
        """Raises RoomError if there is no place for one more. The last tenth is the teachers': whoever has a class code
        can fill a room, and must not keep out who could end that."""
        kept = 0 if may(role, "publish") else self.max_participants // 10
        if len(self.state.participants) >= self.max_participants - kept:
            raise RoomError("room_full", f"{len(self.state.participants)} participants are here already")

    def was_in(self, participant_id: str) -> bool:
        """Whether this browser or class was let in before, under whatever id."""
        return person(participant_id) in self.state.admitted

    def admit(self, at_ms: int, actor: str, participant_id: str) -> list[Event]:
        """A teacher lets in a class that stands at the door."""
        self._entitled(actor, "admit")
        if not self.participant(participant_id).waiting:
            return []
        full = self._interactive() >= INTERACTIVE_PLACES
        events = [self._emit(at_ms, actor, Admission(participant_id, "admitted"))]
        return [*events, self._emit(at_ms, SERVER, Mode(participant_id, "view_only"))] if full else events

    def lock(self, at_ms: int, actor: str, locked: bool) -> list[Event]:
        """A teacher lets nobody in any more who was not in before, or lets them in again."""
        self._entitled(actor, "admit")
        return [] if self.state.locked == locked else [self._emit(at_ms, actor, Locked(locked))]

    def check_admitted(self, participant_id: str) -> None:
        """Raises RoomError for one that stands at the door."""
        if self.participant(participant_id).waiting:
            raise RoomError("not_admitted", "a teacher has not let you in yet")

    def set_away(self, at_ms: int, participant_id: str, away: bool) -> list[Event]:
        """A participant's connection is lost, or is back."""
        known = self.state.participants.get(participant_id)
        if known is None or known.away == away or self.state.ended_ms is not None:
            return []
        return [self._emit(at_ms, SERVER, Away(participant_id, away))]

    def leave(self, at_ms: int, participant_id: str, reason: LeaveReason, actor: str | None = None) -> list[Event]:
        """A participant goes, and hand, floor and publications with it."""
        if participant_id not in self.state.participants or self.state.ended_ms is not None:
            return []
        actor = actor or (SERVER if reason == "lost" else participant_id)
        return [self._emit(at_ms, actor, Left(participant_id, reason))]

    def remove(self, at_ms: int, actor: str, participant_id: str) -> list[Event]:
        """The lead teacher sends someone out, with all that is here of the same class; it does not come back.

        A remote control is also disconnected by the teacher it belongs to, and by itself.
        """
        known = self.participant(participant_id)
        if known.role != "remote_control" or actor not in (participant_id, known.class_id):
            self._entitled(actor, "remove")
        here = [one for one in self.state.participants if person(one) == person(participant_id)]
        here += [id for id, one in self.state.participants.items() if one.class_id in here]  # its phones
        return [event for one in here for event in self.leave(at_ms, one, "removed", actor)]

    # ── the lesson ────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, at_ms: int, actor: str) -> list[Event]:
        self._entitled(actor, "start")
        return [] if self.state.started_ms is not None else [self._emit(at_ms, actor, Started())]

    def end(self, at_ms: int, actor: str = SERVER) -> list[Event]:
        if self.state.ended_ms is not None:
            return []
        if actor != SERVER:
            self._entitled(actor, "end")
        return [self._emit(at_ms, actor, Ended())]

    def set_recording(self, at_ms: int, state: RecordingState, reason: str | None) -> list[Event]:
        """The truth, as the server knows it. While a teacher has paused it, that is the truth."""
        known = self.state
        if known.ended_ms is not None or known.recording == "paused":
            return []
        if (known.recording, known.recording_reason) == (state, reason):
            return []
        return [self._emit(at_ms, SERVER, Recording(state, reason))]

    def pause_recording(self, at_ms: int, actor: str, paused: bool) -> list[Event]:
        """A teacher pauses the recording or lets it go on. It is off then until the server says that it is on."""
        self._entitled(actor, "set_recording")
        if self.policy == "nothing":
            raise RoomError("not_allowed", "this lesson is not recorded")
        if paused == (self.state.recording == "paused"):
            return []
        return [self._emit(at_ms, actor, Recording("paused" if paused else "off", None))]

    def consent(self, at_ms: int, actor: str, given: bool) -> list[Event]:
        """A class lets itself be recorded from now on, or no longer."""
        known = self._entitled(actor, "consent")
        if known.consent == given:
            return []
        return [self._emit(at_ms, actor, Consent(actor, given, known.name, known.headcount))]

    def remember_consent(self, at_ms: int, participant_id: str) -> list[Event]:
        """A class that has just come said in an earlier lesson that it may be recorded."""
        known = self.participant(participant_id)
        if known.consent is not None or not may(known.role, "consent"):
            return []
        return [self._emit(at_ms, SERVER, Consent(participant_id, True, known.name, known.headcount))]

    # ── publications ──────────────────────────────────────────────────────────────────────────────────────────────

    def check_may_publish(self, participant_id: str, *sources: Source) -> None:
        """Raises RoomError if this participant may not publish these at the moment; unnamed: whatever it likes."""
        if not all(self.may_publish(participant_id, source) for source in sources or (None,)):
            raise RoomError("not_allowed", "publishing needs a teacher's role, or the floor")

    def may_publish(self, participant_id: str, source: Source | None = None) -> bool:
        """Whether this source, or None: whatever it likes. A class that takes part shows its teachers its camera when
        it wants to (wall.py), and nothing else before it has the floor."""
        known = self.state.participants.get(participant_id)
        if known is None or known.waiting or self.state.ended_ms is not None:
            return False
        if may_publish(known.role, known.on_floor):
            return True
        return source == "camera" and may(known.role, "publish_on_floor") and known.mode == "interactive"

    def check_may_watch(self, participant_id: str) -> None:
        """Raises RoomError for one that receives neither picture nor sound."""
        if not may_watch(self.participant(participant_id).role):
            raise RoomError("not_allowed", "a remote control receives no media")

    def publish(self, at_ms: int, actor: str, publication_id: str, kind: Kind, source: Source) -> list[Event]:
        self.check_may_publish(actor, source)
        known = self.state.publications.get(publication_id)
        if known is not None and known.source == source:
            return []
        events = [] if known is None else self.unpublish(at_ms, publication_id)
        return [*events, self._emit(at_ms, actor, Published(publication_id, actor, kind, source))]

    def unpublish(self, at_ms: int, publication_id: str) -> list[Event]:
        known = self.state.publications.get(publication_id)
        if known is None or self.state.ended_ms is not None:
            return []
        return [self._emit(at_ms, known.participant_id, Unpublished(publication_id))]

    def mute(self, at_ms: int, actor: str, publication_id: str, muted: bool) -> list[Event]:
        self._open()
        known = self.state.publications.get(publication_id)
        if known is None:
            raise RoomError("unknown_publication", "no such publication in this room")
        if known.participant_id != actor:
            raise RoomError("not_allowed", "only its sender mutes a publication")
        return [] if known.muted == muted else [self._emit(at_ms, actor, Muted(publication_id, muted))]

    # ── floor and marks ───────────────────────────────────────────────────────────────────────────────────────────

    def floor(self, at_ms: int, actor: str, participant_id: str, granted: bool) -> list[Event]:
        """Give the floor to a class (which lowers its hand) or take it back (which ends its publications)."""
        if granted or actor != participant_id:
            self._entitled(actor, "floor")
        known = self.participant(participant_id)
        if not may(known.role, "publish_on_floor"):
            raise RoomError("not_allowed", "the floor is for classes")
        if known.on_floor == granted:
            return []
        if granted:
            self.check_admitted(participant_id)
        if granted and known.mode == "view_only":
            raise RoomError("view_only", "this class only watches")
        if not granted:
            events = [self._emit(at_ms, actor, Floor(participant_id, granted=False))]
            for publication in self.state.publications_of(participant_id):
                events += self.unpublish(at_ms, publication.publication_id)
            return events
        if len(self.state.on_floor()) >= FLOOR_PLACES:
            raise RoomError("floor_full", f"{FLOOR_PLACES} classes have the floor already")
        lowered = [self._emit(at_ms, participant_id, Hand(raised=False))] if known.hand_ms is not None else []
        return [*lowered, self._emit(at_ms, actor, Floor(participant_id, granted=True))]

    def mark(self, at_ms: int, actor: str, label: str) -> list[Event]:
        self._entitled(actor, "mark")
        if len(self.state.marks) >= MAX_MARKS:
            raise RoomError("too_many_messages", f"the lesson has {MAX_MARKS} marks already")
        return [self._emit(at_ms, actor, Mark(label))]

    # ── who takes part ────────────────────────────────────────────────────────────────────────────────────────────────

    def set_mode(self, at_ms: int, actor: str, participant_id: str, mode: Participation) -> list[Event]:
        """Let a class take part or only watch; who only watches gives the floor back."""
        self._entitled(actor, "mode")
        known = self.participant(participant_id)
        if known.role != "receiving_class":
            raise RoomError("not_allowed", "only a class takes part or watches")
        self.check_admitted(participant_id)
        if known.mode == mode:
            return []
        if mode == "interactive" and self._interactive() >= INTERACTIVE_PLACES:
            raise RoomError("interactive_full", f"{INTERACTIVE_PLACES} classes take part already")
        events = self.floor(at_ms, actor, participant_id, granted=False) if known.on_floor else []
        if mode == "view_only":  # its camera goes from the wall, too
            for publication in self.state.publications_of(participant_id):
                events += self.unpublish(at_ms, publication.publication_id)
        return [*events, self._emit(at_ms, actor, Mode(participant_id, mode))]

    def set_headcount(self, at_ms: int, actor: str, participant_id: str, headcount: int | None) -> list[Event]:
        """How many pupils sit there: a class says it of itself, the lead teacher of the lead class."""
        known = self._entitled(actor, "headcount")
        if participant_id != actor:
            raise RoomError("not_allowed", "each counts its own pupils")
        return [] if known.headcount == headcount else [self._emit(at_ms, actor, Headcount(participant_id, headcount))]

    # ── helpers ───────────────────────────────────────────────────────────────────────────────────────────────────

    def participant(self, participant_id: str) -> ParticipantState:
        """The participant. Raises RoomError."""
        self._open()
        known = self.state.participants.get(participant_id)
        if known is None:
            raise RoomError("unknown_participant", "no such participant in this room")
        return known

    def _interactive(self) -> int:
        classes = (one for one in self.state.participants.values() if one.role == "receiving_class")
        return sum(one.mode == "interactive" and not one.waiting for one in classes)

    def _check_door(self, participant_id: str, role: Role) -> None:
        """Raises RoomError for who was sent out, and for who comes first when the door is locked."""
        if person(participant_id) in self.state.removed:
            raise RoomError("removed", "a teacher has sent you out of this lesson")
        if self.state.locked and role in ("receiving_class", "observer") and not self.was_in(participant_id):
            raise RoomError("locked", "a teacher has locked this lesson")

    def _open(self) -> None:
        if self.state.ended_ms is not None:
            raise RoomError("lesson_ended", "the lesson is over")

    def _entitled(self, actor: str, right: Right) -> ParticipantState:
        known = self.participant(actor)
        if known.waiting and right != "headcount":
            raise RoomError("not_admitted", "a teacher has not let you in yet")
        if not may(known.role, right):
            raise RoomError("not_allowed", f"{known.role} has no right to {right}")
        return known

    def _emit(self, at_ms: int, actor: str, payload: Payload) -> Event:
        # The lesson clock never goes back in a log, even if the machine's did while the process was away.
        event = Event(self.state.seq + 1, max(at_ms, self.state.at_ms), actor, payload)
        self.state.apply(event)
        return event
