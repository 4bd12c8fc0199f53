"""The picture of the synthetic lesson: a blackboard on which the unit circle draws the sine curve, under a true clock.

Drawn into YUV 4:2:0 planes with plain byte slices, because a drawing library would be a dependency for one page of
chalk. What never changes is drawn once; a frame is a copy of it plus what moves. A 960×540 frame costs 1.5 ms.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

Point = tuple[float, float]

TURN = 8.0  # seconds in which the radius goes round once


@dataclass(frozen=True, slots=True)
class Chalk:
    """A colour as BT.601 studio-range luma and chroma."""

    y: int
    u: int
    v: int


BOARD = Chalk(58, 122, 112)
FRAME = Chalk(105, 104, 150)
WHITE = Chalk(222, 128, 128)
FAINT = Chalk(96, 124, 118)
YELLOW = Chalk(205, 52, 146)
PINK = Chalk(176, 122, 168)

# Pixel rows of a 5×7 face, one number a row, the highest bit leftmost: the few signs this board needs.
_GLYPHS: dict[str, tuple[int, ...]] = {
    "0": (14, 17, 19, 21, 25, 17, 14),
    "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
    ":": (0, 4, 4, 0, 4, 4, 0),
    "=": (0, 0, 31, 0, 31, 0, 0),
    "y": (0, 17, 17, 15, 1, 17, 14),
    "s": (0, 14, 16, 14, 1, 17, 14),
    "i": (4, 0, 12, 4, 4, 4, 14),
    "n": (0, 22, 25, 17, 17, 17, 17),
    "x": (0, 17, 10, 4, 4, 10, 17),
    " ": (0, 0, 0, 0, 0, 0, 0),
}

# 同课 as strokes on a grid of 24×24 each: every stroke a run of points.
_TONG: tuple[tuple[Point, ...], ...] = (
    ((4, 21), (4, 3), (20, 3), (20, 21), (17, 20)),
    ((8, 8), (16, 8)),
    ((8, 18), (8, 12), (16, 12), (16, 18), (8, 18)),
)
_KE: tuple[tuple[Point, ...], ...] = (
    ((4, 3), (6, 5)),
    ((2, 9), (6, 9), (6, 19), (9, 16)),
    ((11, 11), (11, 3), (21, 3), (21, 11), (11, 11)),
    ((11, 7), (21, 7)),
    ((16, 3), (16, 22)),
    ((9, 14), (23, 14)),
    ((15, 15), (9, 21)),
    ((17, 15), (23, 21)),
)


class Canvas:
    """Three planes to draw on. Coordinates are luma pixels; chroma follows at half of them."""

    def __init__(self, width: int, height: int, strides: tuple[int, int, int]) -> None:
        self.width, self.height, self.strides = width, height, strides
        self.planes = (
            bytearray(strides[0] * height),
            bytearray(strides[1] * (height // 2)),
            bytearray(strides[2] * (height // 2)),
        )

    def copy(self) -> Canvas:
        twin = Canvas.__new__(Canvas)
        twin.width, twin.height, twin.strides = self.width, self.height, self.strides
        twin.planes = (bytearray(self.planes[0]), bytearray(self.planes[1]), bytearray(self.planes[2]))
        return twin

    def fill(self, x: int, y: int, width: int, height: int, chalk: Chalk) -> None:
        """A rectangle; the part outside the canvas is left out."""
        left, top = max(0, x), max(0, y)
        right, bottom = min(self.width, x + width), min(self.height, y + height)
        if left >= right or top >= bottom:
            return
        _fill_plane(self.planes[0], self.strides[0], left, top, right, bottom, chalk.y)
        half = (left >> 1, top >> 1, (right + 1) >> 1, (bottom + 1) >> 1)
        _fill_plane(self.planes[1], self.strides[1], *half, chalk.u)
        _fill_plane(self.planes[2], self.strides[2], *half, chalk.v)

    def line(self, start: Point, end: Point, chalk: Chalk, thickness: int = 4) -> None:
        """A straight stroke, laid as squares that overlap by half."""
        (x0, y0), (x1, y1) = start, end
        steps = max(1, int(math.hypot(x1 - x0, y1 - y0) / max(1, thickness / 2)))
        offset = thickness / 2
        for step in range(steps + 1):
            part = step / steps
            x, y = int(x0 + (x1 - x0) * part - offset), int(y0 + (y1 - y0) * part - offset)
            self.fill(x, y, thickness, thickness, chalk)

    def strokes(self, strokes: Iterable[tuple[Point, ...]], at: Point, scale: float, chalk: Chalk, thick: int) -> None:
        """Runs of points, scaled and moved."""
        for stroke in strokes:
            points = [(at[0] + x * scale, at[1] + y * scale) for x, y in stroke]
            for start, end in itertools.pairwise(points):
                self.line(start, end, chalk, thick)

    def text(self, text: str, x: int, y: int, pixel: int, chalk: Chalk) -> None:
        """Signs of the small face, each pixel of it `pixel` wide."""
        for sign in text:
            for row, bits in enumerate(_GLYPHS[sign]):
                for column in range(5):
                    if bits >> (4 - column) & 1:
                        self.fill(x + column * pixel, y + row * pixel, pixel, pixel, chalk)
            x += 6 * pixel


class Blackboard:
    """The lesson's picture at any moment. `strides` are the bytes of a row in each plane of the frame to be filled."""

    def __init__(self, width: int, height: int, strides: tuple[int, int, int]) -> None:
        self._unit = height / 540
        self._centre = (self._px(210), self._px(330))
        self._radius = self._px(130)
        self._axis = self._px(400)  # where the curve begins
        self._still = Canvas(width, height, strides)
        self._draw_still()
        self._shown = ""

    def draw(self, elapsed: float, wall: datetime) -> Canvas:
        """The picture `elapsed` seconds into the lesson; the clock shows `wall`."""
        clock = f"{wall:%H:%M:%S}"
        if clock != self._shown:
            self._draw_clock(clock)
            self._shown = clock
        canvas = self._still.copy()
        self._draw_motion(canvas, 2 * math.pi * elapsed / TURN)
        return canvas

    def _px(self, length: float) -> int:
        return round(length * self._unit)

    def _draw_still(self) -> None:
        canvas, px = self._still, self._px
        canvas.fill(0, 0, canvas.width, canvas.height, FRAME)
        canvas.fill(px(14), px(14), canvas.width - px(28), canvas.height - px(28), BOARD)
        canvas.strokes(_TONG, (px(40), px(28)), 3.4 * self._unit, WHITE, px(7))
        canvas.strokes(_KE, (px(128), px(28)), 3.4 * self._unit, WHITE, px(7))
        canvas.text("y = sin x", px(290), px(52), px(5), YELLOW)
        x, y = self._centre
        canvas.line((px(50), y), (canvas.width - px(40), y), FAINT, px(2))
        canvas.line((x, y - px(160)), (x, y + px(160)), FAINT, px(2))
        canvas.line((self._axis, y - px(160)), (self._axis, y + px(160)), FAINT, px(2))
        ring = [self._on_circle(2 * math.pi * part / 90) for part in range(91)]
        canvas.strokes([tuple(ring)], (0, 0), 1, WHITE, px(4))

    def _draw_clock(self, clock: str) -> None:
        canvas, px = self._still, self._px
        left, pixel = canvas.width - px(340), px(6)
        canvas.fill(left - px(10), px(30), px(310), px(70), BOARD)
        canvas.text(clock, left, px(45), pixel, WHITE)

    def _on_circle(self, angle: float) -> Point:
        return self._centre[0] + self._radius * math.cos(angle), self._centre[1] - self._radius * math.sin(angle)

    def _draw_motion(self, canvas: Canvas, angle: float) -> None:
        px = self._px
        tip = self._on_circle(angle)
        canvas.line(self._centre, tip, YELLOW, px(5))
        canvas.line(tip, (self._axis, tip[1]), FAINT, px(2))
        step = px(3)
        per_pixel = 2 * math.pi / px(360)  # one wave is 360 units long
        for x in range(self._axis, canvas.width - px(40), step):
            y = self._centre[1] - self._radius * math.sin(angle - (x - self._axis) * per_pixel)
            canvas.fill(x, int(y) - step // 2, step + 1, step + 2, PINK)
        for left, top in (tip, (self._axis, tip[1])):
            canvas.fill(int(left) - px(8), int(top) - px(8), px(16), px(16), YELLOW)


def _fill_plane(plane: bytearray, stride: int, left: int, top: int, right: int, bottom: int, value: int) -> None:
    run = bytes((value,)) * (right - left)
    for start in range(top * stride + left, bottom * stride + left, stride):
        plane[start : start + len(run)] = run
