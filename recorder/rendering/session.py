"""What a lesson's event log says about who could be heard: roles, floor, mute, and when there was a lesson at all."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recorder.event_log import EVENTS
from recorder.rendering.activity import Span, union

TEACHERS = frozenset({"lead_teacher", "co_teacher"})
# Events by which a teacher teaches without a word, also from the phone that is a remote control.
_SHOWS = frozenset({"page_turned", "stroke", "strokes_removed", "surface_cleared"})
_SHOWERS = TEACHERS | {"remote_control"}


@dataclass(frozen=True, slots=True)
class Session:
    roles: dict[str, str] = field(default_factory=dict)  # by participant
    floor: dict[str, list[Span]] = field(default_factory=dict)  # by participant
    muted: dict[str, list[Span]] = field(default_factory=dict)  # by publication
    held: tuple[Span, ...] = ()  # when the lesson was on, its lead teacher was there, and it was recorded
    shown_ms: tuple[int, ...] = ()  # when a teacher showed something
    end_ms: int = 0


def read_session(folder: Path, media: Span) -> Session:
    """What the log of the lesson in `folder` says; where there is none, it lasted as long as its `media`.

    Raises OSError.
    """
    return fold(read_events(folder), media)


def read_events(folder: Path) -> Iterator[dict[str, Any]]:
    """The events of the lesson in `folder`, in order; lines that are none are passed over. Raises OSError."""
    path = folder / EVENTS
    for line in path.read_text(errors="replace").splitlines() if path.exists() else ():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            yield event


def fold(events: Iterable[dict[str, Any]], media: Span) -> Session:
    """The session of these events, in order. Those that are not as they should be are passed over."""
    roles: dict[str, str] = {}
    floor, muted, absent, unrecorded = _Spans(), _Spans(), _Spans(), _Spans()
    started: int | None = None
    ended: int | None = None
    leads: set[str] = set()  # who is here
    led = False
    shown: list[int] = []
    for event in events:
        try:
            kind, at, actor, payload = event["kind"], int(event["at_ms"]), event["actor"], event["payload"]
            who = payload.get("participant_id", "")
            match kind:
                case "joined":
                    roles[who] = payload["role"]
                case "floor":
                    floor.set(who, payload["granted"], at)
                case "muted":
                    muted.set(payload["publication_id"], payload["muted"], at)
                case "unpublished":
                    muted.set(payload["publication_id"], False, at)
                case "recording":
                    unrecorded.set("", payload["state"] in ("paused", "stopped"), at)
                case "started" if started is None:
                    started = at
                case "ended":
                    ended = at
                case _ if kind in _SHOWS and roles.get(actor) in _SHOWERS:
                    shown.append(at)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
        if kind == "left":
            floor.set(who, False, at)
        if kind in ("joined", "left", "away") and roles.get(who) == "lead_teacher":
            here = kind == "joined" or (kind == "away" and not payload.get("away"))
            leads = leads | {who} if here else leads - {who}
            absent.set("", not leads, at)
            led = True
    begin = started if started is not None else media[0]
    end = ended if ended is not None else max(begin, media[1])
    out = [*unrecorded.closed(end).get("", ()), *(absent.closed(end).get("", ()) if led else ())]
    return Session(
        roles,
        floor.closed(end),
        muted.closed(end),
        tuple(_without((begin, end), out)),
        tuple(shown),
        max(end, media[1]),
    )


class _Spans:
    """Spans of several things that are so or not so, each from one event to another."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}
        self._found: defaultdict[str, list[Span]] = defaultdict(list)

    def set(self, key: str, so: bool, at_ms: int) -> None:
        if so:
            self._since.setdefault(key, at_ms)
        elif key in self._since:
            self._found[key].append((self._since.pop(key), at_ms))

    def closed(self, end_ms: int) -> dict[str, list[Span]]:
        """All of them; what is so still lasts until the end."""
        for key, since in self._since.items():
            self._found[key].append((since, max(since, end_ms)))
        self._since.clear()
        return dict(self._found)


def _without(whole: Span, out: Iterable[Span]) -> Iterator[Span]:
    at, end = whole
    for begin, until in union(out):
        if begin > at:
            yield at, min(begin, end)
        at = max(at, until)
        if at >= end:
            return
    yield at, end
