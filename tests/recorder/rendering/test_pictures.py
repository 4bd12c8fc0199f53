"""recorder/rendering/pictures.py and samples.py: a track read back, from its beginning and from the middle."""

from pathlib import Path

import pytest
from av.video.frame import VideoFrame

from recorder.manifest import read_manifest
from recorder.rendering import pictures as module
from recorder.rendering.pictures import Pictures
from recorder.rendering.samples import Samples
from tests.recorder.source import picture
from tests.support.archived import Piece, Recorded, archived


@pytest.fixture(params=["H264", "VP8", "VP9"])
def lesson(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    codec: str = request.param
    pieces = [
        Piece(1000, picture(codec, 12)),
        Piece(20_000, picture(codec, 4, 160, 90)),
        Piece(24_000, picture(codec, 12)),
    ]
    return archived(tmp_path / "lesson", [Recorded("c-1", codec, pieces)])


def brightness(frame: VideoFrame | None) -> int:
    assert frame is not None
    return bytes(frame.planes[0])[0]


def test_at_every_moment_the_picture_stands_that_was_seen_then(lesson: Path) -> None:
    pictures = Pictures(lesson, read_manifest(lesson).tracks[0])
    assert pictures.at(0) is None
    assert pictures.at(999) is None
    for second in (1, 2, 7, 12):
        assert brightness(pictures.at(second * 1000 + 10)) > 180
        assert brightness(pictures.at(second * 1000 + 495)) > 180
        assert brightness(pictures.at(second * 1000 + 510)) < 60
    assert brightness(pictures.at(16_000)) < 60  # the last one stands through the gap
    standing = pictures.at(20_100)
    assert standing is not None
    assert (standing.width, brightness(standing) > 180) == (160, True)
    standing = pictures.at(60_000)
    assert standing is not None
    assert (standing.width, brightness(standing) > 180) == (320, False)


def test_a_picture_larger_than_any_screen_is_not_decoded(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PIXELS", 200 * 100)
    pictures = Pictures(lesson, read_manifest(lesson).tracks[0])
    assert pictures.at(5000) is None
    standing = pictures.at(20_100)
    assert standing is not None
    assert standing.width == 160


def test_a_leap_ahead_decodes_only_from_the_key_frame_before(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    track = read_manifest(lesson).tracks[0]
    read = []
    of = Samples.of

    def watched(self: Samples, part: object) -> object:
        read.append(part)
        return of(self, part)  # type: ignore[arg-type]

    monkeypatch.setattr(Samples, "of", watched)
    pictures = Pictures(lesson, track)
    assert brightness(pictures.at(1010)) > 180
    assert brightness(pictures.at(33_010)) > 180
    assert brightness(pictures.at(33_510)) < 60
    assert len(read) <= 3 < len(Samples(lesson, track).parts)


def test_a_part_that_is_torn_costs_itself(tmp_path: Path) -> None:
    lesson = archived(tmp_path / "lesson", [Recorded("c-1", "H264", [Piece(0, picture("H264", 18))])])
    track = read_manifest(lesson).tracks[0]
    segments = sorted((lesson / "tracks/c-1").glob("*.m4s"))
    segments[0].write_bytes(segments[0].read_bytes()[:5000])
    segments[1].unlink()
    whole = len(list(Samples(lesson, track)))
    assert 20 < whole < 260
    assert len(list(Pictures(lesson, track))) == whole
