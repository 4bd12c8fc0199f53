"""What the room says to a browser over the WebSocket, as PROTOCOL.md tells it. What browsers say is in commands.py.

The TypeScript twin is `web/src/protocol/messages.ts`; both are tested against `tests/signaling/samples/`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from media.messages import Direction, Kind, PublicationStatistics, SlotStatistics
from signaling.events import Event, RecordingPolicy, Source
from signaling.grants import Role
from signaling.snapshot import Snapshot, StrokeRun

_RUN = tuple(field.name for field in fields(StrokeRun))

Rung = Literal["high", "medium", "low", "audio"]


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
    value = _welcome(message) if isinstance(message, Welcome) else asdict(message)
    if value.get("re", 0) is None:
        del value["re"]
    return value


def _welcome(welcome: Welcome) -> dict[str, Any]:
    strokes: tuple[StrokeRun, ...] = ()
    if welcome.snapshot is not None:
        # `asdict` would copy every number of every point: five times the work in a lesson of many drawings.
        strokes, welcome = welcome.snapshot.strokes, replace(welcome, snapshot=replace(welcome.snapshot, strokes=()))
    value = asdict(welcome)
    if strokes:
        value["snapshot"]["strokes"] = [{name: getattr(run, name) for name in _RUN} for run in strokes]
    # As RTCIceServer has it: absent, not null.
    value["ice_servers"] = [{k: v for k, v in server.items() if v is not None} for server in value["ice_servers"]]
    return value


def to_json(message: ServerMessage) -> str:
    """A message to the browser as text."""
    return json.dumps(to_wire(message), ensure_ascii=False, separators=(",", ":"))
