"""What a teacher directs: the picture that classes see, who is on stage, stages of the lesson, a countdown.

A part of `Room`, with its rules: command in, events out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from signaling.events import Countdown, Event, Layout, LeadMic, OnStage, Payload, Shown, ShownSource, Stage
from signaling.rights import Right
from signaling.room_error import RoomError
from signaling.snapshot import ParticipantState, ShownState
from signaling.state import RoomState

MAX_STAGES = 200  # in one lesson, as the marks
MAX_COUNTDOWN = 3600_000  # ms


class Directing(ABC):
    state: RoomState

    @abstractmethod
    def participant(self, participant_id: str) -> ParticipantState:
        """The participant. Raises RoomError."""

    @abstractmethod
    def _entitled(self, actor: str, right: Right) -> ParticipantState: ...

    @abstractmethod
    def _emit(self, at_ms: int, actor: str, payload: Payload) -> Event: ...

    def show(self, at_ms: int, actor: str, source: ShownSource, layout: Layout) -> list[Event]:
        """What the classes see large."""
        self._entitled(actor, "show")
        if self.state.shown == ShownState(source, layout):
            return []
        return [self._emit(at_ms, actor, Shown(source, layout))]

    def put_on_stage(self, at_ms: int, actor: str, participant_id: str | None) -> list[Event]:
        """Show the picture of a class on the floor large, or none any more."""
        self._entitled(actor, "floor")
        if participant_id is not None and not self.participant(participant_id).on_floor:
            raise RoomError("not_on_floor", "only a class on the floor comes on stage")
        return [] if self.state.on_stage == participant_id else [self._emit(at_ms, actor, OnStage(participant_id))]

    def begin_stage(self, at_ms: int, actor: str, name: str) -> list[Event]:
        """A stage of the lesson begins. The one that is on does not begin again."""
        self._entitled(actor, "stage")
        name = tidy(name)
        if not name:
            raise RoomError("message_malformed", "a stage has a name")
        if self.state.stages and self.state.stages[-1].name == name:
            return []
        if len(self.state.stages) >= MAX_STAGES:
            raise RoomError("too_many_messages", f"the lesson has {MAX_STAGES} stages already")
        return [self._emit(at_ms, actor, Stage(name))]

    def count_down(self, at_ms: int, actor: str, until_ms: int | None) -> list[Event]:
        """Count down to a moment of the lesson clock, at most an hour ahead, or no longer."""
        self._entitled(actor, "countdown")
        if until_ms is not None and not at_ms < until_ms <= at_ms + MAX_COUNTDOWN:
            raise RoomError("message_malformed", "a countdown ends in the hour to come")
        return [] if self.state.countdown_ms == until_ms else [self._emit(at_ms, actor, Countdown(until_ms))]

    def share_lead_mic(self, at_ms: int, actor: str, shared: bool) -> list[Event]:
        """Whether the lead microphone reaches the lead class too, as the lead teacher says."""
        self._entitled(actor, "lead_class")
        return [] if self.state.lead_mic_shared == shared else [self._emit(at_ms, actor, LeadMic(shared))]


def tidy(name: str) -> str:
    """A name on one line."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())[:80]
