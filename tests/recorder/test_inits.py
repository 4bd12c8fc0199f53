"""Which initialisation segment a list names for those that follow."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from recorder.boxes import box, full_box, init_segment, video_entry
from recorder.formats import OPUS
from recorder.inits import Inits


def h264(width: int, height: int, entry: bytes = b"avc3", profile: int = 66) -> bytes:
    record = bytes((1, profile, 0xC0, height // 10))
    return init_segment(video_entry(entry, width, height, box(b"avcC", record)), 90_000, width, height)


def vp9(width: int, height: int, depth: int = 8) -> bytes:
    record = struct.pack("!BBBBBH", 0, height // 10, depth << 4, 2, 2, 2)
    return init_segment(video_entry(b"vp09", width, height, full_box(b"vpcC", 1, 0, record)), 90_000, width, height)


def av1(width: int, height: int, shape: int = 0x0C) -> bytes:
    record = bytes((0x81, height // 100, shape, 0, 0x0A, 1, height // 10))
    return init_segment(video_entry(b"av01", width, height, box(b"av1C", record)), 90_000, width, height)


def named(folder: Path, *segments: bytes) -> list[str]:
    for number, data in enumerate(segments):
        (folder / f"init-{number}.mp4").write_bytes(data)
    inits = Inits(folder)
    return [inits.named_for(f"init-{number}.mp4", "").init for number in range(len(segments))]


@pytest.mark.parametrize("make", [h264, vp9, av1])
def test_pictures_of_another_size_need_no_other(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    sizes = [(320, 180), (1280, 720), (640, 360)]
    assert named(tmp_path, *(make(*size) for size in sizes)) == ["init-0.mp4"] * 3


def test_where_parameter_sets_stand_nowhere_else_each_is_needed(tmp_path: Path) -> None:
    first, other = h264(320, 180, b"avc1"), h264(640, 360, b"avc1")
    assert named(tmp_path, first, other, first) == ["init-0.mp4", "init-1.mp4", "init-0.mp4"]


def test_a_lesson_that_went_on_with_sets_in_the_stream_says_so_as_of_another_codec(tmp_path: Path) -> None:
    named(tmp_path, h264(320, 180, b"avc1"), h264(320, 180))
    inits = Inits(tmp_path)
    assert [inits.named_for(f"init-{number}.mp4", "").codec for number in range(2)] == ["avc1", "avc3"]


def test_what_key_frames_do_not_say_needs_another(tmp_path: Path) -> None:
    segments = [h264(320, 180), h264(320, 180, profile=100), vp9(320, 180), vp9(320, 180, 10), av1(320, 180)]
    segments += [av1(320, 180, 0x4C), init_segment(OPUS.entry, 48_000)]
    assert len(set(named(tmp_path, *segments))) == len(segments)


def test_one_that_is_lost_or_is_none_stands_for_itself_only(tmp_path: Path) -> None:
    assert named(tmp_path, b"torn", b"torn too") == ["init-0.mp4", "init-1.mp4"]
    assert Inits(tmp_path).named_for("init-9.mp4", "H264") == ("init-9.mp4", "H264")
