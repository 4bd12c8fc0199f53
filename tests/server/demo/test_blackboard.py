from datetime import datetime

import pytest

from server.demo.blackboard import BOARD, WHITE, YELLOW, Blackboard, Canvas

STRIDES = (640, 320, 320)
NOON = datetime(2025, 9, 1, 12, 0, 0)


def board() -> Blackboard:
    return Blackboard(640, 360, STRIDES)


def test_the_figure_moves_from_one_frame_to_the_next() -> None:
    drawing = board()
    assert drawing.draw(1.0, NOON).planes != drawing.draw(1.05, NOON).planes


def test_the_same_moment_gives_the_same_picture() -> None:
    assert board().draw(3.0, NOON).planes == board().draw(3.0, NOON).planes


def test_the_clock_changes_with_the_second_and_leaves_nothing_behind() -> None:
    drawing = board()
    drawing.draw(0.0, NOON.replace(second=8))
    changed = drawing.draw(0.0, NOON.replace(second=11))
    assert changed.planes == board().draw(0.0, NOON.replace(second=11)).planes
    assert changed.planes != board().draw(0.0, NOON).planes


def test_a_frame_fills_its_planes_exactly() -> None:
    assert [len(plane) for plane in board().draw(0.0, NOON).planes] == [640 * 360, 320 * 180, 320 * 180]


@pytest.mark.parametrize(("x", "y"), [(-50, -50), (638, 358), (700, 10), (10, 400)])
def test_a_shape_over_the_edge_is_cut_off_there(x: int, y: int) -> None:
    canvas = Canvas(640, 360, STRIDES)
    canvas.fill(x, y, 20, 20, WHITE)
    assert [len(plane) for plane in canvas.planes] == [640 * 360, 320 * 180, 320 * 180]
    inside = max(0, min(640, x + 20) - max(0, x)) * max(0, min(360, y + 20) - max(0, y))
    assert canvas.planes[0].count(WHITE.y) == inside


def test_padding_at_the_end_of_a_row_is_not_drawn_on() -> None:
    canvas = Canvas(8, 4, (16, 8, 8))
    canvas.fill(0, 0, 8, 4, YELLOW)
    assert canvas.planes[0] == (bytes([YELLOW.y]) * 8 + bytes(8)) * 4
    canvas.fill(0, 0, 8, 4, BOARD)
    assert canvas.planes[1] == (bytes([BOARD.u]) * 4 + bytes(4)) * 2
