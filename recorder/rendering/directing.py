"""Which pictures a movie (电影模式) shows when, and where: the screen large, the teacher small, a class when it speaks.

Decisions only: times in ms of the lesson clock in, scenes out. The page of slides or board that everybody saw is large,
else the screen; nothing ever covers them, because what is written there is the lesson: the others stand in a column
beside. Without either the teacher has the whole picture, and a class that speaks the lower right corner of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from recorder.manifest import TrackEntry
from recorder.rendering.stage import Box

WIDTH, HEIGHT = 1280, 720
CLASSES = 2  # shown at once: as many as can have the floor
STANDS_MS = 3000  # a picture that is missing for less than this stays; longer, and its view goes
BEFORE_MS, AFTER_MS = 500, 3000  # a class is shown so long before and after it speaks, or it would come and go

WHOLE = Box(0, 0, WIDTH, HEIGHT)
_BESIDE = Box(0, 72, 1024, 576)  # the screen, with a column beside it
_COLUMN = [Box(1024, 72 + 156 * number, 256, 144) for number in range(1 + CLASSES)]
_CORNER = [Box(936, 516 - 192 * number, 320, 180) for number in range(1 + CLASSES)]

View = Literal["page", "screen", "teacher", "co_teacher", "class"]
Stretch = tuple[int, int]  # from and to, ms


@dataclass(frozen=True, slots=True)
class Shown:
    """A time in which a track may be shown."""

    track: str  # its folder, or what composed.py is told of under this name
    view: View
    participant: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Scene:
    from_ms: int
    to_ms: int
    places: tuple[tuple[str, Box], ...]  # folders of tracks; the first one lies below the others


def scenes(shown: Sequence[Shown], begin_ms: int, end_ms: int) -> list[Scene]:
    """What stands on the stage from the beginning to the end, without holes."""
    edges = {begin_ms, end_ms}
    edges |= {edge for each in shown for edge in (each.from_ms, each.to_ms) if begin_ms < edge < end_ms}
    found: list[Scene] = []
    for start, end in itertools.pairwise(sorted(edges)):
        places = _arranged([each for each in shown if each.from_ms <= start and end <= each.to_ms])
        if found and found[-1].places == places:
            start = found.pop().from_ms
        found.append(Scene(start, end, places))
    return found


def alone(shown: Sequence[Shown], box: Box, begin_ms: int, end_ms: int) -> list[Scene]:
    """The same for one view that has the whole stage."""
    return [
        Scene(scene.from_ms, scene.to_ms, tuple((track, box) for track, _ in scene.places[:1]))
        for scene in scenes(shown, begin_ms, end_ms)
    ]


def _arranged(there: Sequence[Shown]) -> tuple[tuple[str, Box], ...]:
    lone = ("page", "screen", "teacher", "co_teacher")
    views = {view: _latest(each for each in there if each.view == view) for view in lone}
    screen, teacher = views["page"] or views["screen"], views["teacher"] or views["co_teacher"]
    speaking = [each for each in there if each.view == "class"]
    classes: list[str] = []
    for participant in dict.fromkeys(each.participant for each in sorted(speaking, key=lambda each: each.from_ms)):
        latest = _latest(each for each in speaking if each.participant == participant)
        if latest is not None:
            classes.append(latest.track)
    small = classes[:CLASSES]
    if screen is not None:
        if teacher is not None:
            small.insert(0, teacher.track)
        large, boxes = (screen.track, _BESIDE if small else WHOLE), _COLUMN
    else:
        if teacher is None and not small:
            return ()
        large, boxes = (teacher.track if teacher is not None else small.pop(0), WHOLE), _CORNER
    return large, *zip(small, boxes, strict=False)


def _latest(there: Iterable[Shown]) -> Shown | None:
    return max(there, key=lambda each: each.from_ms, default=None)


def stretches(track: TrackEntry) -> list[Stretch]:
    """When a track has a picture."""
    found, start = [], track.start_ms
    for gap_from, gap_to in track.gaps:
        if gap_to - gap_from > STANDS_MS:
            found.append((start, gap_from))
            start = gap_to
    found.append((start, track.start_ms + track.duration_ms))
    return found


def speaking(spans: Iterable[Stretch]) -> list[Stretch]:
    """When to show a class that speaks in these spans."""
    found: list[Stretch] = []
    for start, end in sorted(spans):
        start, end = start - BEFORE_MS, end + AFTER_MS
        if found and start <= found[-1][1]:
            start, end = found[-1][0], max(end, found.pop()[1])
        found.append((start, end))
    return found


def both(one: Iterable[Stretch], other: Iterable[Stretch]) -> list[Stretch]:
    """The times that are in both, in order."""
    other = list(other)
    cut = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return sorted((start, end) for start, end in cut if start < end)
