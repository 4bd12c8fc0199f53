"""What the recorder is told, what it replies, and what it tells by itself.

Frozen dataclasses in the manner of `media/messages.py`; `to_wire` and `from_wire` turn them into JSON objects and back.
Media do not come this way: they arrive by themselves on the other socket (see `media/recording_link.py`).
"""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any, Literal

from media import wire
from media.wire import WireError as WireError

RecordingState = Literal["on", "stopped"]


# ── what the server asks ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class OpenLesson:
    """A lesson begins, or goes on after a restart of either side. Replied with `Opened`."""

    lesson_id: str
    epoch_us: int  # the lesson clock's zero, microseconds since 1970
    title: str


@dataclass(frozen=True, slots=True)
class AppendEvents:
    """Add to the event log. Events whose `seq` the log already has are passed over, so that repeating is harmless."""

    lesson_id: str
    events: tuple[str, ...]  # JSON objects, each with an integer "seq", in its order


@dataclass(frozen=True, slots=True)
class WatchLesson:
    """Someone watches by HTTP, or nobody does any more: segments become 2 s or 6 s long."""

    lesson_id: str
    watched: bool


@dataclass(frozen=True, slots=True)
class CloseLesson:
    """The lesson is over: finish the archive. Asking again for a finished one gives the same reply."""

    lesson_id: str


@dataclass(frozen=True, slots=True)
class ListOpen:
    """Which lessons are being recorded? Asked by a server process that has just started."""


Request = OpenLesson | AppendEvents | WatchLesson | CloseLesson | ListOpen


# ── what the recorder replies ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Opened:
    last_seq: int  # of the event log; 0 when it is empty


@dataclass(frozen=True, slots=True)
class Appended:
    seq: int  # the last one in the log


@dataclass(frozen=True, slots=True)
class Closed:
    duration_ms: int  # last media end less first media start


@dataclass(frozen=True, slots=True)
class OpenRecording:
    lesson_id: str
    last_seq: int


@dataclass(frozen=True, slots=True)
class Open:
    lessons: tuple[OpenRecording, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The request was carried out and there is nothing to say about it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The request could not be carried out.

    Codes: lesson_id_invalid, unknown_lesson (or its manifest cannot be read), event_malformed, disk_full, disk_error
    (any other fault of the disk), internal (a bug).
    """

    code: str
    message: str


Reply = Opened | Appended | Closed | Open | Done | Refused


# ── what the recorder tells by itself ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class RecordingChanged:
    """The truth about recording: "on" with the first media, "stopped" with the reason when it cannot go on."""

    lesson_id: str
    state: RecordingState
    reason: str  # "" while on; "disk_full", "disk_error"


Event = RecordingChanged
Message = Request | Reply | Event

_BY_NAME: dict[str, type] = {cls.__name__: cls for cls in typing.get_args(Message)}


def to_wire(message: Message) -> dict[str, Any]:
    """A message as a JSON object; its `type` is the class name."""
    return wire.dump(message)


def from_wire(value: dict[str, Any]) -> Message:
    """The message a JSON object stands for. Raises WireError for anything that is not exactly one."""
    return typing.cast(Message, wire.load(_BY_NAME, value))
