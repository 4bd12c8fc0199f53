"""What the demo remembers over restarts: passwords, its class code, which lessons are its own."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(slots=True)
class State:
    passwords: dict[str, str] = field(default_factory=dict)  # by name; a demo's secrets guard nothing
    code: str | None = None  # the class code of whatever lesson is live
    live: str | None = None  # lesson ids
    recorded: str | None = None
    past: list[str] = field(default_factory=list)  # live ones that are over, oldest first


def load(path: Path) -> State:
    """The state of last time; a fresh one if there is none that can be read."""
    try:
        return State(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return State()


def save(path: Path, state: State) -> None:
    """Keep it, whole or not at all, for the owner's eyes."""
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(state), file, ensure_ascii=False, indent=1)
    draft.replace(path)
