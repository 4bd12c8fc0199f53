"""STUN as ICE uses it (RFC 8489): connectivity checks in, responses out, on bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A well-formed STUN message; what nobody here asks about is left out."""

    type: int  # method and class, as on the wire
    transaction_id: bytes
    username: str | None
    use_candidate: bool
    controlled: bool  # the sender believes it is the controlled one
    unknown: tuple[int, ...]  # comprehension-required attributes that we do not know
    integrity: bytes | None
    signed: bytes  # what the integrity covers


def parse(data: bytes) -> Message | None:
    """The message, or None for anything that is not exactly one. Never raises."""
    raise NotImplementedError


def ufrag_of(data: bytes) -> str | None:
    """Our ufrag in the USERNAME of a binding request: whose check it is. None if there is none. Never raises."""
    raise NotImplementedError
