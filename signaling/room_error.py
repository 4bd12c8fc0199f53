"""What a room refuses."""

from __future__ import annotations


class RoomError(Exception):
    """A command that may not be; `code` as in PROTOCOL.md section 5."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
