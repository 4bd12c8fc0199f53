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
    "mode",
    "show",
    "stage",
    "countdown",
    "headcount",
    "lead_class",
    "admit",
    "signal",
    "private",
    "private_lines",
    "photo",
    "moderate",
    "remote",
    "turn_pages",
    "draw",
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
        "mode",
        "show",
        "stage",
        "countdown",
        "headcount",
        "lead_class",
        "admit",
        "private",
        "private_lines",
        "moderate",
        "remote",
        "turn_pages",
        "draw",
    ),
    "co_teacher": (
        "publish",
        "floor",
        "chat",
        "mark",
        "mode",
        "show",
        "stage",
        "countdown",
        "admit",
        "private",
        "private_lines",
        "moderate",
        "remote",
        "turn_pages",
        "draw",
    ),
    "receiving_class": ("publish_on_floor", "hand", "chat", "consent", "headcount", "signal", "private"),
    "local_teacher": ("hand", "chat", "mark", "signal", "private", "photo"),
    "observer": ("mark",),
    "remote_control": ("floor", "mark", "stage", "turn_pages"),
}


def may(role: Role, right: Right) -> bool:
    """Whether the role has the right."""
    return right in RIGHTS[role]


def may_watch(role: Role) -> bool:
    """Whether the role receives pictures and sound: all do but a remote control, which only presses buttons."""
    return role != "remote_control"


def may_publish(role: Role, on_floor: bool) -> bool:
    """Teachers publish at any time, a class while it has the floor."""
    return may(role, "publish") or (on_floor and may(role, "publish_on_floor"))
