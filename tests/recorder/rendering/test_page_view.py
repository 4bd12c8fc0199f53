"""recorder/rendering/page_view.py: the page that was seen, with its strokes, as a picture of a movie."""

from pathlib import Path
from typing import Any

import av
import pytest
from av.video.frame import VideoFrame

from recorder.rendering.board import Board
from recorder.rendering.page_view import HEIGHT, WIDTH, PageView
from signaling.events import Event, PageTurned, Payload, Shown, Stroke, StrokesRemoved, SurfaceCleared


def page(folder: Path, surface: str, width: int = 1600, height: int = 1200) -> None:
    """A grey page of slides."""
    path = folder / "slides" / f"{surface}.webp"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = VideoFrame(width, height, "bgra")
    frame.planes[0].update(bytes((128, 128, 128, 255)) * (frame.planes[0].buffer_size // 4))
    with av.open(str(path), "w", format="webp") as container:
        stream = container.add_stream("libwebp", rate=1)
        stream.width, stream.height, stream.pix_fmt = width, height, "bgra"
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def log(*payloads: tuple[int, Payload]) -> list[dict[str, Any]]:
    return [Event(1, at_ms, "t", payload).to_wire() for at_ms, payload in payloads]


def pixel(frame: VideoFrame | None, x: int, y: int) -> tuple[int, ...]:
    """Red, green and blue."""
    assert frame is not None
    green, blue, red = (bytes(plane)[y * plane.line_size + x] for plane in frame.planes)
    return red, green, blue


def line(*points: int, tool: Any = "pen", colour: Any = "red", surface: str = "board/1", name: str = "s") -> Stroke:
    return Stroke(surface, name, tool, colour, 200, points)


ACROSS = (2000, 5000, 8000, 5000)
MIDDLE = (WIDTH // 2, HEIGHT // 2)


def test_the_board_is_white_and_what_is_drawn_on_it_stands_there_until_it_goes(tmp_path: Path) -> None:
    events = log(
        (0, Shown("whiteboard", "content")),
        (100, PageTurned("board/1")),
        (200, line(*ACROSS)),
        (300, SurfaceCleared("board/1")),
    )
    view = PageView(tmp_path, Board(events, 1000))
    assert view.at(50) is None
    assert pixel(view.at(150), *MIDDLE) == (255, 255, 255)
    drawn = view.at(200)
    assert pixel(drawn, *MIDDLE) == (0xC8, 0x28, 0x1E)
    assert view.at(240) is drawn  # nothing has changed: nothing is drawn
    assert pixel(view.at(300), *MIDDLE) == (255, 255, 255)


def test_a_page_of_slides_has_its_shape_and_lies_below_marker_and_pen(tmp_path: Path) -> None:
    page(tmp_path, "aaaaaaaa/1")
    events = log(
        (0, Shown("slides", "content")),
        (0, PageTurned("aaaaaaaa/1")),
        (100, line(*ACROSS, surface="aaaaaaaa/1")),
        (200, line(5000, 2000, 5000, 8000, tool="marker", colour="yellow", surface="aaaaaaaa/1", name="m")),
    )
    view = PageView(tmp_path, Board(events, 1000))
    frame = view.at(50)
    assert frame is not None
    assert (frame.width, frame.height) == (960, 720)
    assert pixel(frame, 480, 200) == pytest.approx((128, 128, 128), abs=3)
    frame = view.at(200)
    assert pixel(frame, 480, 360) == (0xC8, 0x28, 0x1E)  # the pen, though it was there first
    red, green, blue = pixel(frame, 480, 200)
    assert (red, green, blue) == pytest.approx((180, 151, 74), abs=4)  # 0.42 of the marker over grey


def test_a_page_whose_picture_is_lost_is_blank_and_keeps_its_strokes(tmp_path: Path) -> None:
    events = log(
        (0, Shown("slides", "content")), (0, PageTurned("aaaaaaaa/1")), (0, line(*ACROSS, surface="aaaaaaaa/1"))
    )
    (tmp_path / "slides/aaaaaaaa").mkdir(parents=True)
    (tmp_path / "slides/aaaaaaaa/1.webp").write_bytes(b"RIFF\0\0\0\0WEBP")
    frame = PageView(tmp_path, Board(events, 1000)).at(10)
    assert pixel(frame, 20, 20) == (255, 255, 255)
    assert pixel(frame, *MIDDLE) == (0xC8, 0x28, 0x1E)


def test_what_is_rubbed_out_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    events = log(
        (0, Shown("whiteboard", "content")),
        (0, PageTurned("board/1")),
        (0, line(*ACROSS, name="below")),
        (0, line(5000, 2000, 5000, 8000, colour="blue", name="above")),
        (100, StrokesRemoved("board/1", ("above",))),
        (200, line(2000, 2000, 3000, 2000, colour="blue", name="above")),  # the same name, another stroke
    )
    view = PageView(tmp_path, Board(events, 1000))
    assert pixel(view.at(50), *MIDDLE) == (0x1B, 0x5F, 0xC1)
    assert pixel(view.at(100), *MIDDLE) == (0xC8, 0x28, 0x1E)
    assert pixel(view.at(100), WIDTH // 2, HEIGHT // 4) == (255, 255, 255)
    assert pixel(view.at(200), WIDTH // 4, HEIGHT // 5) == (0x1B, 0x5F, 0xC1)


def test_who_turns_back_finds_what_was_drawn(tmp_path: Path) -> None:
    turns = [(100 * number, PageTurned(f"board/{number}")) for number in range(2, 12)]
    begin: list[tuple[int, Payload]] = [
        (0, Shown("whiteboard", "content")),
        (0, PageTurned("board/1")),
        (0, line(*ACROSS)),
    ]
    events = log(*begin, *turns, (5000, PageTurned("board/1")))
    view = PageView(tmp_path, Board(events, 10_000))
    for at_ms in range(0, 6000, 40):
        frame = view.at(at_ms)
    assert pixel(frame, *MIDDLE) == (0xC8, 0x28, 0x1E)
