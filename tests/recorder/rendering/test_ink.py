"""recorder/rendering/ink.py: strokes as pixels."""

import math

import pytest

from recorder.rendering.ink import MARKER, PEN, SIDE, Layer, Part

WIDTH, HEIGHT = 200, 100


def cover(layer: Layer, x: int, y: int) -> int:
    return layer.planes[3][y * WIDTH + x]


def colour(layer: Layer, x: int, y: int) -> tuple[int, int, int]:
    green, blue, red = (plane[y * WIDTH + x] for plane in layer.planes[:3])
    return red, green, blue


def drawn(*points: float, width: int = 500, ink: str = "red", cover: int = PEN) -> Layer:
    """A stroke through points in pixels; 500 of 10 000 are ten of 200."""
    layer = Layer(WIDTH, HEIGHT)
    scale = (SIDE / WIDTH, SIDE / HEIGHT)
    layer.stroke([round(value * scale[at % 2]) for at, value in enumerate(points)], 0, width, ink, cover)
    return layer


def test_a_line_is_as_wide_as_it_says_and_has_round_ends() -> None:
    layer = drawn(50, 50, 150, 50)
    assert [y for y in range(HEIGHT) if cover(layer, 100, y) == PEN] == list(range(45, 55))
    assert colour(layer, 100, 50) == (0xC8, 0x28, 0x1E)
    assert cover(layer, 46, 50) == PEN
    assert cover(layer, 45, 45) == 0  # the corner that a square end would have
    assert cover(layer, 44, 50) == 0


def test_a_dot_is_round() -> None:
    layer = drawn(100, 50)
    inside = sum(layer.planes[3]) / PEN
    assert inside == pytest.approx(math.pi * 25, rel=0.03)


@pytest.mark.parametrize("angle", range(0, 180, 15))
def test_a_line_has_the_same_width_whichever_way_it_goes(angle: int) -> None:
    across, down = math.cos(math.radians(angle)) * 35, math.sin(math.radians(angle)) * 35
    layer = drawn(100 - across, 50 - down, 100 + across, 50 + down)
    area = sum(layer.planes[3]) / PEN
    assert area == pytest.approx(70 * 10 + math.pi * 25, rel=0.02)


def test_what_lies_outside_the_page_is_cut_off() -> None:
    layer = drawn(0, 0, 200, 0, 200, 100, 0, 100, 0, 0, 200, 100, width=3000)
    assert all(len(plane) == WIDTH * HEIGHT for plane in layer.planes)
    assert cover(layer, 0, 0) == cover(layer, WIDTH - 1, HEIGHT - 1) == PEN


def test_a_marker_is_no_darker_where_it_crosses_itself() -> None:
    layer = drawn(50, 50, 150, 50, 50, 50, ink="yellow", cover=MARKER)
    assert max(layer.planes[3]) == MARKER


def test_a_stroke_that_comes_in_pieces_is_the_same() -> None:
    points = [1000, 2000, 5000, 7000, 9000, 1000, 3000, 3000]
    whole, pieces = Layer(WIDTH, HEIGHT), Layer(WIDTH, HEIGHT)
    whole.stroke(points, 0, 200, "blue", PEN)
    for end in (2, 4, 8):
        pieces.stroke(points[:end], max(0, {2: 0, 4: 2, 8: 4}[end]), 200, "blue", PEN)
    different = sum(one != other for one, other in zip(whole.planes[3], pieces.planes[3], strict=True))
    assert different < 20  # the dot it began as has an edge of its own


def test_a_stroke_lies_in_its_part_and_nothing_of_it_is_left_when_that_is_wiped() -> None:
    layer = drawn(40, 20, 150, 70)
    points = [2000, 2000, 7500, 7000]
    assert layer.part_of(points, 500) == Part(35, 15, 155, 75)
    layer.wipe(layer.part_of(points, 500))
    assert not any(any(plane) for plane in layer.planes)


def test_a_part_that_is_drawn_anew_is_as_it_was_and_nothing_else_is_touched() -> None:
    lines = [([1000, 5000, 9000, 5000], "red"), ([5000, 1000, 5000, 9000], "blue"), ([2000, 2000, 8000, 8000], "ink")]
    whole, mended = Layer(WIDTH, HEIGHT), Layer(WIDTH, HEIGHT)
    for layer in (whole, mended):
        for points, ink in lines:
            layer.stroke(points, 0, 300, ink, PEN)
    part = Part(90, 40, 120, 65)
    mended.wipe(part)
    for points, ink in lines:
        mended.stroke(points, 0, 300, ink, PEN, part)
    different = [at for at in range(WIDTH * HEIGHT) if whole.planes[0][at] != mended.planes[0][at]]
    assert len(different) < 20  # where an end of the part cuts through the edge of a line
    assert all(part.left <= at % WIDTH < part.right and part.top <= at // WIDTH < part.bottom for at in different)
