"""The camera of a class that has not the floor: its own choice, for the teachers' wall alone, and in no recording."""

from __future__ import annotations

from collections.abc import Mapping

from signaling.rights import may
from signaling.snapshot import ParticipantState, PublicationState


def on_wall(publication: PublicationState, participants: Mapping[str, ParticipantState]) -> bool:
    """Whether a publication is for the teachers' wall and for nobody else."""
    sender = participants.get(publication.participant_id)
    return sender is not None and sender.role == "receiving_class" and not sender.on_floor


def looks_at_wall(viewer: ParticipantState | None) -> bool:
    """Whether someone sees the wall: the lead teacher and the co-teachers do."""
    return viewer is not None and may(viewer.role, "publish")
