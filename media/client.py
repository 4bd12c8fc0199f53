"""The server's end of a worker's control socket. Once it is gone, signaling/workers.py connects again."""

from __future__ import annotations

from typing import Any

from media.control_client import ControlClient
from media.messages import Event, Reply, Request, from_wire, to_wire


class WorkerGoneError(ConnectionError):
    """The worker has ended, or another server process has taken it over, or it speaks another protocol."""


class WorkerClient(ControlClient[Request, Reply, Event]):
    """One connection to one worker."""

    PATIENCE = 5.0
    GONE = WorkerGoneError

    def _dump(self, message: Request) -> dict[str, Any]:
        return to_wire(message)

    def _load(self, value: dict[str, Any]) -> object:
        return from_wire(value)
