from pathlib import Path

import pytest

from recorder.rendering import poster
from recorder.rendering.progress import NothingToRenderError
from tests.recorder.rendering.drawn import Picture, drawn
from tests.recorder.source import sound
from tests.support.archived import Piece, Recorded, archived


def rendered(folder: Path) -> Picture:
    seen: list[float] = []
    poster.render(folder, folder / "poster.jpg", seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    return Picture(folder / "poster.jpg")


def test_it_is_the_lead_teachers_camera_when_there_is_something_to_see(tmp_path: Path) -> None:
    covered, open_lens = Piece(0, drawn(20, 8)), Piece(8_000, drawn(120, 4, detail=60))
    folder = archived(
        tmp_path / "a",
        [
            Recorded("s-1", "H264", [Piece(0, drawn(200, 12, detail=30))], "screen"),
            Recorded("c-2", "H264", [Piece(0, drawn(200, 12, detail=30))], participant="c-1", lead=False),
            Recorded("c-1", "H264", [covered, open_lens]),
        ],
    )
    seen = rendered(folder)
    assert (seen.width, seen.height) == (320, 180)
    fields = sorted(seen.brightness(10 + 20 * column, 10) for column in range(16))
    assert fields[0] == pytest.approx(60, abs=8)
    assert fields[-1] == pytest.approx(180, abs=8)


def test_where_the_camera_shows_nothing_it_is_the_screen(tmp_path: Path) -> None:
    folder = archived(
        tmp_path / "a",
        [
            Recorded("c-1", "H264", [Piece(0, drawn(20, 4))]),
            Recorded("s-1", "H264", [Piece(0, drawn(200, 4, detail=30))], "screen"),
        ],
    )
    assert rendered(folder).brightness(10, 10) > 150


def test_a_grey_picture_is_better_than_none(tmp_path: Path) -> None:
    folder = archived(tmp_path / "a", [Recorded("c-1", "H264", [Piece(0, drawn(90, 4))])])
    assert rendered(folder).brightness(100, 100) == pytest.approx(90, abs=4)


def test_a_large_picture_becomes_smaller_and_keeps_its_shape(tmp_path: Path) -> None:
    folder = archived(tmp_path / "a", [Recorded("c-1", "H264", [Piece(0, drawn(90, 1, 1440, 1080))])])
    seen = rendered(folder)
    assert (seen.width, seen.height) == (960, 720)


def test_a_lesson_of_sound_alone_has_no_poster(tmp_path: Path) -> None:
    folder = archived(tmp_path / "a", [Recorded("m-1", "opus", [Piece(0, sound(2))], "microphone")])
    with pytest.raises(NothingToRenderError):
        rendered(folder)
    assert not (folder / "poster.jpg").exists()
