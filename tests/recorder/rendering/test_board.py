"""recorder/rendering/board.py: pages and strokes of a lesson at its moments, as the room had them."""

import random
from dataclasses import asdict
from typing import Any

import pytest

from recorder.rendering.board import Board
from signaling.events import (
    SERVER,
    Event,
    PageTurned,
    Payload,
    Recording,
    Shown,
    SlidesAdded,
    SlidesRemoved,
    Stroke,
    StrokesRemoved,
    SurfaceCleared,
)
from signaling.state import RoomState

PIECE = asdict(Stroke("board/1", "s", "pen", "ink", 25, ()))
SURFACES = ("aaaaaaaa/1", "aaaaaaaa/2", "bbbbbbbb/1", "board/1", "board/2")


def event(at_ms: int, payload: Payload, actor: str = "t") -> dict[str, Any]:
    return Event(1, at_ms, actor, payload).to_wire()


def turned(at_ms: int, surface: str) -> dict[str, Any]:
    return event(at_ms, PageTurned(surface))


def shown(at_ms: int, source: Any) -> dict[str, Any]:
    return event(at_ms, Shown(source, "content"))


def stroke(at_ms: int, stroke_id: str, *points: int, surface: str = "board/1", actor: str = "t") -> dict[str, Any]:
    return event(at_ms, Stroke(surface, stroke_id, "pen", "ink", 25, points), actor)


def sights(*events: dict[str, Any], end_ms: int = 100) -> list[tuple[str, int, int]]:
    return [(one.surface, *one.span) for one in Board(events, end_ms).sights]


def test_a_page_is_seen_while_slides_or_the_board_are_chosen_and_until_the_next() -> None:
    assert sights(
        turned(5, "aaaaaaaa/1"),
        shown(10, "slides"),
        turned(20, "aaaaaaaa/2"),
        shown(30, "whiteboard"),  # of which there is no page yet
        turned(40, "board/1"),
        turned(45, "aaaaaaaa/3"),  # not seen: the board is
        shown(50, "camera"),
        shown(60, "slides"),
    ) == [("aaaaaaaa/1", 10, 20), ("aaaaaaaa/2", 20, 30), ("board/1", 40, 50), ("aaaaaaaa/3", 60, 100)]


def test_nothing_is_seen_of_slides_that_are_gone_or_while_the_recording_was_paused() -> None:
    assert sights(
        shown(0, "slides"),
        turned(10, "aaaaaaaa/1"),
        event(20, Recording("paused", None)),
        turned(25, "aaaaaaaa/2"),
        event(30, Recording("off", None)),
        event(40, SlidesRemoved("aaaaaaaa"), SERVER),
    ) == [("aaaaaaaa/1", 10, 20), ("aaaaaaaa/2", 30, 40)]


def test_a_moment_has_what_was_drawn_by_then() -> None:
    board = Board([shown(0, "whiteboard"), turned(1, "board/1"), stroke(10, "s", 0, 0), stroke(20, "s", 5, 5)], 100)
    assert board.surface_at(0) is None
    assert board.surface_at(1) == "board/1"
    page = board.page_at("board/1", 15)
    assert [one.points for one in page.strokes.values()] == [[0, 0]]
    before = page.changes
    assert board.page_at("board/1", 19).changes == before
    assert [one.points for one in board.page_at("board/1", 20).strokes.values()] == [[0, 0, 5, 5]]


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        {"kind": "stroke"},
        {"kind": "stroke", "at_ms": 1, "actor": "t", "payload": []},
        {"kind": "stroke", "at_ms": 1, "actor": "t", "payload": {"surface": "board/1", "points": "no"}},
        {**stroke(1, "s", 0, 0), "at_ms": None},
        {**stroke(1, "s", 0, 0), "payload": {**PIECE, "points": [1]}},
        {
            **stroke(1, "s", 0, 0),
            "payload": {**PIECE, "points": [[], 1]},
        },
        {"kind": "page_turned", "at_ms": 1, "actor": "t", "payload": {}},
        {"kind": "strokes_removed", "at_ms": 1, "actor": "t", "payload": {"surface": "board/1", "stroke_ids": 7}},
        {"kind": "strokes_removed", "at_ms": 1, "actor": "t", "payload": {"surface": "board/1", "stroke_ids": [[]]}},
    ],
)
def test_events_that_are_not_as_they_should_be_are_passed_over(damaged: dict[str, Any]) -> None:
    board = Board([damaged, stroke(5, "s", 0, 0)], 100)
    assert len(board.page_at("board/1", 50).strokes) == 1


def _any(below: random.Random) -> tuple[str, Payload]:
    surface, actor = below.choice(SURFACES), below.choice(("t", "u"))

    def one() -> str:
        return f"s{below.randrange(6)}"

    payloads: tuple[Payload, ...] = (
        SlidesAdded(below.choice(("aaaaaaaa", "bbbbbbbb")), "", 9, 1920, 1080),
        SlidesRemoved(below.choice(("aaaaaaaa", "bbbbbbbb"))),
        SurfaceCleared(surface),
        StrokesRemoved(surface, (one(), one())),
        PageTurned(surface),
        Shown(below.choice(("slides", "whiteboard", "camera", "screen")), "content"),
        *[Stroke(surface, one(), "pen", "ink", 25, (below.randrange(10_000), below.randrange(10_000)))] * 6,
    )
    return actor, below.choice(payloads)


@pytest.mark.parametrize("seed", range(5))
def test_any_moment_is_what_the_room_had(seed: int) -> None:
    below, room = random.Random(seed), RoomState()
    events = [Event(number, 10 * number, *_any(below)) for number in range(1, 400)]
    board = Board([one.to_wire() for one in events], 10_000)
    for one in events:
        room.apply(one)
        source = room.shown.source if room.shown is not None else ""
        pages = room.pages
        seen = pages.slide_page if source == "slides" else pages.board_page if source == "whiteboard" else None
        assert board.surface_at(one.at_ms) == seen
        for surface in SURFACES:
            there = {key: list(drawn.points) for key, drawn in pages.on(surface).items()}
            page = board.page_at(surface, one.at_ms)
            assert {key: drawn.points for key, drawn in page.strokes.items()} == there
