"""The pages there are to look at and to draw on, slides and board, and what is drawn on them: a fold of events.

A surface is one such page; its id is `<slides_id>/<page>` or `board/<n>`, both counted from 1. `RoomState` has one
`Pages`; `web/src/room/surfaces.ts` folds the same events to the same pages. surfaces.py says what may be drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from signaling.events import PageTurned, Payload, SlidesAdded, SlidesRemoved, Stroke, StrokesRemoved, SurfaceCleared
from signaling.snapshot import SlidesState, StrokeRun, StrokeState

BOARD = "board"
PIECE = 20  # numbers: what a piece of a stroke costs a log beside its points

_Strokes = dict[tuple[str, str], StrokeState]  # by who draws it, and its id


def place_of(surface: str) -> tuple[str, int]:
    """The slides (or `BOARD`) a surface belongs to, and its page."""
    of, _, page = surface.partition("/")
    return of, int(page)


def runs_of(strokes: Iterable[StrokeState]) -> tuple[StrokeRun, ...]:
    """The same strokes, as a snapshot has them: a third of the bytes."""
    runs = groupby(strokes, key=lambda one: (one.surface, one.participant_id, one.tool, one.colour, one.width))
    return tuple(StrokeRun(*key, tuple((one.stroke_id, _steps(one.points)) for one in run)) for key, run in runs)


class Pages:
    """Changed by `apply` alone."""

    def __init__(self) -> None:
        self.slides: dict[str, SlidesState] = {}
        self.slide_page: str | None = None
        self.board_page: str | None = None
        self.strokes_there = 0  # on all surfaces
        self.numbers_there = 0  # of their points
        self.drawn = 0  # numbers the whole log holds of strokes, those that are gone included
        self._strokes: dict[str, _Strokes] = {}  # by surface

    @property
    def strokes(self) -> tuple[StrokeState, ...]:
        """All there are; those of a surface in the order they were begun."""
        return tuple(stroke for on in self._strokes.values() for stroke in on.values())

    def on(self, surface: str) -> _Strokes:
        """The strokes of a surface."""
        return self._strokes.get(surface, {})

    def apply(self, actor: str, payload: Payload) -> None:
        """Fold in what an event says of pages; all others are passed over."""
        match payload:
            case SlidesAdded(slides_id, title, pages, width, height):
                self.slides[slides_id] = SlidesState(slides_id, title, pages, width, height)
            case SlidesRemoved(slides_id):
                self.slides.pop(slides_id, None)
                for surface in [one for one in self._strokes if place_of(one)[0] == slides_id]:
                    self._clear(surface)
                if self.slide_page is not None and place_of(self.slide_page)[0] == slides_id:
                    self.slide_page = None
            case PageTurned(surface):
                if place_of(surface)[0] == BOARD:
                    self.board_page = surface
                else:
                    self.slide_page = surface
            case Stroke():
                self._draw(actor, payload)
            case StrokesRemoved(surface, stroke_ids):
                on = self._strokes.get(surface, {})
                for key in [key for key in on if key[1] in stroke_ids]:
                    self._gone(on.pop(key))
            case SurfaceCleared(surface):
                self._clear(surface)

    def _draw(self, actor: str, piece: Stroke) -> None:
        self.drawn += PIECE + len(piece.points)
        self.numbers_there += len(piece.points)
        on = self._strokes.setdefault(piece.surface, {})
        known = on.get((actor, piece.stroke_id))
        if known is not None:
            on[actor, piece.stroke_id] = replace(known, points=known.points + piece.points)
            return
        self.strokes_there += 1
        on[actor, piece.stroke_id] = StrokeState(
            piece.surface, piece.stroke_id, actor, piece.tool, piece.colour, piece.width, piece.points
        )

    def _clear(self, surface: str) -> None:
        for stroke in self._strokes.pop(surface, {}).values():
            self._gone(stroke)

    def _gone(self, stroke: StrokeState) -> None:
        self.strokes_there -= 1
        self.numbers_there -= len(stroke.points)


def _steps(points: tuple[int, ...]) -> tuple[int, ...]:
    return points[:2] + tuple(to - here for here, to in zip(points, points[2:], strict=False))
