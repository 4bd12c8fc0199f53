"""As whom somebody takes part who comes with a grant: again, on another device, or as somebody new."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from signaling.commands import Hello
from signaling.grants import Grant, Role
from signaling.presence import Presence
from signaling.room import RoomError
from signaling.state import RoomState

_PREFIXES: dict[Role, str] = {
    "lead_teacher": "t",
    "co_teacher": "k",
    "receiving_class": "c",
    "local_teacher": "l",
    "observer": "o",
    "remote_control": "r",
}


def seat(grant: Grant, hello: Hello, presences: Mapping[str, Presence]) -> tuple[str, Role]:
    """An account, or a class of the list, is one participant on all its devices: its id, and its role.

    Raises RoomError if it is here with another device, and the person has not said which is to go on.
    """
    role = grant.room_role
    if grant.participant_id is not None or grant.identity is None:
        return grant.participant_id or new_id(grant), role
    participant_id = f"{_PREFIXES[role]}-{grant.identity}"
    if hello.device == "watch" and role == "receiving_class":
        return f"{participant_id}-{grant.device or 'watch'}", "observer"
    presence = presences.get(participant_id)
    elsewhere = presence is not None and presence.connection is not None and presence.device != grant.device
    if elsewhere and hello.device != "take_over":
        raise RoomError("second_device", "this account or class is here with another device")
    return participant_id, role


def waits(grant: Grant, participant_id: str, state: RoomState) -> bool:
    """Whether a teacher lets it in first: a class that is not invited, and whoever comes with the lesson's code once a
    class was sent out of it. (With another browser that class would be another.)"""
    if grant.room_role != "receiving_class" or participant_id in state.participants:
        return False
    by_code = grant.device is not None and grant.identity is None
    return grant.waits or (by_code and bool(state.removed))


def new_id(grant: Grant) -> str:
    """An id of its own, which begins with what the person behind it is known by."""
    known_by = grant.identity or grant.device
    prefix = _PREFIXES[grant.room_role]
    return f"{prefix}-{known_by}-{secrets.token_hex(2)}" if known_by else f"{prefix}-{secrets.token_hex(5)}"
