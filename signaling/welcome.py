"""What somebody is told who comes in, or comes back: as whom they are here, what they may, and the room as it is."""

from __future__ import annotations

from signaling.grants import Role
from signaling.messages import IceServer, SlotCounts, Welcome
from signaling.rights import RIGHTS
from signaling.room import Room
from signaling.snapshot import ParticipantState
from signaling.visibility import alone, snapshot_for

SLOTS = SlotCounts(audio=3, video=4)
TEACHER_SLOTS = SlotCounts(audio=3, video=8)  # teacher, screen, and every class on the wall


def welcome_to(
    room: Room,
    viewer: ParticipantState,
    *,
    lesson_id: str,
    title: str,
    session: str,
    now_ms: int,
    role: Role,
    resumed: bool,
    ice_servers: tuple[IceServer, ...],
    re: int | None,
) -> Welcome:
    """`resumed`: what was missed follows, and the room is not told whole."""
    state = room.state
    if resumed:
        snapshot = None
    elif viewer.waiting:
        snapshot = alone(viewer, state.started_ms)
    else:
        snapshot = snapshot_for(viewer, state)
    return Welcome(
        re=re,
        participant_id=viewer.participant_id,
        session=session,
        role=role,
        lesson_id=lesson_id,
        title=title,
        now_ms=now_ms,
        seq=0 if viewer.waiting else state.seq,  # of the room one that waits at the door has nothing yet
        recording_policy=room.policy,
        resumed=resumed,
        snapshot=snapshot,
        rights=RIGHTS[role],
        ice_servers=ice_servers,
        slots=TEACHER_SLOTS if "publish" in RIGHTS[role] else SLOTS,
    )
