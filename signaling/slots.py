"""Which publication goes into which slot of a viewer: a pure decision, made anew whenever the room changes.

The first audio and video slot are the lead teacher's microphone and camera and nobody else's, the second video slot
is the screen, or the camera over the teacher's desk when that is what all shall see. The rest carry whoever has the
floor, then the co-teachers, then further pictures of the lead teacher and, for the teachers, the cameras of classes on
their wall (wall.py). What is shown stays where it is while it is wanted: a picture that jumps between tiles costs a key
frame and the eye. Where there are more open microphones than slots, those that are spoken into go first, the
loudest before the others; one that is heard is not taken away before it falls silent, which would be a click and half a
word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from media.messages import Kind
from signaling.events import Source
from signaling.snapshot import ParticipantState, PublicationState
from signaling.wall import looks_at_wall, on_wall

CONTENT: tuple[Source, ...] = ("screen", "document_camera")  # what is shown rather than who


@dataclass(frozen=True, slots=True)
class Slot:
    mid: str
    kind: Kind
    publication_id: str | None = None  # what it carries now
    small: bool | None = None  # its smallest layer only; None: the worker was not told by this process


def decide(
    viewer_id: str,
    slots: Sequence[Slot],
    publications: Iterable[PublicationState],
    participants: Mapping[str, ParticipantState],
    speaking: Mapping[str, int] = {},
    content: Source = "screen",
) -> dict[str, str | None]:
    """The publication, or None, for the mid of every slot. Nobody gets back what they send themselves.

    `content` is the source that goes into the slot of the screen before the other one. `speaking` says how loud
    the microphones are that are spoken into (-dBov: less is louder), by publication.
    """
    others = [item for item in publications if item.participant_id != viewer_id and item.participant_id in participants]
    if not looks_at_wall(participants.get(viewer_id)):
        others = [item for item in others if not on_wall(item, participants)]
    plan: dict[str, str | None] = {}

    audio = [slot for slot in slots if slot.kind == "audio"]
    sounds = [item for item in others if item.kind == "audio"]
    microphones = [item for item in sounds if item.source == "microphone"]
    first = _newest(_by_role(microphones, participants, "lead_teacher"))
    _reserve(plan, audio[:1], first)
    _fill(plan, audio[1:], [item for item in sounds if item != first], participants, speaking)

    video = [slot for slot in slots if slot.kind == "video"]
    cameras = [item for item in others if item.kind == "video" and item.source not in CONTENT]
    screens = [item for item in others if item.kind == "video" and item.source in CONTENT]
    wanted = [item for item in screens if item.source == content] or screens
    first = _newest(_by_role(cameras, participants, "lead_teacher"))
    screen = _newest(_by_role(wanted, participants, "lead_teacher")) or _newest(wanted)
    _reserve(plan, video[:1], first)
    _reserve(plan, video[1:2], screen)
    rest = [item for item in (*cameras, *screens) if item not in (first, screen)]
    _fill(plan, video[2:], rest, participants)
    return plan


def _reserve(plan: dict[str, str | None], slots: Sequence[Slot], publication: PublicationState | None) -> None:
    for slot in slots:
        plan[slot.mid] = publication.publication_id if publication else None


def _fill(
    plan: dict[str, str | None],
    slots: Sequence[Slot],
    candidates: list[PublicationState],
    participants: Mapping[str, ParticipantState],
    speaking: Mapping[str, int] = {},
) -> None:
    carried = {slot.publication_id for slot in slots}

    def rank(item: PublicationState) -> tuple[bool | int, ...]:
        sender = participants[item.participant_id]
        level = None if item.muted else speaking.get(item.publication_id)
        return (
            level is None,
            level is not None and item.publication_id not in carried,
            level or 0,
            not sender.on_floor,
            item.source in CONTENT,
            sender.role != "co_teacher",
            item.since_ms,
        )

    wanted = [item.publication_id for item in sorted(candidates, key=rank)[: len(slots)]]
    for slot in slots:
        plan[slot.mid] = slot.publication_id if slot.publication_id in wanted else None
    new = [publication_id for publication_id in wanted if publication_id not in plan.values()]
    for slot in slots:
        if plan[slot.mid] is None and new:
            plan[slot.mid] = new.pop(0)


def _by_role(
    items: Iterable[PublicationState], participants: Mapping[str, ParticipantState], role: str
) -> list[PublicationState]:
    return [item for item in items if participants[item.participant_id].role == role]


def _newest(items: Sequence[PublicationState]) -> PublicationState | None:
    """The one that began last: a lead teacher back from a crash is not hidden by what the crash left behind."""
    return max(items, key=lambda item: item.since_ms, default=None)
