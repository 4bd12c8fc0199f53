"""recorder/rendering/audio.py and sound.py: all microphones as one sound."""

from pathlib import Path

import av
import pytest

from recorder.rendering.audio import render
from recorder.rendering.progress import NothingToRenderError, ignored
from tests.recorder.source import Sample, picture, sound
from tests.recorder.watch import decode_file, risings
from tests.support.archived import Piece, Recorded, archived


def test_the_sound_begins_with_the_first_microphone_and_ends_with_the_last(tmp_path: Path) -> None:
    folder = archived(
        tmp_path / "lesson",
        [
            Recorded("c-1", "H264", [Piece(0, picture("H264", 4))]),
            Recorded("m-1", "opus", [Piece(5007, sound(3))], "microphone"),
            Recorded("m-2", "opus", [Piece(9500, sound(2))], "microphone", "class", lead=False),
        ],
    )
    out = tmp_path / "lesson.m4a"
    render(folder, out, ignored)
    with av.open(str(out)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["aac"]
        assert container.streams.audio[0].channels == 1
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(6.493, abs=0.03)
    assert risings(decode_file(out, 0), 0.01) == pytest.approx([1, 2, 4.493, 5.493], abs=0.025)


def test_a_long_silence_costs_no_decoding_and_keeps_its_length(tmp_path: Path) -> None:
    folder = archived(
        tmp_path / "lesson", [Recorded("m-1", "opus", [Piece(0, sound(2)), Piece(120_000, sound(2))], "microphone")]
    )
    out = tmp_path / "lesson.m4a"
    render(folder, out, ignored)
    assert risings(decode_file(out, 0), 0.01) == pytest.approx([1, 120, 121], abs=0.025)


def test_sound_that_was_sent_in_two_channels_stays_so(tmp_path: Path) -> None:
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = 48_000, "stereo", "s16", 96_000
    packets = []
    for number in range(100):
        frame = av.AudioFrame("s16", "stereo", 960)
        wave = [(2000 if at // 50 % 2 else -2000) for at in range(960)]
        frame.planes[0].update(b"".join(value.to_bytes(2, "little", signed=True) + bytes(2) for value in wave))
        frame.sample_rate, frame.pts = 48_000, number * 960
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    samples = [Sample(number * 20_000, packet, True) for number, packet in enumerate(packets)]
    folder = archived(tmp_path / "lesson", [Recorded("m-1", "opus", [Piece(0, samples)], "microphone")])
    out = tmp_path / "lesson.m4a"
    render(folder, out, ignored)
    with av.open(str(out)) as container:
        frames = list(container.decode(audio=0))[10:-10]
    left, right = (max(max(memoryview(bytes(f.planes[side])).cast("f")) for f in frames) for side in (0, 1))
    assert left > 0.03
    assert right < left / 10


def test_a_lesson_without_a_microphone_has_no_sound(tmp_path: Path) -> None:
    folder = archived(tmp_path / "lesson", [Recorded("c-1", "H264", [Piece(0, picture("H264", 4))])])
    with pytest.raises(NothingToRenderError):
        render(folder, tmp_path / "lesson.m4a", ignored)
    assert [path.name for path in tmp_path.iterdir()] == ["lesson"]
