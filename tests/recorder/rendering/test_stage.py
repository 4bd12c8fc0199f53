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


def test_a_green_as_a_camera_sends_it_is_the_same_green_in_the_film() -> None:
    """A camera's is BT.601 and says nothing; what has 720 lines is taken for BT.709 by every player."""
    camera = VideoFrame(640, 360, "yuv420p")
    for plane, value in zip(camera.planes, (85, 88, 78), strict=True):  # (0, 136, 0)
        plane.update(bytes([value]) * plane.buffer_size)
    stage = Stage(640, 360)
    (frame,) = [*stage.show(0, [(camera, WHOLE)]), *stage.end()]
    made = [bytes(plane)[plane.line_size * (plane.height // 2) + plane.width // 2] for plane in frame.planes]
    assert all(abs(one - wanted) <= 2 for one, wanted in zip(made, (100, 82, 74), strict=True))
