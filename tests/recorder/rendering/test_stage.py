"""recorder/rendering/stage.py: pictures of every size in their boxes, in one picture."""

from av.video.frame import VideoFrame

from recorder.rendering.stage import Box, Placed, Stage

MAIN, SMALL, WHOLE = Box(0, 36, 512, 288), Box(512, 36, 128, 72), Box(0, 0, 640, 360)
BLACK = 16


def plain(width: int, height: int, level: int, form: str = "yuv420p") -> VideoFrame:
    frame = VideoFrame(width, height, form)
    for plane, value in zip(frame.planes, (level, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return frame


def brightness(frame: VideoFrame, x: int, y: int) -> int:
    plane = frame.planes[0]
    return bytes(plane)[y * plane.line_size + x]


def test_each_picture_fills_its_box_and_keeps_its_shape() -> None:
    stage = Stage(640, 360)
    wide, square = plain(1920, 1080, 100), plain(300, 300, 200)
    made = [*stage.show(0, [(wide, MAIN), (square, SMALL)]), *stage.end()]
    (frame,) = made
    assert (frame.width, frame.height, frame.pts) == (640, 360, 0)
    assert brightness(frame, 256, 180) == 100
    assert brightness(frame, 256, 30) == BLACK  # above the large one
    assert brightness(frame, 576, 72) == 200
    assert brightness(frame, 520, 72) == BLACK  # left of the square in its box
    assert brightness(frame, 576, 300) == BLACK  # below the box


def test_frames_come_out_in_order_through_every_change() -> None:
    stage = Stage(640, 360)
    shown: list[list[Placed]] = [
        [(plain(640, 360, 50), WHOLE)],
        [(plain(320, 180, 60), WHOLE), (plain(160, 90, 150), SMALL)],
        [(plain(640, 480, 70), WHOLE), (None, SMALL)],  # no picture yet: its box is black
        [],
        [(plain(640, 360, 0, "yuvj420p"), WHOLE)],  # full range, as some cameras send
    ]
    made = []
    for number, placed in enumerate(shown * 2):
        made += [
            (frame.pts, brightness(frame, 300, 200), brightness(frame, 576, 72)) for frame in stage.show(number, placed)
        ]
    made += [(frame.pts, 0, 0) for frame in stage.end()]
    assert made == [
        (number, *levels)
        for number, levels in enumerate([(50, 50), (60, 150), (70, BLACK), (BLACK, BLACK), (BLACK, BLACK)] * 2)
    ]


def test_a_green_is_one_green_whatever_its_source_says_of_itself() -> None:
    """A camera's is BT.601 and says nothing, another source's is BT.709 and says so."""
    made = []
    for matrix, levels in ((2, (85, 88, 78)), (1, (100, 82, 74))):  # (0, 136, 0), both
        source = VideoFrame(640, 360, "yuv420p")
        source.colorspace = matrix
        for plane, value in zip(source.planes, levels, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        stage = Stage(640, 360)
        (frame,) = [*stage.show(0, [(source, WHOLE)]), *stage.end()]
        made.append([bytes(plane)[plane.line_size * (plane.height // 2) + plane.width // 2] for plane in frame.planes])
    assert made[0] == [85, 88, 78]
    assert all(abs(one - other) <= 2 for one, other in zip(*made, strict=True))
