"""recorder/rendering/camera.py: the lead teacher's camera and all microphones as one ordinary MP4."""

import errno
import itertools
import subprocess
import sys
from pathlib import Path

import av
import pytest

from recorder.manifest import Manifest, write_manifest
from recorder.rendering.camera import render
from recorder.rendering.progress import Cancelled, NothingToRenderError, ignored
from tests.recorder.source import picture, sound
from tests.recorder.watch import decode_file, risings
from tests.support.archived import Piece, Recorded, archived


def lead(codec: str, seconds: int, at_ms: int = 1000) -> list[Recorded]:
    camera = Recorded("c-1", codec, [Piece(at_ms, picture(codec, seconds))])
    return [camera, Recorded("m-1", "opus", [Piece(at_ms, sound(seconds))], "microphone")]


@pytest.mark.parametrize("codec", ["H264", "VP8", "VP9"])
def test_an_export_is_one_ordinary_mp4_with_picture_and_sound_in_step(tmp_path: Path, codec: str) -> None:
    folder = archived(tmp_path / "lesson", lead(codec, 10))
    out = tmp_path / "lesson.mp4"
    told: list[float] = []
    render(folder, out, told.append)
    with av.open(str(out)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(10, abs=0.1)
        assert container.metadata["title"] == "a lesson"
        assert container.metadata["creation_time"].startswith("2023-11-14T22:13:20")
    bright, loud = risings(decode_file(out, 0), 130), risings(decode_file(out, 1), 0.01)
    assert bright == pytest.approx(list(range(1, 10)), abs=0.021)
    assert loud == pytest.approx(list(range(1, 10)), abs=0.025)
    assert told[0] == 0
    assert told[-1] == 1
    assert told == sorted(told)
    assert not list(tmp_path.glob("*.part"))


def test_a_picture_that_is_copied_loses_nothing(tmp_path: Path) -> None:
    folder = archived(tmp_path / "lesson", lead("H264", 10))
    out = tmp_path / "lesson.mp4"
    render(folder, out, ignored)
    with av.open(str(out)) as container:
        copied = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    assert len(copied) == 200
    archive = b"".join(path.read_bytes() for path in sorted((folder / "tracks/c-1").glob("seg-*.m4s")))
    assert all(data in archive for data in copied)


def test_reconnects_gaps_and_new_picture_sizes_stay_in_step_and_are_copied(tmp_path: Path) -> None:
    small, large = picture("H264", 4, 160, 90), picture("H264", 4, 320, 180)
    folder = archived(
        tmp_path / "lesson",
        [
            Recorded("c-1", "H264", [Piece(2000, large), Piece(6000, small), Piece(15_000, large)]),
            Recorded("m-1", "opus", [Piece(2000, sound(8)), Piece(15_000, sound(4))], "microphone"),
            Recorded("c-2", "H264", [Piece(30_000, small)]),
            Recorded("m-2", "opus", [Piece(30_000, sound(4))], "microphone"),
        ],
    )
    out = tmp_path / "lesson.mp4"
    render(folder, out, ignored)
    frames = decode_file(out, 0)
    bright, loud = risings(frames, 130), risings(decode_file(out, 1), 0.01)
    beats = [1, 2, 3, 4, 5, 6, 7, 13, 14, 15, 16, 28, 29, 30, 31]
    assert [round(at) for at in bright] == beats
    assert bright == pytest.approx(beats, abs=0.021)
    assert loud == pytest.approx(beats, abs=0.03)
    assert len(frames) == 16 * 20
    with av.open(str(out)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (320, 180)
        sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
    assert [size for size, _ in itertools.groupby(sizes)] == [(320, 180), (160, 90), (320, 180), (160, 90)]
    with av.open(str(out)) as container:
        container.seek(29_000_000)
        assert next(container.decode(video=0)).width == 160


def test_of_two_cameras_at_once_the_one_that_began_last_is_shown(tmp_path: Path) -> None:
    folder = archived(
        tmp_path / "lesson",
        [
            Recorded("c-1", "H264", [Piece(0, picture("H264", 12))]),
            Recorded("c-2", "H264", [Piece(4000, picture("H264", 4, 160, 90))]),
        ],
    )
    out = tmp_path / "lesson.mp4"
    render(folder, out, ignored)
    with av.open(str(out)) as container:
        frames = [(frame.time, frame.width) for frame in container.decode(video=0)]
    widths = [
        (width, [at for at, _ in group]) for width, group in itertools.groupby(frames, key=lambda frame: frame[1])
    ]
    assert [(width, at[0]) for width, at in widths] == [(320, 0), (160, 4), (320, 8)]


def test_what_several_microphones_hear_is_mixed(tmp_path: Path) -> None:
    folder = archived(
        tmp_path / "lesson",
        [
            Recorded("m-1", "opus", [Piece(0, sound(4)), Piece(8000, sound(4))], "microphone"),
            Recorded("m-2", "opus", [Piece(4500, sound(3)), Piece(9500, sound(1))], "microphone", "class", lead=False),
        ],
    )
    out = tmp_path / "lesson.mp4"
    render(folder, out, ignored)
    heard = risings(decode_file(out, 0), 0.01)
    assert heard == pytest.approx([1, 2, 3, 4.5, 5.5, 6.5, 8, 9, 11], abs=0.03)


def test_an_export_that_is_called_off_leaves_nothing(tmp_path: Path) -> None:
    folder = archived(tmp_path / "lesson", lead("H264", 4))
    out = tmp_path / "lesson.mp4"
    out.write_bytes(b"before")

    def progress(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        render(folder, out, progress)
    assert out.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lesson", "lesson.mp4"]


@pytest.mark.parametrize("largest", [100, 30_000])
def test_an_export_for_which_the_disk_has_no_room_leaves_nothing(tmp_path: Path, largest: int) -> None:
    folder = archived(tmp_path / "lesson", lead("H264", 10))
    script = """
import resource, signal, sys
from pathlib import Path
from recorder.rendering.camera import render
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    render(Path(sys.argv[1]), Path(sys.argv[2]), lambda fraction: None)
except OSError as error:
    sys.exit(error.errno)
"""
    command = [sys.executable, "-c", script, str(folder), str(tmp_path / "out.mp4"), str(largest)]
    assert subprocess.run(command, cwd=Path(__file__).parents[3]).returncode == errno.EFBIG
    assert [path.name for path in tmp_path.iterdir()] == ["lesson"]


def test_a_segment_that_is_missing_costs_itself(tmp_path: Path) -> None:
    folder = archived(tmp_path / "lesson", lead("H264", 16))
    (folder / "tracks/c-1/seg-00002.m4s").unlink()
    (folder / "tracks/m-1/seg-00002.m4s").write_bytes(b"torn")
    out = tmp_path / "lesson.mp4"
    render(folder, out, ignored)
    bright, loud = risings(decode_file(out, 0), 130), risings(decode_file(out, 1), 0.01)
    assert 8 < len(bright) < 16
    assert 8 <= len(loud) < 16
    assert max(bright) == pytest.approx(15, abs=0.021)
    assert max(loud) == pytest.approx(15, abs=0.03)


def test_a_lesson_without_camera_and_microphone_cannot_be_exported(tmp_path: Path) -> None:
    write_manifest(tmp_path, Manifest("lesson", 0, ""))
    with pytest.raises(NothingToRenderError):
        render(tmp_path, tmp_path / "out.mp4", ignored)
