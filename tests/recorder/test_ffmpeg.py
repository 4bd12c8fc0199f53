"""FFmpeg's own HLS reader, which is ffprobe's, ffplay's and PyAV's, takes what is recorded without a word."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import av
import pytest

from tests.recorder.source import Sample, later, picture
from tests.recorder.test_rules import Lesson, S, on_air, teacher, without


def read(playlist: Path) -> tuple[dict[str, int], list[str]]:
    """How many packets of each kind a playlist has, and what FFmpeg says about it."""
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture(local=False) as said, av.open(playlist) as container:
            counts: dict[str, int] = {}
            for packet in container.demux():
                if packet.dts is not None:
                    counts[packet.stream.type] = counts.get(packet.stream.type, 0) + 1
    finally:
        av.logging.set_level(None)
    return counts, [f"{name}: {text.strip()}" for _, name, text in said]


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lesson whose teacher switches the camera off for a while, goes away, and comes back."""
    lesson = Lesson(tmp_path_factory.mktemp("archive"))
    lesson.recorder.open("lesson")
    first = teacher("a", 1)
    on_air(lesson, first, 0, without(picture("H264", 40), 9.3, 18))
    lesson.recorder.send(first[0].end(), first[1].end())
    on_air(lesson, teacher("b", 3), 50, picture("H264", 12))
    lesson.end()
    assert lesson.inspect.faults == []
    return lesson.folder


@pytest.mark.parametrize(
    "playlist",
    [
        "master.m3u8",
        "lead-camera.m3u8",
        "lead-microphone.m3u8",
        "tracks/a-camera/index.m3u8",
        "tracks/b-microphone/index.m3u8",
    ],
)
def test_ffmpeg_reads_every_list_without_a_warning(archived: Path, playlist: str) -> None:
    counts, said = read(archived / playlist)
    assert said == []
    if playlist == "master.m3u8":
        assert counts["video"] > 800
        assert counts["audio"] == 3100  # 62 s without a hole


def growing(codec: str) -> list[Sample]:
    """A camera whose browser sends a small picture first, a larger one as the line allows it, and a small one again."""
    sizes = [(160, 90), (320, 180), (640, 360), (160, 90)]
    return [each for n, size in enumerate(sizes) for each in later(picture(codec, 4, *size), n * 4 * S)]


@pytest.fixture(scope="module", params=["H264", "VP9", "AV1"])
def resized(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lesson whose teacher's picture changes its size, and is of another size again after a reconnect."""
    lesson = Lesson(tmp_path_factory.mktemp("archive"))
    lesson.recorder.open("lesson")
    first = teacher("a", 1, request.param)
    on_air(lesson, first, 0, growing(request.param))
    lesson.recorder.send(first[0].end(), first[1].end())
    on_air(lesson, teacher("b", 3, request.param), 20, picture(request.param, 4, 480, 270))
    lesson.end()
    assert lesson.inspect.faults == []
    return lesson.folder


LISTS = ["master.m3u8", "live.m3u8", "lead-camera.m3u8", "tracks/a-camera/index.m3u8", "tracks/b-camera/index.m3u8"]


@pytest.mark.parametrize("playlist", LISTS)
def test_ffmpeg_reads_lists_of_a_picture_that_changes_its_size_without_a_warning(resized: Path, playlist: str) -> None:
    counts, said = read(resized / playlist)
    assert said == []
    assert counts["video"] == {"a-camera": 320, "b-camera": 80}.get(Path(playlist).parent.name, 400)


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="no ffprobe on this machine")
def test_ffprobe_decodes_every_size_without_a_warning(resized: Path) -> None:
    options = "-v warning -select_streams v -show_entries frame=width,height -of csv=p=0"
    command = ["ffprobe", *options.split(), str(resized / "master.m3u8")]
    probed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert probed.stderr == ""
    sizes = [line.strip(",") for line in probed.stdout.split()]
    assert [size for n, size in enumerate(sizes) if n == 0 or sizes[n - 1] != size] == [
        "160,90",
        "320,180",
        "640,360",
        "160,90",
        "480,270",
    ]


def test_a_list_names_one_initialisation_segment_through_all_sizes(resized: Path) -> None:
    for playlist in ("lead-camera.m3u8", "tracks/a-camera/index.m3u8"):
        assert (resized / playlist).read_text().count("#EXT-X-MAP") == 1
