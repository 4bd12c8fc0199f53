"""Which role may do what in a room: one table, sent to the browser in `welcome` and checked by `Room`."""

from __future__ import annotations

from typing import Literal

from signaling.grants import Role

Right = Literal[
    "publish",
    "publish_on_floor",
    "start",
    "hand",
    "floor",
    "chat",
    "mark",
    "remove",
    "set_recording",
    "consent",
    "end",
    "show",
    "stage",
    "headcount",
    "lead_class",
    "admit",
    "signal",
    "private",
    "private_lines",
    "photo",
    "moderate",
]

RIGHTS: dict[Role, tuple[Right, ...]] = {
    "lead_teacher": (
        "publish",
        "start",
        "floor",
        "chat",
        "mark",
        "remove",
        "set_recording",
        "end",
        "show",
        "stage",
        "headcount",
        "lead_class",
        "admit",
        "private",
        "private_lines",
        "moderate",
    ),
    "co_teacher": (
        "publish",
        "floor",
        "chat",
        "mark",
        "show",
        "stage",
        "admit",
        "private",
        "private_lines",
        "moderate",
    ),
    "receiving_class": ("publish_on_floor", "hand", "chat", "consent", "headcount", "signal", "private"),
    "local_teacher": ("hand", "chat", "mark", "signal", "private", "photo"),
    "observer": ("mark",),
}


def may(role: Role, right: Right) -> bool:
    """Whether the role has the right."""
    return right in RIGHTS[role]


def may_publish(role: Role, on_floor: bool) -> bool:
    """Teachers publish at any time, a class while it has the floor."""
    return may(role, "publish") or (on_floor and may(role, "publish_on_floor"))
