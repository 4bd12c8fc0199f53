"""The slides of the demonstration: four pages for each of its two lessons, drawn with plain shapes, and what is drawn
on them in the lesson.

Their titles are written stroke by stroke, for no font with Chinese characters comes with anything we depend on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from server.demo.pdf import HEIGHT, WIDTH, Colour, Page, Point, document

Place = tuple[int, int]  # on a page, in ten-thousandths of its width and height


@dataclass(frozen=True, slots=True)
class Mark:
    """What a hand draws on a page in one go."""

    points: tuple[Place, ...]
    colour: str
    tool: str = "pen"


@dataclass(frozen=True, slots=True)
class Deck:
    title: str
    pdf: Callable[[], bytes]
    marks: Mapping[int, tuple[Mark, ...]] = field(default_factory=dict)  # by page


Signs = tuple[tuple[Point, ...], ...]  # on a grid of 24×24, every stroke a run of points

CAO: Signs = (
    ((3, 5), (21, 5)),
    ((9, 2), (9, 8)),
    ((15, 2), (15, 8)),
    ((7, 10), (17, 10), (17, 16), (7, 16), (7, 10)),
    ((7, 13), (17, 13)),
    ((3, 19), (21, 19)),
    ((12, 16), (12, 23)),
)
YUAN: Signs = (
    ((21, 3), (5, 3), (5, 14), (2, 22)),
    ((13.5, 4), (12, 7)),
    ((9, 7), (18.5, 7), (18.5, 14), (9, 14), (9, 7)),
    ((9, 10.5), (18.5, 10.5)),
    ((13.7, 14), (13.7, 22), (11, 20.8)),
    ((10, 17), (7, 21)),
    ((17.5, 17), (20.5, 21)),
)
ROUND: Signs = (  # 圆
    ((3, 2), (21, 2), (21, 22), (3, 22), (3, 2)),
    ((9, 5), (15, 5), (15, 8.5), (9, 8.5), (9, 5)),
    ((7, 17), (7, 11), (17, 11), (17, 17)),
    ((12, 13), (12, 15.5), (7.5, 20)),
    ((13.5, 16.5), (17.5, 20)),
)
DE: Signs = (
    ((6.5, 2), (4.5, 6)),
    ((3, 6), (10, 6), (10, 20), (3, 20), (3, 6)),
    ((3, 13), (10, 13)),
    ((15, 2), (12, 9)),
    ((13.5, 6), (21, 6), (21, 19), (20, 21.5), (17, 20.5)),
    ((15, 11), (17.5, 14.5)),
)
MIAN: Signs = (
    ((3, 3), (21, 3)),
    ((12, 3), (10.5, 7)),
    ((4, 7), (20, 7), (20, 22), (4, 22), (4, 7)),
    ((9.5, 7), (9.5, 22)),
    ((14.5, 7), (14.5, 22)),
    ((9.5, 12), (14.5, 12)),
    ((9.5, 17), (14.5, 17)),
)
JI: Signs = (
    ((9, 2), (4, 4.5)),
    ((2, 8), (11, 8)),
    ((7, 3.5), (7, 22)),
    ((7, 9), (2, 16)),
    ((7.5, 10.5), (11, 14)),
    ((13, 5), (21, 5), (21, 13), (13, 13), (13, 5)),
    ((15, 16), (12, 21.5)),
    ((19, 16), (22, 21.5)),
)

SKY: Colour = (214, 236, 246)
FAR: Colour = (150, 200, 132)
NEAR: Colour = (104, 170, 92)
GRASS: Colour = (70, 138, 66)
PAPER: Colour = (252, 251, 247)
INK: Colour = (38, 44, 52)
WHITE: Colour = (255, 255, 255)
RED: Colour = (196, 62, 48)
SUN: Colour = (246, 196, 72)
BLUE: Colour = (60, 110, 176)
PALE: Colour = (196, 216, 240)

FLOCK: tuple[tuple[Point, float], ...] = (
    ((180, 372), 1.0),
    ((262, 396), 1.2),
    ((600, 366), 0.9),
    ((676, 392), 1.1),
    ((520, 432), 1.5),
    ((788, 440), 1.6),
)


def grassland() -> bytes:
    """《草原》 as a PDF."""
    title = _meadow()
    title.strokes(CAO, (250, 70), 9, INK, 17)
    title.strokes(YUAN, (500, 70), 9, INK, 17)
    flock = _meadow()
    for x, y, size in (
        (180, 372, 1.0),
        (262, 396, 1.2),
        (600, 366, 0.9),
        (676, 392, 1.1),
        (520, 432, 1.5),
        (788, 440, 1.6),
    ):
        _sheep(flock, (x, y), size)
    camp = _meadow()
    _yurt(camp, (300, 330), 1.5)
    _yurt(camp, (590, 356), 1.1)
    _yurt(camp, (764, 344), 0.8)
    return document([one.content for one in (title, flock, camp, _three_parts())])


def circle() -> bytes:
    """《圆的面积》 as a PDF."""
    title = Page(PAPER)
    title.ellipse((480, 370), 145, 145, PALE)
    for number, sign in enumerate((ROUND, DE, MIAN, JI)):
        title.strokes(sign, (142 + 176 * number, 34), 6.4, INK, 12)
    title.line(((480, 370), (625, 370)), RED, 6)
    title.text("r", (540, 358), 44, RED)
    slices = Page(PAPER)
    for number in range(16):
        start, end = (math.tau * one / 16 for one in (number, number + 1))
        slices.sector((480, 270), 210, start, end, (PALE, BLUE)[number % 2])
    return document([one.content for one in (title, slices, _laid_out(), _formula())])


def ring(centre: Place, across: int, down: int) -> tuple[Place, ...]:
    """Not quite round and not quite closed, as one drawn by hand."""
    x, y = centre
    turns = [math.tau * step / 40 - 1.2 for step in range(42)]
    return tuple(
        (int(x + across * math.cos(turn)), int(y + (down + 6 * step) * math.sin(turn)))
        for step, turn in enumerate(turns)
    )


GRASSLAND = Deck(
    "草原",
    grassland,
    {
        2: (
            Mark(ring((2300, 7050), 1300, 900), "red"),
            Mark(((5200, 8900), (6400, 8840), (7600, 8900), (8800, 8850)), "yellow", "marker"),
        ),
        3: (
            Mark(((4800, 2300), (4300, 3100), (3800, 3900), (3500, 4700)), "red"),
            Mark(((3900, 4300), (3500, 4750), (3460, 4050)), "red"),
        ),
    },
)
CIRCLE = Deck(
    "圆的面积",
    circle,
    {
        2: (
            Mark(((5000, 5000), (5700, 4990), (6500, 5010), (7180, 5000)), "red"),
            Mark(ring((5000, 5000), 2260, 3900), "green"),
        ),
        3: (
            Mark(ring((870, 4900), 420, 750), "green"),
            Mark(((4700, 8560), (5100, 8540), (5600, 8560)), "yellow", "marker"),
        ),
        4: (Mark(((3000, 5800), (4300, 5760), (5600, 5800), (6800, 5770)), "yellow", "marker"),),
    },
)


def _meadow() -> Page:
    page = Page(SKY)
    page.ellipse((820, 96), 46, 46, SUN)
    _hill(page, 330, (((200, 230), (420, 330), (620, 290)), ((760, 262), (880, 270), (WIDTH, 310))), FAR)
    _hill(page, 360, (((260, 420), (480, 310), (WIDTH, 380)),), NEAR)
    _hill(page, 470, (((300, 420), (620, 520), (WIDTH, 450)),), GRASS)
    return page


def _hill(page: Page, left: float, crest: tuple[tuple[Point, Point, Point], ...], colour: Colour) -> None:
    """From the left edge, where its crest begins so far down, to the right one."""
    start, corner = (0.0, left), (float(WIDTH), float(HEIGHT))
    page.curve((0, HEIGHT), ((start, start, start), *crest, (corner, corner, corner)), colour)


def _box(page: Page, left: float, top: float, width: float, height: float, colour: Colour) -> None:
    right, bottom = left + width, top + height
    page.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)


def _sheep(page: Page, at: Point, size: float) -> None:
    x, y = at
    for leg in (-12, -4, 8, 15):
        page.line(((x + leg * size, y + 8 * size), (x + leg * size, y + 24 * size)), INK, 3 * size)
    page.ellipse((x, y), 24 * size, 15 * size, WHITE)
    page.ellipse((x - 25 * size, y - 6 * size), 9 * size, 7 * size, INK)


def _yurt(page: Page, at: Point, size: float) -> None:
    x, y = at
    edge, top, ring = 70 * size, y - 44 * size, 16 * size
    _box(page, x - 60 * size, y, 120 * size, 62 * size, WHITE)
    page.polygon([(x - edge, y), (x - ring, top), (x + ring, top), (x + edge, y)], PAPER)
    page.line(((x - edge, y), (x + edge, y)), RED, 6 * size)
    page.line(((x - ring, top), (x + ring, top)), RED, 5 * size)
    _box(page, x - 15 * size, y + 18 * size, 30 * size, 44 * size, BLUE)


def _three_parts() -> Page:
    """How the text is built: one part leads to the next."""
    page = Page(PAPER)
    for number, colour in enumerate((FAR, NEAR, GRASS)):
        x = 90 + number * 280
        _box(page, x, 190, 220, 160, colour)
        page.text(str(number + 1), (x + 88, 298), 80, WHITE)
        if number:
            page.line(((x - 52, 270), (x - 14, 270)), INK, 6)
            page.line(((x - 28, 256), (x - 14, 270), (x - 28, 284)), INK, 6)
    return page


def _laid_out() -> Page:
    """The slices of the circle, laid side by side: nearly a rectangle."""
    page = Page(PAPER)
    radius, half = 210.0, math.pi / 16
    chord = 2 * radius * math.sin(half)
    for number in range(16):
        x = 150 + (number + 1) * chord / 2
        if number % 2 == 0:
            page.sector((x, 160), radius, math.pi / 2 - half, math.pi / 2 + half, PALE)
        else:
            page.sector((x, 160 + radius * math.cos(half)), radius, -math.pi / 2 - half, -math.pi / 2 + half, BLUE)
    page.line(((110, 160), (110, 366)), RED, 5)
    page.text("r", (74, 276), 44, RED)
    page.line(((170, 410), (820, 410)), RED, 5)
    page.text("p", (466, 460), 44, RED, "F2")
    page.text("r", (494, 460), 44, RED)
    return page


def _formula() -> Page:
    page = Page(PAPER)
    _box(page, 170, 130, 620, 220, PALE)
    page.line(((130, 130), (130, 350)), RED, 5)
    page.text("r", (94, 254), 44, RED)
    page.text("S  =", (300, 270), 92, INK)
    page.text("p", (500, 270), 92, INK, "F2")
    page.text("r", (566, 270), 92, INK)
    page.text("2", (608, 226), 52, INK)
    return page
