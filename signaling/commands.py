"""What a browser says to the room over the WebSocket, as PROTOCOL.md tells it. What the room says is in messages.py.

JSON is checked here, once, and is a frozen dataclass from here on. The TypeScript twin is
`web/src/protocol/messages.ts`; both are tested against `tests/signaling/samples/`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from media.messages import Direction
from signaling.events import Addressee, Colour, Layout, Participation, ShownSource, SignalWord, Source, Tool

MAX_MESSAGE = 64 * 1024  # bytes of JSON
ONE_LINE = r"^[^\x00-\x1f\x7f]*$"  # pattern of a text without control characters

Id = Annotated[str, Field(min_length=1, max_length=200)]
Token = Annotated[str, Field(max_length=8192)]
Mid = Annotated[str, Field(min_length=1, max_length=32)]
Generation = Annotated[int, Field(ge=0, le=2**53)]
Surface = Annotated[str, Field(pattern=r"^([a-z0-9]{8,32}|board)/[1-9][0-9]{0,2}$")]
StrokeId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,36}$")]
Coordinate = Annotated[int, Field(ge=0, le=10_000)]
Number = Annotated[int, Field(ge=0, le=2**53)] | None  # `id` of a client's message: a JavaScript integer


class MessageError(ValueError):
    """Text that is no message of the protocol; `code` as in PROTOCOL.md section 5."""

    def __init__(self, code: str, message: str, id: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.id = id  # what the reply answers to, where that much could be read


@dataclass(frozen=True, slots=True)
class Resume:
    session: Annotated[str, Field(max_length=1000)]
    seq: Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    type: Literal["hello"] = "hello"
    id: Number = None
    token: Token
    name: Annotated[str, Field(max_length=80, pattern=ONE_LINE)] | None = None
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
class TurnPage:
    type: Literal["page_turned"] = "page_turned"
    id: Number = None
    surface: Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    type: Literal["stroke"] = "stroke"
    id: Number = None
    surface: Surface
    stroke_id: StrokeId
    tool: Tool
    colour: Colour
    width: Annotated[int, Field(ge=1, le=300)]
    points: Annotated[tuple[Coordinate, ...], Field(min_length=2, max_length=400)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase:
    type: Literal["strokes_removed"] = "strokes_removed"
    id: Number = None
    surface: Surface
    stroke_ids: Annotated[tuple[StrokeId, ...], Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearSurface:
    type: Literal["surface_cleared"] = "surface_cleared"
    id: Number = None
    surface: Surface


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
    | TurnPage | Draw | Erase | ClearSurface
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
