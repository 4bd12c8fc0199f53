"""What the media of a room, its transports and sessions, need of the room around them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from signaling.announcements import Audience
from signaling.bus import Entry, TransportNote
from signaling.messages import ServerMessage


class Stage(Audience, Protocol):
    """The open room."""

    def now_ms(self) -> int: ...

    def commit(self, entries: Iterable[Entry]) -> None:
        """Store and send events and notes."""

    def tell(self, participant_id: str, message: ServerMessage) -> None:
        """Say something to one participant, if it has a socket."""

    def tell_all(self, message: ServerMessage) -> None:
        """Say something to everybody who is let in and has a socket."""

    def transport_gone(self, note: TransportNote) -> None:
        """The transport of a WHIP or WHEP session is no more, and so the session."""
