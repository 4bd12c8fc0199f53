"""What a token grants: one role in one lesson until a moment.

The server signs and checks tokens (JWT); signaling is handed a `Verifier` and sees nothing of keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Role = Literal["lead_teacher", "co_teacher", "receiving_class", "local_teacher", "observer", "remote_control"]
GrantRole = Literal[Role, "researcher", "admin"]
GrantFault = Literal["token_invalid", "token_expired", "token_foreign"]


class GrantError(Exception):
    """A token that opens nothing here; `code` says why and is the same in JSON, logs and pages."""

    def __init__(self, code: GrantFault, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Grant:
    lesson_id: str
    role: GrantRole
    participant_id: str | None  # given: whoever comes with this grant is always this participant
    name: str | None  # given: wins over the name the page says
    expires_at: float  # seconds since 1970
    class_group_id: str | None = None  # of a class that is on the server's list
    consent: bool | None = None  # what the server knows that class to have said about being recorded
    identity: str | None = None  # of an account or a class: whoever comes with it is one participant, on any device
    device: str | None = None  # which browser it was given to
    waits: bool = False  # at the door, until a teacher lets it in
    class_id: str | None = None  # of a phone: the participant it belongs to, a class or a teacher

    @property
    def room_role(self) -> Role:
        """The role in the room: researchers and administrators watch as observers."""
        return "observer" if self.role == "researcher" or self.role == "admin" else self.role


Verifier = Callable[[str], Grant]  # raises GrantError: token_invalid, token_expired


def verify_for(verify: Verifier, token: str, lesson_id: str) -> Grant:
    """The grant of a token that must be for this lesson. Raises GrantError."""
    grant = verify(token)
    own(grant, lesson_id)
    return grant


def own(grant: Grant, lesson_id: str) -> None:
    """Raises GrantError if the grant is for another lesson."""
    if grant.lesson_id != lesson_id:
        raise GrantError("token_foreign", "this token is for another lesson")
