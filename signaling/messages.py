"""What browser and room say to each other over the WebSocket, as PROTOCOL.md tells it.

JSON is checked here, once, and is a frozen dataclass from here on. The TypeScript twin is
`web/src/protocol/messages.ts`; both are tested against `tests/signaling/samples/`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from media.messages import Direction, Kind, PublicationStatistics, SlotStatistics
from signaling.events import (
    Addressee,
    Event,
    Layout,
    Participation,
    RecordingPolicy,
    RecordingState,
    ShownSource,
    SignalWord,
    Source,
)
from signaling.grants import Role

MAX_MESSAGE = 64 * 1024  # bytes of JSON

Id = Annotated[str, Field(min_length=1, max_length=200)]
Token = Annotated[str, Field(max_length=8192)]
Mid = Annotated[str, Field(min_length=1, max_length=32)]
Generation = Annotated[int, Field(ge=0, le=2**53)]
Rung = Literal["high", "medium", "low", "audio"]
Number = Annotated[int, Field(ge=0, le=2**53)] | None  # `id` of a client's message: a JavaScript integer


class MessageError(ValueError):
    """Text that is no message of the protocol; `code` as in PROTOCOL.md section 5."""

    def __init__(self, code: str, message: str, id: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.id = id  # what the reply answers to, where that much could be read


# ── from the browser ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Resume:
    session: Annotated[str, Field(max_length=1000)]
    seq: Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    type: Literal["hello"] = "hello"
    id: Number = None
    token: Token
    name: Annotated[str, Field(max_length=80)] | None = None
    headcount: Annotated[int, Field(ge=0, le=9999)] | None = None
    resume: Resume | None = None
    device: Literal["take_over", "watch"] | None = None  # the answer to `second_device`


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    type: Literal["ping"] = "ping"
    id: Number = None


@dataclass(frozen=True, slots=True)
class OfferedTrack:
    mid: Mid
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    type: Literal["offer"] = "offer"
    id: Number = None
    direction: Direction
    sdp: str
    generation: Generation
    tracks: Annotated[tuple[OfferedTrack, ...], Field(max_length=16)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    type: Literal["mute"] = "mute"
    id: Number = None
    publication_id: Id
    muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFrame:
    type: Literal["key_frame"] = "key_frame"
    id: Number = None
    publication_id: Id


@dataclass(frozen=True, slots=True)
class ShownSlot:
    mid: Mid
    height: Annotated[int, Field(ge=0, le=20_000)]  # pixels of the screen; 0 while it is not shown


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    type: Literal["view"] = "view"
    id: Number = None
    slots: Annotated[tuple[ShownSlot, ...], Field(max_length=64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    type: Literal["start"] = "start"
    id: Number = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseHand:
    type: Literal["hand"] = "hand"
    id: Number = None
    raised: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveFloor:
    type: Literal["floor"] = "floor"
    id: Number = None
    participant_id: Id
    granted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    type: Literal["chat"] = "chat"
    id: Number = None
    text: Annotated[str, Field(min_length=1, max_length=500)]
    to: Addressee | None = None  # to all for who may write to all, else to the teachers


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMark:
    type: Literal["mark"] = "mark"
    id: Number = None
    label: Annotated[str, Field(max_length=100)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    type: Literal["remove"] = "remove"
    id: Number = None
    participant_id: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRecording:
    type: Literal["set_recording"] = "set_recording"
    id: Number = None
    state: Literal["on", "paused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveConsent:
    type: Literal["consent"] = "consent"
    id: Number = None
    given: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    type: Literal["shown"] = "shown"
    id: Number = None
    source: ShownSource
    layout: Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOnStage:
    type: Literal["on_stage"] = "on_stage"
    id: Number = None
    participant_id: Id | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginStage:
    type: Literal["stage"] = "stage"
    id: Number = None
    name: Annotated[str, Field(min_length=1, max_length=40)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCountdown:
    type: Literal["countdown"] = "countdown"
    id: Number = None
    until_ms: Annotated[int, Field(ge=0, le=2**53)] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMode:
    type: Literal["mode"] = "mode"
    id: Number = None
    participant_id: Id
    mode: Participation


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLeadMic:
    type: Literal["lead_mic"] = "lead_mic"
    id: Number = None
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetHeadcount:
    type: Literal["headcount"] = "headcount"
    id: Number = None
    participant_id: Id
    headcount: Annotated[int, Field(ge=0, le=9999)] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit:
    type: Literal["admit"] = "admit"
    id: Number = None
    participant_id: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    type: Literal["lock"] = "lock"
    id: Number = None
    locked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveSignal:
    type: Literal["signal"] = "signal"
    id: Number = None
    signal: SignalWord


@dataclass(frozen=True, slots=True, kw_only=True)
class SayPrivately:
    type: Literal["private"] = "private"
    id: Number = None
    participant_id: Id  # the class
    text: Annotated[str, Field(min_length=1, max_length=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPhoto:
    type: Literal["photo_shown"] = "photo_shown"
    id: Number = None
    photo_id: Id | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hide:
    type: Literal["hidden"] = "hidden"
    id: Number = None
    seq: Annotated[int, Field(ge=1, le=2**53)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    type: Literal["silenced"] = "silenced"
    id: Number = None
    participant_id: Id
    silenced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowChatToAll:
    type: Literal["chat_to_all"] = "chat_to_all"
    id: Number = None
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    type: Literal["end"] = "end"
    id: Number = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    type: Literal["leave"] = "leave"
    id: Number = None


# fmt: off
ClientMessage = (
    Hello | Ping | Offer | Mute | KeyFrame | View | Start | RaiseHand | GiveFloor | Say | SetMark | Remove
    | SetRecording | GiveConsent | End | Leave
    | Show | PutOnStage | BeginStage | SetCountdown | SetMode | SetLeadMic | SetHeadcount
    | GiveSignal | SayPrivately | ShowPhoto | Hide | Silence | AllowChatToAll
    | Admit | Lock
)
# fmt: on

_CLIENT: TypeAdapter[ClientMessage] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="type")])


def parse(text: str) -> ClientMessage:
    """The message a text stands for. Raises MessageError."""
    try:
        return _CLIENT.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        code = "unknown_message" if first["type"] == "union_tag_invalid" else "message_malformed"
        where = ".".join(str(part) for part in first["loc"])
        raise MessageError(code, f"{where}: {first['msg']}" if where else first["msg"], _id_in(text)) from None


def _id_in(text: str) -> int | None:
    try:
        number = json.loads(text)["id"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return number if type(number) is int else None


# ── to the browser ────────────────────────────────────────────────────────────────────────────────────────────────


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


@dataclass(frozen=True, slots=True)
class IceServer:
    """A TURN or STUN server the browser may use."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


@dataclass(frozen=True, slots=True)
class SlotCounts:
    audio: int
    video: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    type: Literal["welcome"] = "welcome"
    re: int | None = None
    participant_id: str
    session: str
    role: Role
    lesson_id: str
    title: str
    now_ms: int
    seq: int
    recording_policy: RecordingPolicy
    resumed: bool
    snapshot: Snapshot | None
    rights: tuple[str, ...]
    ice_servers: tuple[IceServer, ...]
    slots: SlotCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    type: Literal["pong"] = "pong"
    re: int | None = None
    now_ms: int


@dataclass(frozen=True, slots=True)
class AnsweredTrack:
    mid: str
    publication_id: str
    kind: Kind
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSend:
    type: Literal["answer"] = "answer"
    re: int | None = None
    direction: Literal["send"] = "send"
    generation: int
    sdp: str
    publications: tuple[AnsweredTrack, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReceive:
    type: Literal["answer"] = "answer"
    re: int | None = None
    direction: Literal["receive"] = "receive"
    generation: int
    sdp: str


@dataclass(frozen=True, slots=True)
class SlotState:
    mid: str
    kind: Kind
    publication_id: str | None
    participant_id: str | None
    source: Source | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    type: Literal["slots"] = "slots"
    slots: tuple[SlotState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLost:
    type: Literal["media_lost"] = "media_lost"
    directions: tuple[Direction, ...]


@dataclass(frozen=True, slots=True)
class SlotQuality:
    """What a slot carries now of its publication."""

    mid: str
    rid: str | None  # None while nothing is carried
    height: int  # pixels, 0 unknown
    paused: bool  # by bandwidth


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotQualities:
    type: Literal["slot_quality"] = "slot_quality"
    slots: tuple[SlotQuality, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """To a sender: the layers somebody needs."""

    type: Literal["layers"] = "layers"
    publication_id: str
    active: tuple[str, ...]  # rids


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaking:
    type: Literal["speaking"] = "speaking"
    publication_ids: tuple[str, ...]  # the loudest first


@dataclass(frozen=True, slots=True)
class OwnTransport:
    """What the worker measures of one of the participant's own transports."""

    direction: Direction
    protocol: Literal["udp", "tcp"]
    rtt_ms: float | None
    estimate: float | None  # bit/s
    bitrate: float  # bit/s
    publications: tuple[PublicationStatistics, ...]
    slots: tuple[SlotStatistics, ...]


@dataclass(frozen=True, slots=True)
class ClassLine:
    """How a class receives, for its teachers."""

    participant_id: str
    rtt_ms: float | None
    loss: float  # share of packets, before repair
    rung: Rung | None  # None: there is no picture to receive
    protocol: Literal["udp", "tcp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    type: Literal["statistics"] = "statistics"
    at_ms: int
    transports: tuple[OwnTransport, ...]
    lines: tuple[ClassLine, ...]  # empty for all but teachers


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    type: Literal["done"] = "done"
    re: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    type: Literal["error"] = "error"
    re: int | None = None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class EventMessage:
    event: Event
    prev: int | None = None  # `seq` of the event before it, where those between are not for this participant


ServerMessage = (
    Welcome
    | Pong
    | AnswerSend
    | AnswerReceive
    | Slots
    | SlotQualities
    | Layers
    | Speaking
    | Statistics
    | MediaLost
    | Done
    | Error
    | EventMessage
)


def to_wire(message: ServerMessage) -> dict[str, Any]:
    """A message to the browser as a JSON object."""
    if isinstance(message, EventMessage):
        after = {} if message.prev is None else {"prev": message.prev}
        return {"type": "event", **message.event.to_wire(), **after}
    value = asdict(message)
    if value.get("re", 0) is None:
        del value["re"]
    if isinstance(message, Welcome):  # as RTCIceServer has it: absent, not null
        value["ice_servers"] = [{k: v for k, v in server.items() if v is not None} for server in value["ice_servers"]]
    return value


def to_json(message: ServerMessage) -> str:
    """A message to the browser as text."""
    return json.dumps(to_wire(message), ensure_ascii=False, separators=(",", ":"))
