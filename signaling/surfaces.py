"""What may be shown and drawn: slides come and go, pages are turned, strokes drawn and rubbed out.

A part of `Room`, with its rules: command in, events out. All of it is bounded: what a latecomer is sent is what is
drawn now, and what a log keeps is all that was ever drawn.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from signaling.events import (
    SERVER,
    Event,
    PageTurned,
    Payload,
    SlidesAdded,
    SlidesRemoved,
    Stroke,
    StrokesRemoved,
    SurfaceCleared,
)
from signaling.pages import BOARD, PIECE, place_of
from signaling.rights import Right
from signaling.room_error import RoomError
from signaling.snapshot import ParticipantState, SlidesState
from signaling.state import RoomState

MAX_SLIDES = 20  # sets in one lesson
MAX_SLIDE_PAGES = 200  # of one set
MAX_BOARD_PAGES = 50
STROKE_NUMBERS = 4000  # of one stroke: half a minute without lifting the pen
SURFACE_STROKES = 1500
LESSON_STROKES = 6000  # on all surfaces; with these two a latecomer's snapshot stays under 2 MB of JSON
LESSON_NUMBERS = 120_000
LESSON_DRAWN = 1_000_000  # numbers in the log, rubbed out or not: eight times a lesson of drawing all the while

_NUMBERS = tuple(range(10_001))  # the one object of each coordinate, so that a long lesson's log keeps no copies


class Surfaces(ABC):
    state: RoomState

    @abstractmethod
    def _open(self) -> None:
        """Raises RoomError once the lesson is over."""

    @abstractmethod
    def _entitled(self, actor: str, right: Right) -> ParticipantState: ...

    @abstractmethod
    def _emit(self, at_ms: int, actor: str, payload: Payload) -> Event: ...

    # ── what the server says ──────────────────────────────────────────────────────────────────────────────────────

    def add_slides(self, at_ms: int, slides: SlidesAdded) -> list[Event]:
        """These are ready to be shown. Saying so twice is harmless."""
        self._open()
        known = self.state.pages.slides
        told = SlidesState(slides.slides_id, slides.title, slides.pages, slides.width, slides.height)
        if known.get(slides.slides_id) == told:
            return []
        if slides.slides_id not in known and len(known) >= MAX_SLIDES:
            raise RoomError("too_many_slides", f"a lesson has {MAX_SLIDES} sets of slides at most")
        if not 1 <= slides.pages <= MAX_SLIDE_PAGES:
            raise RoomError("too_many_slides", f"slides have {MAX_SLIDE_PAGES} pages at most")
        return [self._emit(at_ms, SERVER, slides)]

    def remove_slides(self, at_ms: int, slides_id: str) -> list[Event]:
        """They are gone, and what was drawn on them. Saying so twice is harmless."""
        if self.state.ended_ms is not None or slides_id not in self.state.pages.slides:
            return []
        return [self._emit(at_ms, SERVER, SlidesRemoved(slides_id))]

    # ── what teachers do ──────────────────────────────────────────────────────────────────────────────────────────

    def turn_page(self, at_ms: int, actor: str, surface: str) -> list[Event]:
        """The page that is shown while slides are, or while the board is."""
        self._entitled(actor, "turn_pages")
        self._check_there(surface)
        if surface in (self.state.pages.slide_page, self.state.pages.board_page):
            return []
        return [self._emit(at_ms, actor, PageTurned(surface))]

    def draw(self, at_ms: int, actor: str, piece: Stroke) -> list[Event]:
        """A stroke begins, or goes on from its last point."""
        self._entitled(actor, "draw")
        self._check_there(piece.surface)
        pages, new = self.state.pages, len(piece.points)
        if new == 0 or new % 2:
            raise RoomError("message_malformed", "points are pairs of x and y")
        on = pages.on(piece.surface)
        known = on.get((actor, piece.stroke_id))
        if known is not None and len(known.points) + new > STROKE_NUMBERS:
            raise RoomError("message_malformed", f"a stroke of over {STROKE_NUMBERS} numbers: begin another")
        if known is None and (len(on) >= SURFACE_STROKES or pages.strokes_there >= LESSON_STROKES):
            raise RoomError("board_full", "there are as many strokes as a page, or a lesson, takes: clear some")
        if pages.numbers_there + new > LESSON_NUMBERS:
            raise RoomError("board_full", "there is as much drawn as a lesson takes: clear some pages")
        if pages.drawn + PIECE + new > LESSON_DRAWN:
            raise RoomError("too_many_messages", "as much was drawn in this lesson as its log takes")
        points = tuple(_NUMBERS[number] for number in piece.points)
        stroke = Stroke(piece.surface, piece.stroke_id, piece.tool, piece.colour, piece.width, points)
        return [self._emit(at_ms, actor, stroke)]

    def erase(self, at_ms: int, actor: str, surface: str, stroke_ids: tuple[str, ...]) -> list[Event]:
        """Rub strokes out, whoever drew them; those that are gone already are passed over."""
        self._entitled(actor, "draw")
        self._check_there(surface)
        there = {stroke_id for _, stroke_id in self.state.pages.on(surface)}
        gone = tuple(one for one in dict.fromkeys(stroke_ids) if one in there)
        return [self._emit(at_ms, actor, StrokesRemoved(surface, gone))] if gone else []

    def clear_surface(self, at_ms: int, actor: str, surface: str) -> list[Event]:
        """Take away all that is drawn on a page."""
        self._entitled(actor, "draw")
        self._check_there(surface)
        return [self._emit(at_ms, actor, SurfaceCleared(surface))] if self.state.pages.on(surface) else []

    # ── helpers ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _check_there(self, surface: str) -> None:
        """Raises RoomError for a page that there is not."""
        of, page = place_of(surface)
        slides = self.state.pages.slides.get(of)
        last = MAX_BOARD_PAGES if of == BOARD else slides.pages if slides is not None else 0
        if not 1 <= page <= last:
            raise RoomError("unknown_surface", "there is no such page")
