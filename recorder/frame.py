"""What depayloaders have in common: RTP payloads in, frames out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from recorder.formats import Format

MAX_FRAME = 8 * 1024 * 1024  # bytes; a frame that grows past this never ends


@dataclass(slots=True)
class Frame:
    timestamp: int  # RTP
    key: bool
    data: bytes  # as the container wants it
    format: Format | None  # of a key frame


class Depayloader(Protocol):
    failed: bool  # a frame could not be given although nothing was said to be missing; `lost` sets it back

    def push(self, timestamp: int, marker: bool, payload: bytes) -> Frame | None:
        """Take the next packet's payload; gives the frame it completes."""

    def lost(self) -> None:
        """Packets are missing before the next one."""
