"""One transport of a participant, as far as the room must know it, and what an offer says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from media import messages as media
from media.sdp import SdpError, SessionDescription
from signaling.bus import TransportNote
from signaling.events import Source
from signaling.messages import SlotQuality
from signaling.room import RoomError
from signaling.slots import Slot
from signaling.workers import Worker

_UNTOLD: dict[media.Kind, tuple[Source, ...]] = {  # what a section is that nobody tells of: the first not yet taken
    "audio": ("microphone", "screen"),
    "video": ("camera", "screen"),
}
_SOURCES: dict[media.Kind, tuple[Source, ...]] = {  # what a section may be
    "audio": (*_UNTOLD["audio"], "second_microphone"),
    "video": (*_UNTOLD["video"], "document_camera"),
}


@dataclass(slots=True)
class Transport:
    note: TransportNote
    worker: Worker | None  # None: known from the log, not yet found at a worker
    connected: bool = False
    gone: bool = False  # it exists no more
    slots: list[Slot] = field(default_factory=list)  # of a receiving one
    sources: dict[str, Source] = field(default_factory=dict)  # by mid, of a sending one
    layers: dict[str, tuple[str, ...]] = field(default_factory=dict)  # rids somebody needs, by publication
    qualities: dict[str, SlotQuality] = field(default_factory=dict)  # what its page was told its slots carry, by mid
    surveyed: dict[str, SlotQuality] = field(default_factory=dict)  # what they carried at the last survey
    arranging: bool = False  # a task brings its slots to what they should be
    changed: bool = False  # and must look again
    told: bool = False  # its slots were told once


@dataclass(frozen=True, slots=True)
class Negotiated:
    """An answer of a worker that is not yet anybody's."""

    transport_id: str
    worker: Worker
    answered: media.Answered


def sends(sdp: str) -> bool:
    """Whether an offer sends anything. Raises RoomError."""
    try:
        sections = SessionDescription.parse(sdp).sections  # browsers write the direction into each section
    except SdpError as error:
        raise RoomError(error.code, str(error)) from error
    return any(section.direction not in ("recvonly", "inactive") for section in sections if section.kind in _SOURCES)


def sources_of(held: Sequence[media.PublicationInfo], told: dict[str, Source]) -> dict[str, Source]:
    """What each section carries, by mid: as told where that can be, else the first source of its kind not yet taken.

    No two of a kind are the same, whatever is told: who may send a camera sends one.
    """
    sources: dict[str, Source] = {}
    for info in held:
        others = [sources[other.mid] for other in held if other.kind == info.kind and other.mid in sources]
        if info.mid in told and told[info.mid] in _SOURCES[info.kind] and told[info.mid] not in others:
            sources[info.mid] = told[info.mid]
    for info in held:
        if info.mid not in sources:
            taken = {sources[other.mid] for other in held if other.kind == info.kind and other.mid in sources}
            free = [source for source in _UNTOLD[info.kind] if source not in taken]
            if free:
                sources[info.mid] = free[0]
    return sources
