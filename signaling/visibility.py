"""Who may see what of a room: most events are everybody's, some stay on the line between the teachers and one class.

Decisions, without socket or clock. An event a participant may not see is never sent to it, neither live nor when it
resumes, nor as part of a snapshot; its `seq` is then missing in what that participant gets (PROTOCOL.md section 3).
"""

from __future__ import annotations

from dataclasses import replace

from signaling.events import Chat, Event, Photo, Private, Signal, Stroke, StrokesRemoved, SurfaceCleared
from signaling.rights import may, may_watch
from signaling.snapshot import ChatLine, ParticipantState, Snapshot
from signaling.state import RoomState


def line_of(event: Event) -> str | None:
    """The class on whose line an event stays; None: it is for everybody."""
    match event.payload:
        case Signal(class_id, _) | Private(class_id, _) | Photo(class_id, _):
            return class_id
        case Chat(_, "teachers", class_id):
            return class_id if class_id is not None else event.actor
        case _:
            return None


def on_line(viewer: ParticipantState | None, class_id: str) -> bool:
    """Whether someone stands at an end of a class's line: a teacher, the class itself, its local teacher's phone."""
    if viewer is None:
        return False
    return may(viewer.role, "private_lines") or class_id in (viewer.participant_id, viewer.class_id)


def sees(viewer: ParticipantState | None, event: Event) -> bool:
    """Whether someone may see an event; None: it is here no more.

    A remote control turns pages and shows none: what is drawn on them would be for nothing on a phone's line.
    """
    if isinstance(event.payload, Stroke | StrokesRemoved | SurfaceCleared):
        return viewer is None or may_watch(viewer.role)
    class_id = line_of(event)
    return class_id is None or on_line(viewer, class_id)


def snapshot_for(viewer: ParticipantState | None, state: RoomState) -> Snapshot:
    """What of the room someone may see who comes now."""
    whole = state.snapshot()
    if viewer is not None and may(viewer.role, "private_lines"):
        return whole
    return replace(
        whole,
        chat=tuple(line for line in whole.chat if _sees_line(viewer, line)),
        private=tuple(line for line in whole.private if on_line(viewer, line.class_id)),
        signals=tuple(signal for signal in whole.signals if on_line(viewer, signal.participant_id)),
        photos=tuple(photo for photo in whole.photos if on_line(viewer, photo.participant_id)),
        strokes=whole.strokes if viewer is None or may_watch(viewer.role) else (),
    )


def alone(viewer: ParticipantState, started_ms: int | None) -> Snapshot:
    """What one that stands at the door sees of the room: itself."""
    return Snapshot(
        participants=(viewer,),
        publications=(),
        started_ms=started_ms,
        ended_ms=None,
        recording="off",
        recording_reason=None,
        chat=(),
        marks=(),
    )


def _sees_line(viewer: ParticipantState | None, line: ChatLine) -> bool:
    return line.to == "all" or on_line(viewer, line.class_id or line.participant_id)
