"""Slides and board of a recorded lesson, from its event log: which page everybody saw when, and what is drawn on it.

The rules are those of signaling/pages.py, which folds the same events while the lesson is on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from recorder.rendering.activity import Span

BOARD = "board"
_SOURCES = {"slides": "slide", "whiteboard": BOARD}


@dataclass(slots=True)
class Stroke:
    tool: str
    colour: str
    width: int  # of 10 000 of the page's width
    points: list[int]  # x, y, x, y, …


@dataclass(slots=True)
class Page:
    """What is drawn on a surface."""

    strokes: dict[tuple[str, str], Stroke] = field(default_factory=dict)  # by who draws it, and its id
    changes: int = 0  # grows with each


@dataclass(frozen=True, slots=True)
class Sight:
    """A page that everybody saw."""

    surface: str
    span: Span


class Board:
    """Moments are asked for in order: `go_on` brings it to each."""

    def __init__(self, events: Iterable[dict[str, Any]], end_ms: int) -> None:
        """Events that are not as they should be are passed over."""
        self._changes = [change for event in events if (change := _change(event)) is not None]
        self._next = 0
        self._pages: dict[str, Page] = {}
        self.sights = _sights(self._changes, end_ms)
        self._sight = 0

    def surface_at(self, at_ms: int) -> str | None:
        """The page that is to be seen at this moment."""
        while self._sight < len(self.sights) and self.sights[self._sight].span[1] <= at_ms:
            self._sight += 1
        sight = self.sights[self._sight] if self._sight < len(self.sights) else None
        return sight.surface if sight is not None and sight.span[0] <= at_ms else None

    def page_at(self, surface: str, at_ms: int) -> Page:
        """What is drawn on it by then."""
        while self._next < len(self._changes) and self._changes[self._next].at_ms <= at_ms:
            self._apply(self._changes[self._next])
            self._next += 1
        return self._page(surface)

    def _page(self, surface: str) -> Page:
        return self._pages.setdefault(surface, Page())

    def _apply(self, change: _Change) -> None:
        said = change.said
        match change.kind:
            case "stroke":
                page = self._page(change.surface)
                strokes, key = page.strokes, (change.actor, said["stroke_id"])
                page.changes += 1
                if key in strokes:
                    strokes[key].points += said["points"]
                else:
                    strokes[key] = Stroke(said["tool"], said["colour"], said["width"], list(said["points"]))
            case "strokes_removed":
                self._remove(self._page(change.surface), set(said["stroke_ids"]))
            case "surface_cleared":
                self._remove(self._page(change.surface))
            case "slides_removed":
                for surface, page in self._pages.items():
                    if _of(surface) == said["slides_id"]:
                        self._remove(page)

    @staticmethod
    def _remove(page: Page, ids: set[str] | None = None) -> None:
        for key in [key for key in page.strokes if ids is None or key[1] in ids]:
            del page.strokes[key]
            page.changes += 1


@dataclass(frozen=True, slots=True)
class _Change:
    at_ms: int
    kind: str
    actor: str
    surface: str
    said: dict[str, Any]


def _change(event: dict[str, Any]) -> _Change | None:
    try:
        kind, said = event["kind"], event["payload"]
        if kind == "stroke":
            texts, numbers = (said["stroke_id"], said["tool"], said["colour"]), (said["width"], *said["points"])
            if any(type(one) is not str for one in texts) or any(type(one) is not int for one in numbers):
                return None
            if len(said["points"]) < 2 or len(said["points"]) % 2:
                return None
        elif kind == "strokes_removed":
            if any(type(one) is not str for one in said["stroke_ids"]):
                return None
        elif kind == "slides_removed":
            return _Change(int(event["at_ms"]), kind, "", "", {"slides_id": str(said["slides_id"])})
        elif kind in ("shown", "recording"):
            word = said["source"] if kind == "shown" else said["state"]
            return _Change(int(event["at_ms"]), kind, "", "", {"word": str(word)})
        elif kind not in ("page_turned", "surface_cleared"):
            return None
        return _Change(int(event["at_ms"]), kind, str(event["actor"]), str(said["surface"]), said)
    except (KeyError, TypeError, ValueError):
        return None


def _sights(changes: Iterable[_Change], end_ms: int) -> list[Sight]:
    """Not while the recording was paused: nothing of that is kept."""
    found: list[Sight] = []
    turned: dict[str, str | None] = {"slide": None, BOARD: None}
    source, paused = "", False
    since, seen = 0, None
    for change in changes:
        match change.kind:
            case "page_turned":
                turned[BOARD if _of(change.surface) == BOARD else "slide"] = change.surface
            case "slides_removed":
                slide = turned["slide"]
                if slide is not None and _of(slide) == change.said["slides_id"]:
                    turned["slide"] = None
            case "shown":
                source = _SOURCES.get(change.said["word"], "")
            case "recording":
                paused = change.said["word"] == "paused"
            case _:
                continue
        now = None if paused or not source else turned[source]
        if now != seen:
            if seen is not None and change.at_ms > since:
                found.append(Sight(seen, (since, change.at_ms)))
            since, seen = change.at_ms, now
    if seen is not None and end_ms > since:
        found.append(Sight(seen, (since, end_ms)))
    return found


def _of(surface: str) -> str:
    return surface.partition("/")[0]
