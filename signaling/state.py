"""The state of a room: the fold of its events, and nothing else.

`web/src/room/reducer.ts` folds the same events to the same state; a replay does it again from the archive. So nothing
here may depend on anything but the events.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from signaling.events import (
    Admission,
    Away,
    Chat,
    ChatToAll,
    Consent,
    Countdown,
    Ended,
    Event,
    Floor,
    Hand,
    Headcount,
    Hidden,
    Joined,
    LeadMic,
    Left,
    Locked,
    Mark,
    Mode,
    Muted,
    OnStage,
    PageTurned,
    Photo,
    PhotoShown,
    Planned,
    Private,
    Published,
    Recording,
    RecordingState,
    Shown,
    Signal,
    Silenced,
    SlidesAdded,
    SlidesRemoved,
    Stage,
    Started,
    Stroke,
    StrokesRemoved,
    SurfaceCleared,
    Unpublished,
)
from signaling.pages import Pages, runs_of
from signaling.snapshot import (
    ChatLine,
    MarkState,
    ParticipantState,
    PhotoState,
    PrivateLine,
    PublicationState,
    ShownState,
    SignalState,
    Snapshot,
    StageState,
)

CHAT_SHOWN = 100  # lines a latecomer gets
PRIVATE_SHOWN = 400  # lines, of all classes
SIGNALS_SHOWN = 100
PHOTOS_SHOWN = 300  # also how many a lesson takes


def person(participant_id: str) -> str:
    """Whom an id stands for: the browser or the class it begins with, whatever else of it is in the room."""
    return "-".join(participant_id.split("-")[:2])


class RoomState:
    """Who is here, what they send, who has the floor, what was said. Changed by `apply` alone."""

    def __init__(self) -> None:
        self.seq = 0
        self.at_ms = 0  # of the last event
        self.participants: dict[str, ParticipantState] = {}
        self.publications: dict[str, PublicationState] = {}
        self.started_ms: int | None = None
        self.ended_ms: int | None = None
        self.recording: RecordingState = "off"
        self.recording_reason: str | None = None
        self.chat: deque[ChatLine] = deque(maxlen=CHAT_SHOWN)
        self.marks: list[MarkState] = []
        self.shown: ShownState | None = None
        self.on_stage: str | None = None
        self.stages: list[StageState] = []
        self.countdown_ms: int | None = None
        self.lead_mic_shared: bool | None = None
        self.private: deque[PrivateLine] = deque(maxlen=PRIVATE_SHOWN)
        self.signals: deque[SignalState] = deque(maxlen=SIGNALS_SHOWN)
        self.photos: deque[PhotoState] = deque(maxlen=PHOTOS_SHOWN)
        self.photo_shown: str | None = None
        self.chat_to_all = False
        self.locked = False
        self.pages = Pages()
        self.planned: Planned | None = None  # how the lesson was changed after its room was opened
        self.admitted: set[str] = set()  # who was in the room, by `person`
        self.removed: set[str] = set()  # who was sent out, by `person`

    def snapshot(self) -> Snapshot:
        return Snapshot(
            participants=tuple(self.participants.values()),
            publications=tuple(self.publications.values()),
            started_ms=self.started_ms,
            ended_ms=self.ended_ms,
            recording=self.recording,
            recording_reason=self.recording_reason,
            chat=tuple(self.chat),
            marks=tuple(self.marks),
            shown=self.shown,
            on_stage=self.on_stage,
            stages=tuple(self.stages),
            countdown_ms=self.countdown_ms,
            lead_mic_shared=self.lead_mic_shared,
            private=tuple(self.private),
            signals=tuple(self.signals),
            photos=tuple(self.photos),
            photo_shown=self.photo_shown,
            chat_to_all=self.chat_to_all,
            locked=self.locked,
            slides=tuple(self.pages.slides.values()),
            slide_page=self.pages.slide_page,
            board_page=self.pages.board_page,
            strokes=runs_of(self.pages.strokes),
        )

    def on_floor(self) -> list[ParticipantState]:
        return [participant for participant in self.participants.values() if participant.on_floor]

    def publications_of(self, participant_id: str) -> list[PublicationState]:
        return [item for item in self.publications.values() if item.participant_id == participant_id]

    def apply(self, event: Event) -> None:
        """Fold one event in. What it names and is not here is passed over: a log that says so is still a log."""
        self.seq = event.seq
        self.at_ms = event.at_ms
        match event.payload:
            case Joined(participant_id, role, name, headcount, class_id):
                known = self.participants.get(participant_id)
                self.admitted.add(person(participant_id))  # if it waits, that is said next
                if known is None:
                    self.participants[participant_id] = ParticipantState(
                        participant_id,
                        role,
                        name,
                        headcount,
                        event.at_ms,
                        hand_ms=None,
                        on_floor=False,
                        away=False,
                        class_id=class_id,
                    )
                else:
                    self.participants[participant_id] = replace(
                        known, role=role, name=name, headcount=headcount, away=False, class_id=class_id
                    )
            case Away(participant_id, away):
                self._change(participant_id, away=away)
            case Left(participant_id, why):
                if why == "removed":
                    self.admitted.discard(person(participant_id))
                    self.removed.add(person(participant_id))
                self.participants.pop(participant_id, None)
                if self.on_stage == participant_id:
                    self.on_stage = None
                for publication in self.publications_of(participant_id):
                    del self.publications[publication.publication_id]
            case Started():
                self.started_ms = event.at_ms
            case Published(publication_id, participant_id, kind, source):
                self.publications[publication_id] = PublicationState(
                    publication_id, participant_id, kind, source, muted=False, since_ms=event.at_ms
                )
            case Unpublished(publication_id):
                self.publications.pop(publication_id, None)
            case Muted(publication_id, muted):
                if publication_id in self.publications:
                    self.publications[publication_id] = replace(self.publications[publication_id], muted=muted)
            case Hand(raised):
                self._change(event.actor, hand_ms=event.at_ms if raised else None)
            case Floor(participant_id, granted):
                self._change(participant_id, on_floor=granted, spoke_ms=event.at_ms)
                if not granted and self.on_stage == participant_id:
                    self.on_stage = None
            case Chat(text, to, class_id):
                actor = self.participants.get(event.actor)
                if actor is not None:
                    self.chat.append(
                        ChatLine(event.seq, event.at_ms, event.actor, actor.name, actor.role, text, to, class_id)
                    )
            case Signal(participant_id, signal):
                self.signals.append(SignalState(event.seq, event.at_ms, participant_id, signal))
            case Private(class_id, text):
                actor = self.participants.get(event.actor)
                if actor is not None:
                    self.private.append(
                        PrivateLine(event.seq, event.at_ms, class_id, event.actor, actor.name, actor.role, text)
                    )
            case Photo(participant_id, photo_id):
                self.photos.append(PhotoState(event.seq, event.at_ms, participant_id, photo_id))
            case PhotoShown(photo_shown):
                self.photo_shown = photo_shown
            case Hidden(seq):
                self.chat = deque((line for line in self.chat if line.seq != seq), maxlen=CHAT_SHOWN)
            case Silenced(participant_id, silenced):
                self._change(participant_id, silenced=silenced)
            case ChatToAll(allowed):
                self.chat_to_all = allowed
            case Mark(label):
                self.marks.append(MarkState(event.seq, event.at_ms, event.actor, label))
            case Recording(state, reason):
                self.recording = state
                self.recording_reason = reason
            case Consent(participant_id, given, name, headcount):
                if given:
                    self._change(participant_id, consent=True, name=name, headcount=headcount)
                else:
                    self._change(participant_id, consent=False)
            case Shown(source, layout):
                self.shown = ShownState(source, layout)
            case OnStage(stage_participant):
                self.on_stage = stage_participant
            case Stage(name):
                self.stages.append(StageState(event.seq, event.at_ms, name))
            case Countdown(until_ms):
                self.countdown_ms = until_ms
            case Mode(participant_id, mode):
                self._change(participant_id, mode=mode)
            case LeadMic(shared):
                self.lead_mic_shared = shared
            case Headcount(participant_id, headcount):
                self._change(participant_id, headcount=headcount)
            case Admission(participant_id, admission):
                self._change(participant_id, waiting=admission == "waiting")
                (self.admitted.discard if admission == "waiting" else self.admitted.add)(person(participant_id))
            case Locked(locked):
                self.locked = locked
            case SlidesAdded() | SlidesRemoved() | PageTurned() | Stroke() | StrokesRemoved() | SurfaceCleared():
                self.pages.apply(event.actor, event.payload)
            case Planned() as planned:
                self.planned = planned
            case Ended():
                self.ended_ms = event.at_ms

    def _change(self, participant_id: str, **changes: object) -> None:
        known = self.participants.get(participant_id)
        if known is not None:
            self.participants[participant_id] = replace(known, **changes)  # type: ignore[arg-type]
