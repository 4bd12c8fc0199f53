"""FFmpeg's own HLS reader, which is ffprobe's, ffplay's and PyAV's, takes what is recorded without a word."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.recorder.source import picture
from tests.recorder.test_rules import Lesson, on_air, teacher, without


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
