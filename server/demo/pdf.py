"""A PDF of plain shapes, written by hand: what the demo's slides are made of, without a library for it.

Coordinates are points from the top left corner, as on a screen; a page is as wide as a slide, 960×540.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

Point = tuple[float, float]
Colour = tuple[int, int, int]

WIDTH, HEIGHT = 960, 540

_ROUND = 0.5523  # of the radius: where the handles of a quarter of a circle are
_FONTS = {"F1": "Helvetica-Bold", "F2": "Symbol"}  # which every reader of PDFs has


class Page:
    def __init__(self, ground: Colour) -> None:
        self._ops = [f"1 0 0 -1 0 {HEIGHT} cm 1 J 1 j"]  # y downwards, round ends and corners
        self.polygon(((0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)), ground)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        self._ops.append(f"{_rgb(colour)} rg {_path(points)} h f")

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        self._ops.append(f"{_rgb(colour)} RG {width:g} w {_path(points)} S")

    def curve(self, start: Point, pieces: Sequence[tuple[Point, Point, Point]], colour: Colour) -> None:
        """An area bounded by Bézier curves, closed by a straight line."""
        drawn = " ".join(" ".join(f"{x:g} {y:g}" for x, y in piece) + " c" for piece in pieces)
        self._ops.append(f"{_rgb(colour)} rg {start[0]:g} {start[1]:g} m {drawn} h f")

    def ellipse(self, centre: Point, across: float, down: float, colour: Colour) -> None:
        (x, y), h, v = centre, across * _ROUND, down * _ROUND
        a, b = across, down
        pieces = (
            ((x + a, y + v), (x + h, y + b), (x, y + b)),
            ((x - h, y + b), (x - a, y + v), (x - a, y)),
            ((x - a, y - v), (x - h, y - b), (x, y - b)),
            ((x + h, y - b), (x + a, y - v), (x + a, y)),
        )
        self.curve((x + a, y), pieces, colour)

    def sector(self, centre: Point, radius: float, start: float, end: float, colour: Colour) -> None:
        """A slice of a circle, from angle to angle."""
        rim = [start + (end - start) * step / 8 for step in range(9)]
        self.polygon(
            [centre, *((centre[0] + radius * math.cos(one), centre[1] + radius * math.sin(one)) for one in rim)], colour
        )

    def strokes(
        self, strokes: Iterable[Sequence[Point]], at: Point, scale: float, colour: Colour, width: float
    ) -> None:
        """Runs of points, scaled and moved."""
        for one in strokes:
            self.line([(at[0] + x * scale, at[1] + y * scale) for x, y in one], colour, width)

    def text(self, text: str, at: Point, size: float, colour: Colour, font: str = "F1") -> None:
        """Latin letters and digits; in font F2 Greek ones. `at` is where its line begins."""
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        place = f"1 0 0 -1 {at[0]:g} {at[1]:g} Tm"
        self._ops.append(f"BT {_rgb(colour)} rg /{font} {size:g} Tf {place} ({escaped}) Tj ET")

    @property
    def content(self) -> bytes:
        return "\n".join(self._ops).encode("latin-1")


def document(pages: Sequence[bytes], width: float = WIDTH, height: float = HEIGHT) -> bytes:
    """A file of pages, each given as its content."""
    fonts = " ".join(f"/{name} << /Type /Font /Subtype /Type1 /BaseFont /{font} >>" for name, font in _FONTS.items())
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(len(pages)))
    parts = [b"<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>".encode()]
    for number, content in enumerate(pages):
        parts.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:g} {height:g}] /Contents {4 + 2 * number} 0 R "
            f"/Resources << /Font << {fonts} >> >> >>".encode()
        )
        parts.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
    return assembled(parts)


def assembled(parts: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """A file of these objects, the first of which is its catalogue; more can be said in its trailer."""
    file, places = bytearray(b"%PDF-1.7\n"), []
    for number, part in enumerate(parts, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    file += b"trailer\n<< /Size %d /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, trailer, table)
    return bytes(file)


def _rgb(colour: Colour) -> str:
    return " ".join(f"{one / 255:.3f}" for one in colour)


def _path(points: Sequence[Point]) -> str:
    (x, y), *rest = points
    return " ".join([f"{x:.1f} {y:.1f} m", *(f"{x:.1f} {y:.1f} l" for x, y in rest)])
