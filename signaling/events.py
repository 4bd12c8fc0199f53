"""What can happen in a room: the kinds of event, and their JSON.

An event is `seq` (1, 2, 3 … without holes), the moment on the lesson clock, who did it, and a payload whose class is
its kind. The JSON is the same to the browser, in the journal and in the archive (PROTOCOL.md section 3).
"""

from __future__ import annotations

import json
import re
import typing
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from media.messages import Kind
from signaling.grants import Role
from signaling.recording_policy import RecordingPolicy as RecordingPolicy

Source = Literal["microphone", "camera", "screen", "document_camera", "second_microphone"]
LeaveReason = Literal["left", "lost", "removed"]
RecordingState = Literal["on", "paused", "stopped", "off"]

ShownSource = Literal["camera", "slides", "whiteboard", "screen", "document_camera"]
Layout = Literal["content", "portrait", "side_by_side"]
Participation = Literal["interactive", "view_only"]
Addressee = Literal["all", "teachers"]
SignalWord = Literal["slower", "unclear", "inaudible", "again"]
AdmissionState = Literal["waiting", "admitted"]
Tool = Literal["pen", "marker"]
Colour = Literal["ink", "red", "blue", "green", "yellow", "white"]

SERVER = "server"  # the actor of what no participant did


@dataclass(frozen=True, slots=True)
class Joined:
    participant_id: str
    role: Role
    name: str
    headcount: int | None
    class_id: str | None = None  # of a phone: the participant it belongs to, a class or a teacher


@dataclass(frozen=True, slots=True)
class Away:
    participant_id: str
    away: bool


@dataclass(frozen=True, slots=True)
class Left:
    participant_id: str
    reason: LeaveReason


@dataclass(frozen=True, slots=True)
class Started:
    """The lesson has begun."""


@dataclass(frozen=True, slots=True)
class Published:
    publication_id: str
    participant_id: str
    kind: Kind
    source: Source


@dataclass(frozen=True, slots=True)
class Unpublished:
    publication_id: str


@dataclass(frozen=True, slots=True)
class Muted:
    publication_id: str
    muted: bool


@dataclass(frozen=True, slots=True)
class Hand:
    raised: bool


@dataclass(frozen=True, slots=True)
class Floor:
    participant_id: str
    granted: bool


@dataclass(frozen=True, slots=True)
class Chat:
    text: str
    to: Addressee = "all"
    class_id: str | None = None  # to the teachers: the class it comes from


@dataclass(frozen=True, slots=True)
class Mark:
    label: str


@dataclass(frozen=True, slots=True)
class Recording:
    state: RecordingState
    reason: str | None


@dataclass(frozen=True, slots=True)
class Consent:
    """A class lets itself be recorded, or no longer. It says its name again: the archive has not heard it before."""

    participant_id: str
    given: bool
    name: str
    headcount: int | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the classes see large, and how the teacher's picture goes with it."""

    source: ShownSource
    layout: Layout


@dataclass(frozen=True, slots=True)
class OnStage:
    """The picture of this class on the floor is shown large; None: of no class."""

    participant_id: str | None


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the lesson begins: intro, new_content, practice, summary, or what the teacher calls it."""

    name: str


@dataclass(frozen=True, slots=True)
class Countdown:
    until_ms: int | None  # the lesson clock; None: taken away


@dataclass(frozen=True, slots=True)
class Mode:
    participant_id: str
    mode: Participation


@dataclass(frozen=True, slots=True)
class LeadMic:
    shared: bool  # the lead microphone reaches the lead class too, not the teacher alone


@dataclass(frozen=True, slots=True)
class Headcount:
    participant_id: str
    headcount: int | None


@dataclass(frozen=True, slots=True)
class Admission:
    """A class stands at the door until a teacher lets it in."""

    participant_id: str
    state: AdmissionState


@dataclass(frozen=True, slots=True)
class Locked:
    locked: bool  # who was not in before stays out


@dataclass(frozen=True, slots=True)
class Planned:
    """Before it began, the lesson was given another name, or it was decided anew who is recorded."""

    title: str
    recording_policy: RecordingPolicy


@dataclass(frozen=True, slots=True)
class Signal:
    """A class, or its local teacher, wants something of the teacher."""

    participant_id: str  # the class
    signal: SignalWord


@dataclass(frozen=True, slots=True)
class Private:
    """A word between the teachers and the local teacher of one class."""

    participant_id: str  # the class on whose line it is
    text: str


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture of pupils' work has come from a class."""

    participant_id: str  # the class
    photo_id: str


@dataclass(frozen=True, slots=True)
class PhotoShown:
    """Everybody sees this photo large; None: none any more."""

    photo_id: str | None


@dataclass(frozen=True, slots=True)
class Hidden:
    """A message is taken away."""

    seq: int  # of its chat event


@dataclass(frozen=True, slots=True)
class Silenced:
    """A class may write no messages, or may again."""

    participant_id: str
    silenced: bool


@dataclass(frozen=True, slots=True)
class ChatToAll:
    """Whether classes may write to everybody, not to the teachers alone."""

    allowed: bool


@dataclass(frozen=True, slots=True)
class SlidesAdded:
    """These slides can be shown."""

    slides_id: str
    title: str
    pages: int
    width: int  # pixels, of the first page
    height: int


@dataclass(frozen=True, slots=True)
class SlidesRemoved:
    """They can be shown no longer; what was drawn on them goes with them."""

    slides_id: str


@dataclass(frozen=True, slots=True)
class PageTurned:
    """The page that is shown while slides are, or while the board is; a page of the board comes into being by it."""

    surface: str  # "<slides_id>/<page>" or "board/<n>", both from 1


@dataclass(frozen=True, slots=True)
class Stroke:
    """A piece of a stroke. One whose id its actor has drawn with on this page goes on from the last point."""

    surface: str
    stroke_id: str
    tool: Tool
    colour: Colour
    width: int  # as the points, of the page's width
    points: tuple[int, ...]  # x, y, x, y, …, each 0 to 10,000 of the page's width or height


@dataclass(frozen=True, slots=True)
class StrokesRemoved:
    """Rubbed out, or taken back."""

    surface: str
    stroke_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SurfaceCleared:
    surface: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The lesson is over."""


# fmt: off
Payload = (
    Joined | Away | Left | Started | Published | Unpublished | Muted
    | Hand | Floor | Chat | Mark | Recording | Consent | Ended
    | Shown | OnStage | Stage | Countdown | Mode | LeadMic | Headcount
    | Signal | Private | Photo | PhotoShown | Hidden | Silenced | ChatToAll
    | Admission | Locked | Planned
    | SlidesAdded | SlidesRemoved | PageTurned | Stroke | StrokesRemoved | SurfaceCleared
)
# fmt: on


def kind_of(payload: type) -> str:
    """The name of a kind of event in JSON: `OnStage` is `on_stage`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", payload.__name__).lower()


class EventError(ValueError):
    """JSON that is no event."""


@dataclass(frozen=True, slots=True)
class Event:
    seq: int
    at_ms: int  # the lesson clock
    actor: str  # participant id, or SERVER
    payload: Payload

    @property
    def kind(self) -> str:
        return _KINDS[type(self.payload)]

    def to_wire(self) -> dict[str, Any]:
        """The event as a JSON object, without `type`."""
        return {
            "seq": self.seq,
            "at_ms": self.at_ms,
            "kind": self.kind,
            "actor": self.actor,
            "payload": asdict(self.payload),
        }

    def to_json(self) -> str:
        """One line of the journal and of the archive's events.jsonl."""
        return json.dumps(self.to_wire(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_wire(cls, value: dict[str, Any]) -> Event:
        """The event a JSON object stands for. Raises EventError."""
        try:
            payload = _PAYLOADS[value["kind"]].validate_python(value["payload"])
            return cls(int(value["seq"]), int(value["at_ms"]), str(value["actor"]), payload)
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            raise EventError(f"not an event: {str(value)[:200]}") from error


_KINDS: dict[type, str] = {cls: kind_of(cls) for cls in typing.get_args(Payload)}
_PAYLOADS: dict[str, TypeAdapter[Payload]] = {kind_of(cls): TypeAdapter(cls) for cls in typing.get_args(Payload)}
