import re
from pathlib import Path

import pytest

from recorder.manifest import read_manifest
from recorder.rendering import storyboard
from recorder.rendering.progress import Cancelled, NothingToRenderError, ignored
from recorder.rendering.stills import Stills
from recorder.rendering.storyboard import HEIGHT, MOST, WIDTH, moments
from tests.recorder.rendering.drawn import Picture, drawn
from tests.recorder.source import picture, sound
from tests.support.archived import Piece, Recorded, archived

Cue = tuple[float, float, int, int]  # from, to (s), x, y


def rendered(folder: Path) -> tuple[Picture, list[Cue]]:
    seen: list[float] = []
    storyboard.render(folder, folder / "storyboard.jpg", folder / "storyboard.vtt", seen.append)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 1)
    return Picture(folder / "storyboard.jpg"), cues((folder / "storyboard.vtt").read_text())


def cues(vtt: str) -> list[Cue]:
    """What a player reads; each line of the file must be as it should."""
    head, *blocks = vtt.rstrip("\n").split("\n\n")
    assert head == "WEBVTT"
    found = []
    for block in blocks:
        times, text = block.split("\n")
        piece = re.fullmatch(r"storyboard\.jpg#xywh=(\d+),(\d+),160,90", text)
        assert piece, text
        begin, end = (
            int(hours) * 3600 + int(minutes) * 60 + float(seconds)
            for hours, minutes, seconds in (time.split(":") for time in times.split(" --> "))
        )
        found.append((begin, end, int(piece[1]), int(piece[2])))
    return found


def middle(seen: Picture, cue: Cue) -> int:
    return seen.brightness(cue[2] + WIDTH // 2, cue[3] + HEIGHT // 2)


@pytest.mark.parametrize("codec", ["H264", "VP8", "VP9"])
def test_there_are_small_pictures_of_any_codec(tmp_path: Path, codec: str) -> None:
    folder = archived(tmp_path / "a", [Recorded("c-1", codec, [Piece(1000, picture(codec, 8))])])
    seen, found = rendered(folder)
    assert len(found) >= 2
    assert found[0][0] == 0.0
    assert found[-1][1] == pytest.approx(8.0, abs=0.1)
    assert [begin for begin, *_ in found[1:]] == [end for _, end, *_ in found[:-1]]
    assert all(abs(middle(seen, cue) - 220) < 8 for cue in found)  # each part begins bright


def test_each_shows_what_stood_at_its_time_and_a_time_without_picture_has_none(tmp_path: Path) -> None:
    pieces = [Piece(5_000, drawn(60, 6)), Piece(15_000, drawn(200, 6))]
    microphone = Recorded("m-1", "opus", [Piece(3_000, sound(20))], "microphone")
    folder = archived(tmp_path / "a", [Recorded("c-1", "H264", pieces), microphone])
    seen, found = rendered(folder)
    assert (seen.width, seen.height) == (len(found) * WIDTH, HEIGHT)
    # The recording begins with the microphone at 3 s: the first picture is 2 s later.
    dark = [cue for cue in found if abs(middle(seen, cue) - 60) < 6]
    bright = [cue for cue in found if abs(middle(seen, cue) - 200) < 6]
    assert len(dark) + len(bright) == len(found)
    assert (dark[0][0], dark[-1][1]) == (2.0, 8.0)
    assert (bright[0][0], bright[-1][1]) == (12.0, 18.0)


def test_a_shared_screen_goes_before_the_camera_and_keeps_its_shape(tmp_path: Path) -> None:
    folder = archived(
        tmp_path / "a",
        [
            Recorded("c-1", "H264", [Piece(0, drawn(60, 12))]),
            Recorded("c-2", "H264", [Piece(0, drawn(120, 12))], participant="c-1", lead=False),
            Recorded("s-1", "H264", [Piece(4_000, drawn(200, 4, 240, 180))], "screen"),
        ],
    )
    seen, found = rendered(folder)
    shown = {begin: middle(seen, cue) for cue in found for begin in [cue[0]]}
    assert {begin: round(value, -1) for begin, value in shown.items() if begin in (0.0, 4.0, 8.0)} == {
        0.0: 60,
        4.0: 200,
        8.0: 60,
    }
    at = next(cue for cue in found if cue[0] == 4.0)
    assert seen.brightness(at[2] + 5, at[3] + 45) < 20  # black beside it


def test_a_long_lesson_has_no_more_tiles_than_a_page_shows(tmp_path: Path) -> None:
    hours = [Piece(3_600_000 * number, drawn(50 + 40 * number, 4)) for number in range(4)]
    folder = archived(tmp_path / "a", [Recorded("c-1", "H264", hours)])
    _, found = rendered(folder)
    assert len(found) == 4
    assert found[-1][0] == pytest.approx(3 * 3600, abs=4)
    assert len(moments([], 0, 5_400_000)) == 1  # no picture anywhere: nothing to tell apart

    class Always(Stills):
        def part_at(self, at_ms: int) -> int | None:
            return at_ms

    (track,) = read_manifest(folder).tracks
    for minutes in (1, 5, 45, 90, 180, 600):
        count = len(moments([Always(folder, track)], 0, minutes * 60_000))
        assert MOST / 3 <= count <= MOST or minutes == 1, (minutes, count)


def test_a_damaged_part_costs_its_tile_and_no_other(tmp_path: Path) -> None:
    folder = archived(tmp_path / "a", [Recorded("c-1", "H264", [Piece(0, drawn(60, 12))])])
    _, whole = rendered(folder)
    (folder / "tracks" / "c-1" / "seg-00002.m4s").unlink()
    path = folder / "tracks" / "c-1" / "seg-00001.m4s"
    data = path.read_bytes()
    at = data.index(b"mdat") + 4
    path.write_bytes(data[:at] + b"\xff" * 60 + data[at + 60 :])
    _, found = rendered(folder)
    assert 0 < len(found) < len(whole)
    assert {cue[:2] for cue in found} <= {cue[:2] for cue in whole}


def test_without_a_picture_there_is_nothing_to_show(tmp_path: Path) -> None:
    microphone = Recorded("m-1", "opus", [Piece(0, sound(2))], "microphone")
    folder = archived(tmp_path / "a", [microphone])
    with pytest.raises(NothingToRenderError):
        rendered(folder)
    assert not (folder / "storyboard.jpg").exists()


def test_it_can_be_called_off(tmp_path: Path) -> None:
    folder = archived(tmp_path / "a", [Recorded("c-1", "H264", [Piece(0, drawn(60, 6))])])

    def stop(fraction: float) -> None:
        if fraction > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        storyboard.render(folder, tmp_path / "s.jpg", tmp_path / "s.vtt", stop)
    assert not (tmp_path / "s.jpg").exists()
    storyboard.render(folder, tmp_path / "s.jpg", tmp_path / "s.vtt", ignored)
