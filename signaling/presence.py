"""How a participant is here: by which door, over which socket, until when; and the clock it is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from signaling.bus import Door


class LessonClock:
    """Milliseconds since the room opened. A step of the machine's clock does not move it while the process lives."""

    def __init__(self, epoch_us: int) -> None:
        self.epoch_us = epoch_us
        self._offset_ms = time.time() * 1000 - epoch_us / 1000 - time.monotonic() * 1000

    def now_ms(self) -> int:
        return max(0, int(time.monotonic() * 1000 + self._offset_ms))


class Connection(Protocol):
    """A participant's socket."""

    def send(self, text: str) -> None:
        """Queue a message; never blocks."""

    def close(self, code: int, reason: str) -> None:
        """Close when what was queued is sent."""


@dataclass(slots=True)
class Presence:
    """How a participant is here."""

    door: Door
    connection: Connection | None = None
    seen: int = 0  # events up to this seq it has
    told: int = 0  # the last seq it knows of; events between may be for others
    deadline: asyncio.TimerHandle | None = None
    device: str | None = None  # which browser it is, where the grant says so
    class_group_id: str | None = None  # of a class of the server's list
    let_in: Callable[[], None] | None = None  # says a whole welcome; of one that stands at the door, and only of that

    def expect(self, seconds: float, otherwise: Callable[[], None]) -> None:
        """Do `otherwise` unless it is settled within so many seconds."""
        self.settle()
        self.deadline = asyncio.get_running_loop().call_later(seconds, otherwise)

    def settle(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None
