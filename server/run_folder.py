"""Where the processes of one node meet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LONGEST_SOCKET = 107  # bytes; what the path of a Unix socket may have (unix(7))


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Their Unix sockets, in a folder with a short name: see LONGEST_SOCKET."""

    path: Path

    @property
    def recorder(self) -> Path:
        return self.path / "recorder.sock"

    @property
    def recorder_media(self) -> Path:
        return self.path / "recorder-media.sock"

    def worker(self, number: int) -> Path:
        return self.path / f"worker-{number}.sock"

    def relay(self, number: int) -> Path:
        return self.path / f"relay-{number}.sock"

    def handover(self, number: int) -> Path:
        return self.path / f"handover-{number}.sock"
