"""What there is in a room, as its participants are told of it: who is here, what is sent, said, marked and shown."""

from __future__ import annotations

from dataclasses import dataclass

from media.messages import Kind
from signaling.events import (
    Addressee,
    Colour,
    Layout,
    Participation,
    RecordingState,
    ShownSource,
    SignalWord,
    Source,
    Tool,
)
from signaling.grants import Role


@dataclass(frozen=True, slots=True)
class ParticipantState:
    participant_id: str
    role: Role
    name: str
    headcount: int | None
    joined_ms: int
    hand_ms: int | None  # since when its hand is up
    on_floor: bool
    away: bool
    consent: bool | None = None  # to being recorded; None: a class that has not said
    mode: Participation = "interactive"
    spoke_ms: int | None = None  # when it last got the floor or gave it back; None: never had it
    class_id: str | None = None  # of a phone: the participant it belongs to, a class or a teacher
    silenced: bool = False  # it may write no messages
    waiting: bool = False  # at the door, until a teacher lets it in


@dataclass(frozen=True, slots=True)
class PublicationState:
    publication_id: str
    participant_id: str
    kind: Kind
    source: Source
    muted: bool
    since_ms: int


@dataclass(frozen=True, slots=True)
class ChatLine:
    seq: int
    at_ms: int
    participant_id: str
    name: str
    role: Role
    text: str
    to: Addressee = "all"
    class_id: str | None = None  # to the teachers: the class it comes from


@dataclass(frozen=True, slots=True)
class PrivateLine:
    """A word on the line between the teachers and one class."""

    seq: int
    at_ms: int
    class_id: str
    participant_id: str  # who said it
    name: str
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class SignalState:
    seq: int
    at_ms: int
    participant_id: str  # the class
    signal: SignalWord


@dataclass(frozen=True, slots=True)
class PhotoState:
    seq: int
    at_ms: int
    participant_id: str  # the class
    photo_id: str


@dataclass(frozen=True, slots=True)
class MarkState:
    seq: int
    at_ms: int
    participant_id: str
    label: str


@dataclass(frozen=True, slots=True)
class ShownState:
    source: ShownSource
    layout: Layout


@dataclass(frozen=True, slots=True)
class StageState:
    seq: int
    at_ms: int
    name: str


@dataclass(frozen=True, slots=True)
class SlidesState:
    slides_id: str
    title: str
    pages: int
    width: int  # pixels, of the first page
    height: int


@dataclass(frozen=True, slots=True)
class StrokeState:
    """A stroke as far as it is drawn; fields as of its event."""

    surface: str
    stroke_id: str
    participant_id: str  # who draws it
    tool: Tool
    colour: Colour
    width: int
    points: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StrokeRun:
    """Strokes of one surface, hand and tool that follow on each other: a lesson's writing is thousands of them."""

    surface: str
    participant_id: str
    tool: Tool
    colour: Colour
    width: int
    strokes: tuple[tuple[str, tuple[int, ...]], ...]  # id; first point, then from each point to the next


@dataclass(frozen=True, slots=True)
class Snapshot:
    participants: tuple[ParticipantState, ...]
    publications: tuple[PublicationState, ...]
    started_ms: int | None
    ended_ms: int | None
    recording: RecordingState
    recording_reason: str | None
    chat: tuple[ChatLine, ...]
    marks: tuple[MarkState, ...]
    shown: ShownState | None = None  # None: nobody has chosen, a screen goes before the teacher
    on_stage: str | None = None  # participant
    stages: tuple[StageState, ...] = ()  # all that have begun; the last is on
    countdown_ms: int | None = None  # until when, on the lesson clock
    lead_mic_shared: bool | None = None  # None: not asked yet
    private: tuple[PrivateLine, ...] = ()  # of these, of signals and of photos what the participant may see
    signals: tuple[SignalState, ...] = ()
    photos: tuple[PhotoState, ...] = ()
    photo_shown: str | None = None  # photo
    chat_to_all: bool = False  # classes may write to everybody
    locked: bool = False  # who was not in before stays out
    slides: tuple[SlidesState, ...] = ()  # that can be shown, in the order they came
    slide_page: str | None = None  # surface; the page that is shown while slides are
    board_page: str | None = None  # surface; while the board is
    strokes: tuple[StrokeRun, ...] = ()  # those of a surface in the order they were begun
