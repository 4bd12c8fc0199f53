"""recorder/rendering/movie.py: the whole lesson as one directed picture with all that was heard."""

import itertools
from pathlib import Path
from typing import Any

import av
import pytest
from av.video.frame import VideoFrame

from recorder.rendering.movie import render
from recorder.rendering.progress import Cancelled, NothingToRenderError, ignored
from tests.recorder.source import picture, sound
from tests.recorder.watch import decode_file, risings
from tests.support.archived import Piece, Recorded, archived

BLACK = 30  # and darker
SCREEN, TEACHER, CLASS = (512, 360), (1152, 144), (1152, 288)  # in their boxes beside each other
CORNER, WHOLE = (1096, 606), (300, 200)


def brightness(frame: VideoFrame, place: tuple[int, int]) -> int:
    plane = frame.planes[0]
    return bytes(plane)[place[1] * plane.line_size + place[0]]


def seen(out: Path, at_s: float, *places: tuple[int, int]) -> list[bool]:
    """Whether there is anything at these places of the picture at this second."""
    return [level > BLACK for level in levels(out, at_s, *places)]


def levels(out: Path, at_s: float, *places: tuple[int, int]) -> list[int]:
    """How bright it is there."""
    with av.open(str(out)) as container:
        container.seek(round(at_s * 1_000_000))
        for frame in container.decode(video=0):
            assert frame.time is not None
            if frame.time >= at_s - 0.001:
                return [brightness(frame, place) for place in places]
    raise AssertionError(at_s)


def joined(participant: str, role: str) -> dict[str, Any]:
    payload = {"participant_id": participant, "role": role, "name": participant, "headcount": None}
    return {"at_ms": 0, "kind": "joined", "payload": payload}


def floor(at_ms: int, participant: str, granted: bool) -> dict[str, Any]:
    return {"at_ms": at_ms, "kind": "floor", "payload": {"participant_id": participant, "granted": granted}}


def test_a_movie_shows_the_screen_large_the_teacher_small_and_a_class_when_it_speaks(tmp_path: Path) -> None:
    asking = Recorded("c-2", "H264", [Piece(5000, picture("H264", 12))], participant="class", lead=False)
    asked = [Piece(5000, sound(1), level=90), Piece(9000, sound(2)), Piece(16_000, sound(1), level=90)]
    folder = archived(
        tmp_path / "lesson",
        [
            Recorded("c-1", "H264", [Piece(0, picture("H264", 24))]),
            Recorded("s-1", "H264", [Piece(3000, picture("H264", 12, 640, 360))], "screen"),
            Recorded("m-1", "opus", [Piece(0, sound(5)), Piece(20_000, sound(4))], "microphone"),
            asking,
            Recorded("m-2", "opus", asked, "microphone", "class", lead=False),
        ],
        [
            joined("t-1", "lead_teacher"),
            joined("class", "receiving_class"),
            {"at_ms": 0, "kind": "started", "payload": {}},
            floor(5000, "class", True),
            floor(17_000, "class", False),
        ],
    )
    out = tmp_path / "movie.mp4"
    told: list[float] = []
    render(folder, out, told.append)
    with av.open(str(out)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        video = container.streams.video[0]
        assert (video.width, video.height) == (1280, 720)
        assert video.average_rate == 25
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(24, abs=0.1)
    assert out.read_bytes().index(b"moov") < 100  # before the media
    assert seen(out, 2.2, WHOLE, TEACHER) == [True, True]  # the teacher alone, everywhere
    assert seen(out, 6.2, SCREEN, TEACHER, CLASS) == [True, True, False]  # the class is on the floor and says nothing
    assert seen(out, 6.2, (512, 30), (1152, 30)) == [False, False]
    assert seen(out, 10.2, SCREEN, TEACHER, CLASS) == [True, True, True]
    assert seen(out, 14.5, SCREEN, TEACHER, CLASS) == [True, True, False]
    assert seen(out, 16.2, WHOLE, (512, 30), CORNER) == [True, True, True]  # the screen is not shared any more
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)


def test_a_movie_is_in_step_through_reconnects_gaps_and_new_sizes(tmp_path: Path) -> None:
    small, large = picture("H264", 2, 160, 90), picture("H264", 2, 320, 180)
    folder = archived(
        tmp_path / "lesson",
        [
            Recorded("c-1", "H264", [Piece(2000, large), Piece(4000, small), Piece(10_000, large)]),
            Recorded("m-1", "opus", [Piece(2000, sound(4)), Piece(10_000, sound(2))], "microphone"),
            Recorded("c-2", "VP9", [Piece(14_000, picture("VP9", 2, 640, 480))]),
            Recorded("m-2", "opus", [Piece(14_000, sound(2))], "microphone"),
            Recorded("c-3", "VP8", [Piece(17_000, picture("VP8", 2))]),
            Recorded("m-3", "opus", [Piece(17_000, sound(2))], "microphone"),
        ],
    )
    out = tmp_path / "movie.mp4"
    render(folder, out, ignored)
    frames = decode_file(out, 0)
    steps = {round(b.at_s - a.at_s, 6) for a, b in itertools.pairwise(frames)}
    assert steps == {0.04}
    bright, loud = risings(frames, 130), risings(decode_file(out, 1), 0.01)
    assert bright == pytest.approx([1, 2, 3, 8, 9, 12, 13, 15, 16], abs=0.041)
    assert loud == pytest.approx([1, 2, 3, 8, 9, 12, 13, 15, 16], abs=0.03)
    assert seen(out, 6.5, WHOLE) == [False]  # nobody is there


def test_a_movie_that_is_called_off_leaves_nothing(tmp_path: Path) -> None:
    folder = archived(tmp_path / "lesson", [Recorded("c-1", "H264", [Piece(0, picture("H264", 12))])])
    calls: list[float] = []

    def progress(fraction: float) -> None:
        calls.append(fraction)
        if len(calls) > 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        render(folder, tmp_path / "movie.mp4", progress)
    assert [path.name for path in tmp_path.iterdir()] == ["lesson"]


def test_a_lesson_of_which_nothing_was_seen_makes_no_movie(tmp_path: Path) -> None:
    folder = archived(tmp_path / "lesson", [Recorded("m-1", "opus", [Piece(0, sound(2))], "microphone")])
    with pytest.raises(NothingToRenderError):
        render(folder, tmp_path / "movie.mp4", ignored)


def test_a_movie_shows_slides_and_board_large_with_what_is_drawn_on_them(tmp_path: Path) -> None:
    def said(at_ms: int, kind: str, **payload: Any) -> dict[str, Any]:
        return {"at_ms": at_ms, "kind": kind, "payload": payload, "actor": "t-1"}

    line = {"surface": "board/1", "stroke_id": "s", "tool": "pen", "colour": "ink", "width": 300}
    folder = archived(
        tmp_path / "lesson",
        [
            Recorded("c-1", "H264", [Piece(0, picture("H264", 6))]),
            Recorded("m-1", "opus", [Piece(0, sound(6))], "microphone"),
        ],
        [
            joined("t-1", "lead_teacher"),
            said(1000, "page_turned", surface="board/1"),
            said(1500, "shown", source="whiteboard", layout="content"),
            said(3000, "stroke", **line, points=[3000, 5000, 7000, 5000]),
            said(4500, "shown", source="camera", layout="portrait"),
        ],
    )
    out = tmp_path / "movie.mp4"
    render(folder, out, ignored)
    assert seen(out, 1.2, WHOLE, TEACHER) == [True, True]
    assert seen(out, 2.2, SCREEN, TEACHER, (1152, 600)) == [True, True, False]  # the board, and the teacher beside it
    drawn, paper = levels(out, 3.2, SCREEN, (100, 360))
    assert [drawn, paper] == pytest.approx([46, 235], abs=8)  # ink on white
    assert seen(out, 5.2, WHOLE, SCREEN) == [True, True]
