"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "bad"]  # fine; works, but look at it; lessons will not work


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    status: Status
    says: str
    do: str = ""  # what to do about it, empty when nothing
