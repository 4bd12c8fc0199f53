"""Where the logs of rooms live: one journal per lesson, kept in order by one writer."""

from __future__ import annotations

from typing import Protocol


class Bus(Protocol):
    """See bus_memory.py."""
