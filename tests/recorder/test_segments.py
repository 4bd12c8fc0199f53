"""recorder/segments.py: what goes on in the same files after the recorder was started again."""

from pathlib import Path

from recorder import boxes
from recorder.formats import Format
from recorder.parts import Part, read_parts
from recorder.segments import SegmentWriter

RATE = 90_000
FRAME = RATE // 20


def picture_format(width: int, height: int) -> Format:
    return Format("avc1.42e01f", boxes.video_entry(b"avc1", width, height, boxes.box(b"avcC", bytes(7))), width, height)


FORMAT = picture_format(320, 180)


def restarted(folder: Path) -> SegmentWriter:
    """A writer as a recorder makes it that finds the track in its archive."""
    return SegmentWriter(folder, RATE, read_parts(folder), lambda part: None)


def write_second(writer: SegmentWriter, second: int) -> None:
    for number in range(20):
        writer.add(second * RATE + number * FRAME, FRAME, bytes(50), number == 0)
    writer.cut()


def test_a_gap_is_not_taken_for_an_initialisation_segment_after_a_restart(tmp_path: Path) -> None:
    writer = restarted(tmp_path)
    writer.set_format(FORMAT)
    write_second(writer, 0)
    writer.gap(RATE, 3 * RATE, 6 * RATE)
    write_second(writer, 3)
    writer = restarted(tmp_path)
    writer.set_format(FORMAT)
    write_second(writer, 5)
    writer = restarted(tmp_path)
    writer.set_format(picture_format(160, 90))
    write_second(writer, 6)
    parts = [part for part in read_parts(tmp_path) if part.media]
    assert [part.start // RATE for part in parts] == [0, 3, 5, 6]
    assert [part.init for part in parts] == ["init-1.mp4", "init-1.mp4", "init-1.mp4", "init-2.mp4"]
    assert sorted(path.name for path in tmp_path.glob("init-*")) == ["init-1.mp4", "init-2.mp4"]


def test_fragments_are_forgotten_once_their_segment_has_been_told(tmp_path: Path) -> None:
    told: list[Part] = []
    writer = SegmentWriter(tmp_path, RATE, [], told.append)
    writer.watch(lambda part: None)
    writer.set_format(FORMAT)
    write_second(writer, 0)
    assert [len(part.chunks) for part in told if part.media] == [1]
    assert not any(part.chunks for part in writer.parts)


def test_a_number_of_a_segment_is_given_once(tmp_path: Path) -> None:
    for second in range(3):
        writer = restarted(tmp_path)
        writer.set_format(FORMAT)
        write_second(writer, second)
    assert [part.file for part in read_parts(tmp_path) if part.media] == [f"seg-{n:05}.m4s" for n in (1, 2, 3)]
