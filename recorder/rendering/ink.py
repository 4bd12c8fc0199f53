"""Strokes drawn as pixels. A layer holds colour and cover of each pixel, plane by plane as FFmpeg's `gbrap` has them.

Whole rows of a stroke are written at once, so that a page full of handwriting takes a fraction of a second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SIDE = 10_000  # points of strokes are whole numbers up to this, across a page and down it
PEN, MARKER = 255, 107  # cover; a marker is no darker where it crosses itself. As web/src/room/ink.ts has them
COLOURS = {  # red, green, blue; also as there
    "ink": (0x1F, 0x23, 0x28),
    "red": (0xC8, 0x28, 0x1E),
    "blue": (0x1B, 0x5F, 0xC1),
    "green": (0x1F, 0x7A, 0x47),
    "yellow": (0xF5, 0xB8, 0x00),
    "white": (0xFF, 0xFF, 0xFF),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a layer, in pixels; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int

    def meets(self, other: Part) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


class Layer:
    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.planes = [bytearray(width * height) for _ in range(4)]  # green, blue, red, cover
        self.empty = True
        self._whole = self._part = Part(0, 0, width, height)  # what is drawn in

    def part_of(self, points: Sequence[int], width: int) -> Part:
        """Where a stroke lies."""
        radius = max(1.0, width * self.width / SIDE) / 2
        xs, ys = points[::2], points[1::2]
        return Part(
            max(0, math.floor(min(xs) * self.width / SIDE - radius)),
            max(0, math.floor(min(ys) * self.height / SIDE - radius)),
            min(self.width, math.ceil(max(xs) * self.width / SIDE + radius)),
            min(self.height, math.ceil(max(ys) * self.height / SIDE + radius)),
        )

    def wipe(self, part: Part) -> None:
        """Take away what is drawn there."""
        nothing = bytes(max(0, part.right - part.left))
        for row in range(part.top, part.bottom):
            begin = row * self.width + part.left
            for plane in self.planes:
                plane[begin : begin + len(nothing)] = nothing

    def stroke(
        self, points: Sequence[int], start: int, width: int, colour: str, cover: int, within: Part | None = None
    ) -> None:
        """The line through `points` (x, y, x, y, …) from the number `start` on; with one point alone a dot."""
        self._part = within or self._whole
        radius = max(1.0, width * self.width / SIDE) / 2
        red, green, blue = COLOURS.get(colour, COLOURS["ink"])
        values = (green, blue, red, cover)
        across, down = self.width / SIDE, self.height / SIDE
        start = max(0, start - 2)
        x0, y0 = points[start] * across, points[start + 1] * down
        if start + 2 >= len(points):
            self._line(x0, y0, x0, y0, radius, values)
        for at in range(start + 2, len(points) - 1, 2):
            x1, y1 = points[at] * across, points[at + 1] * down
            self._line(x0, y0, x1, y1, radius, values)
            x0, y0 = x1, y1
        self.empty = False

    def _line(self, x0: float, y0: float, x1: float, y1: float, radius: float, values: Sequence[int]) -> None:
        """From one point to another, with round ends."""
        length = math.hypot(x1 - x0, y1 - y0)
        edges = []
        if length:
            off_x, off_y = (y0 - y1) / length * radius, (x1 - x0) / length * radius
            edges = [(x0 + s * off_x, y0 + s * off_y, x1 + s * off_x, y1 + s * off_y) for s in (1, -1)]
        part = self._part
        first = max(part.top, math.ceil(min(y0, y1) - radius - 0.5))
        last = min(part.bottom - 1, math.floor(max(y0, y1) + radius - 0.5))
        for row in range(first, last + 1):
            y = row + 0.5
            found = []
            for x_end, y_end in ((x0, y0), (x1, y1)):
                half = radius * radius - (y - y_end) * (y - y_end)
                if half >= 0:
                    half = math.sqrt(half)
                    found += [x_end - half, x_end + half]
            for x_from, y_from, x_to, y_to in edges:
                if y_from != y_to and min(y_from, y_to) <= y <= max(y_from, y_to):
                    found.append(x_from + (x_to - x_from) * (y - y_from) / (y_to - y_from))
            if found:
                self._span(row, max(float(part.left), min(found)), min(float(part.right), max(found)), values)

    def _span(self, row: int, begin: float, end: float, values: Sequence[int]) -> None:
        """A part of a row; of the pixels at its ends only as much as it covers."""
        if begin >= end:
            return
        base, first, last = row * self.width, int(begin), int(end)
        if first == last:
            return self._pixel(base + first, end - begin, values)
        self._pixel(base + first, first + 1 - begin, values)
        if count := last - first - 1:
            for plane, value in zip(self.planes, values, strict=True):
                plane[base + first + 1 : base + last] = bytes((value,)) * count
        if last < self._part.right:
            self._pixel(base + last, end - last, values)

    def _pixel(self, at: int, share: float, values: Sequence[int]) -> None:
        cover = round(values[3] * share)
        if cover > self.planes[3][at] or share > 0.5:
            for plane, value in zip(self.planes, values[:3], strict=False):
                plane[at] = value
            self.planes[3][at] = max(cover, self.planes[3][at])
