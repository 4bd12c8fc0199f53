"""What is said in a room: hands, messages, the private line with a class, signals, photos of pupils' work.

A part of `Room`, with its rules: command in, events out. A local teacher's phone speaks for the class it is bound to:
the actor of what it says is that class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from signaling.events import (
    Addressee,
    Chat,
    ChatToAll,
    Event,
    Hand,
    Hidden,
    Payload,
    Photo,
    PhotoShown,
    Private,
    Signal,
    SignalWord,
    Silenced,
)
from signaling.rights import Right, may
from signaling.room_error import RoomError
from signaling.snapshot import ParticipantState
from signaling.state import PHOTOS_SHOWN, RoomState

PHOTOS_OF_CLASS = 60  # in one lesson, so that one class cannot take the place of the others'


class Talk(ABC):
    state: RoomState

    @abstractmethod
    def participant(self, participant_id: str) -> ParticipantState:
        """The participant. Raises RoomError."""

    @abstractmethod
    def _entitled(self, actor: str, right: Right) -> ParticipantState: ...

    @abstractmethod
    def _emit(self, at_ms: int, actor: str, payload: Payload) -> Event: ...

    # ── what a class and its local teacher say ────────────────────────────────────────────────────────────────────

    def hand(self, at_ms: int, actor: str, raised: bool) -> list[Event]:
        """A class raises its hand; its local teacher's phone raises the same one."""
        known = self._entitled(actor, "hand")
        if known.class_id is not None:
            known = self._class_of(known)
        if (known.hand_ms is not None) == raised:
            return []
        return [self._emit(at_ms, known.participant_id, Hand(raised))]

    def chat(self, at_ms: int, actor: str, text: str, to: Addressee | None = None) -> list[Event]:
        """A message to everybody or to the teachers; without `to`, to as many as the sender may write to."""
        known = self._entitled(actor, "chat")
        if may(known.role, "private_lines"):
            return [self._emit(at_ms, actor, Chat(text, "all"))]
        of = self._class_of(known) if known.class_id is not None else known  # a local teacher without a class: itself
        if of.silenced:
            raise RoomError("silenced", "a teacher has asked this class to write no messages")
        if to == "all" and not self.state.chat_to_all:
            raise RoomError("not_allowed", "classes write to the teachers")
        if to == "teachers" or not self.state.chat_to_all:
            return [self._emit(at_ms, of.participant_id, Chat(text, "teachers", of.participant_id))]
        return [self._emit(at_ms, of.participant_id, Chat(text, "all"))]

    def signal(self, at_ms: int, actor: str, signal: SignalWord) -> list[Event]:
        """A class, or its local teacher, wants something of the teacher."""
        known = self._class_of(self._entitled(actor, "signal"))
        return [self._emit(at_ms, known.participant_id, Signal(known.participant_id, signal))]

    def private(self, at_ms: int, actor: str, participant_id: str, text: str) -> list[Event]:
        """A word on a class's line: of a teacher on any, of a class and its phone on their own."""
        known = self._entitled(actor, "private")
        if may(known.role, "private_lines"):
            if self.participant(participant_id).role != "receiving_class":
                raise RoomError("not_allowed", "a private line leads to a class")
        else:
            own = self._class_of(known)
            if own.participant_id != participant_id:
                raise RoomError("not_allowed", "this is another class's line")
            if own.silenced:
                raise RoomError("silenced", "a teacher has asked this class to write no messages")
            actor = own.participant_id
        return [self._emit(at_ms, actor, Private(participant_id, text))]

    # ── photos ────────────────────────────────────────────────────────────────────────────────────────────────────

    def check_photo(self, actor: str) -> ParticipantState:
        """The class a photo of this participant is of. Raises RoomError if it may send none."""
        known = self._class_of(self._entitled(actor, "photo"))
        photos = self.state.photos
        of_class = sum(photo.participant_id == known.participant_id for photo in photos)
        if len(photos) >= PHOTOS_SHOWN or of_class >= PHOTOS_OF_CLASS:
            raise RoomError("too_many_photos", "the lesson has as many photos as it takes")
        if known.silenced:
            raise RoomError("silenced", "a teacher has asked this class to write no messages")
        return known

    def photo(self, at_ms: int, actor: str, photo_id: str) -> list[Event]:
        """A picture of pupils' work is there."""
        class_id = self.check_photo(actor).participant_id
        return [self._emit(at_ms, class_id, Photo(class_id, photo_id))]

    def show_photo(self, at_ms: int, actor: str, photo_id: str | None) -> list[Event]:
        """Show a photo to everybody, or none any more."""
        self._entitled(actor, "show")
        if photo_id is not None and all(photo.photo_id != photo_id for photo in self.state.photos):
            raise RoomError("unknown_photo", "no such photo in this lesson")
        return [] if self.state.photo_shown == photo_id else [self._emit(at_ms, actor, PhotoShown(photo_id))]

    # ── order ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def hide(self, at_ms: int, actor: str, seq: int) -> list[Event]:
        """Take a message away."""
        self._entitled(actor, "moderate")
        return [self._emit(at_ms, actor, Hidden(seq))] if any(line.seq == seq for line in self.state.chat) else []

    def silence(self, at_ms: int, actor: str, participant_id: str, silenced: bool) -> list[Event]:
        """Let a class write no messages, or let it again; its hand and its signals stay."""
        self._entitled(actor, "moderate")
        known = self.participant(participant_id)
        if known.role != "receiving_class":
            raise RoomError("not_allowed", "only a class is silenced")
        return [] if known.silenced == silenced else [self._emit(at_ms, actor, Silenced(participant_id, silenced))]

    def allow_chat_to_all(self, at_ms: int, actor: str, allowed: bool) -> list[Event]:
        """Let classes write to everybody, or to the teachers alone."""
        self._entitled(actor, "moderate")
        return [] if self.state.chat_to_all == allowed else [self._emit(at_ms, actor, ChatToAll(allowed))]

    # ── helpers ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _class_of(self, known: ParticipantState) -> ParticipantState:
        """The class someone speaks for. Raises RoomError."""
        if known.role == "receiving_class":
            return known
        found = self.state.participants.get(known.class_id or "")
        if found is None or found.role != "receiving_class" or found.waiting:
            raise RoomError("class_gone", "this phone's class is not here")
        return found
