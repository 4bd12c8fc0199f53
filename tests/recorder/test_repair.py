from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorder import boxes, webm
from recorder.formats import Format
from recorder.manifest import Manifest, TrackEntry, write_manifest
from recorder.parts import Part, read_parts
from recorder.repair import repair
from recorder.repair_track import cut_torn_line
from recorder.segments import SegmentWriter
from recorder.webm_file import WebmWriter

MEDIA = b"\x55" * 50
FORMAT = Format("avc1.42e01f", boxes.video_entry(b"avc1", 320, 180, boxes.box(b"avcC", bytes(7))), 320, 180)


def entry(codec: str) -> TrackEntry:
    return TrackEntry("t", "t", "p", "video", "camera", True, codec, 90_000, "tracks/t/index.m3u8")


@pytest.fixture(scope="module")
def unfinished() -> bytes:
    data = [boxes.fragment(n, n * 90_000, [3000] * 30, [7] * 30, [boxes.KEY_FLAGS] * 30, bytes(210)) for n in range(4)]
    return b"".join(data)


@given(cut=st.integers(0, 2600))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_segment_torn_anywhere_keeps_its_whole_fragments(unfinished: bytes, cut: int) -> None:
    spans = list(boxes.fragments(unfinished[:cut]))
    size = len(unfinished) // 4
    assert len(spans) == min(4, cut // size)
    assert [span.start for span in spans] == [n * 90_000 for n in range(len(spans))]
    assert all(span.duration == 90_000 for span in spans)


@given(st.binary(max_size=400))
def test_no_bytes_of_a_segment_or_webm_file_raise(data: bytes) -> None:
    list(boxes.fragments(data))
    list(webm.clusters(data, 0))


def test_an_open_segment_enters_the_journal_cut_to_what_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "tracks/t"
    folder.mkdir(parents=True)
    write_manifest(tmp_path, Manifest("lesson", 0, "", tracks=[entry("H264")]))
    writer = SegmentWriter(folder, 90_000, [], lambda part: None)
    writer.set_format(FORMAT)
    for number in range(200):
        writer.add(number * 3000, 3000, MEDIA, number % 60 == 0)
    with (folder / "seg-00001.m4s").open("ab") as file:
        file.write(b"\0\0\1\0moof torn")
    with (folder / "parts.jsonl").open("a") as file:
        file.write('{"start": 12')
    (folder / "index.m3u8.new").write_text("half")
    repair(tmp_path)
    head, part = read_parts(folder)
    assert (head.file, part.init) == ("init-1.mp4", "init-1.mp4")
    assert (part.start, part.duration, part.key) == (0, 195 * 3000, True)
    assert (folder / "seg-00001.m4s").stat().st_size == part.size
    assert not (folder / "index.m3u8.new").exists()
    repair(tmp_path)
    assert read_parts(folder) == [head, part]


def test_a_webm_file_without_its_beginning_is_begun_anew(tmp_path: Path) -> None:
    folder = tmp_path / "tracks/t"
    folder.mkdir(parents=True)
    write_manifest(tmp_path, Manifest("lesson", 0, "", tracks=[entry("VP8")]))
    (folder / "video.webm").write_bytes(b"\x1a\x45")
    repair(tmp_path)
    assert not (folder / "video.webm").exists()


def test_a_webm_file_that_was_finished_before_the_crash_goes_on_after_its_last_cluster(tmp_path: Path) -> None:
    folder = tmp_path / "tracks/t"
    folder.mkdir(parents=True)
    write_manifest(tmp_path, Manifest("lesson", 0, "", tracks=[entry("VP8")]))
    parts: list[Part] = []
    writer = WebmWriter(folder, 90_000, parts, lambda part: None)
    writer.set_format(Format("vp8", b"", 320, 180))
    for number in range(90):
        writer.add(900_000 + number * 3000, 3000, MEDIA, number % 30 == 0)
    writer.finish()
    finished = (folder / "video.webm").read_bytes()
    repair(tmp_path)
    repaired = (folder / "video.webm").read_bytes()
    assert len(repaired) < len(finished)
    assert repaired.startswith(webm.header(320, 180))
    assert sum(span.size for span in webm.clusters(repaired, len(webm.header(320, 180)))) == len(repaired) - len(
        webm.header(320, 180)
    )
    assert read_parts(folder)[-1].end == 900_000 + 90 * 3000


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("torn", ""),
        ("whole\n", "whole\n"),
        ("whole\ntorn", "whole\n"),
        ("a\n" * 40_000 + "b", "a\n" * 40_000),
    ],
)
def test_a_torn_line_is_cut(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "log"
    path.write_text(before)
    cut_torn_line(path)
    assert path.read_text() == after
