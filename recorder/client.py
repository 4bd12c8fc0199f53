"""The server's end of the recorder's control socket. Once it is gone, server/recording.py connects again."""

from __future__ import annotations

from typing import Any

from media.control_client import ControlClient
from recorder.messages import Event, Reply, Request, from_wire, to_wire


class RecorderGoneError(ConnectionError):
    """The recorder has ended, or another server process has taken it over, or it speaks another protocol."""


class RecorderClient(ControlClient[Request, Reply, Event]):
    """One connection to the recorder."""

    PATIENCE = 10.0  # a disk may be slow
    GONE = RecorderGoneError

    def _dump(self, message: Request) -> dict[str, Any]:
        return to_wire(message)

    def _load(self, value: dict[str, Any]) -> object:
        return from_wire(value)
