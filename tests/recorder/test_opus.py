import io

import av
import pytest

from recorder import boxes, opus
from recorder.formats import OPUS


@pytest.mark.parametrize(
    ("packet", "ticks"),
    [
        (b"\xf8\xff\xfe", 960),
        (b"\x08", 960),  # SILK, 20 ms
        (b"\x18", 2880),  # SILK, 60 ms
        (b"\xe0", 120),  # CELT, 2.5 ms
        (b"\xf9", 1920),  # two frames
        (b"\xfb\x06", 5760),  # six
        (b"\xfb\x3f", 0),  # longer than any packet
        (b"\xfb", 0),
        (b"", 0),
    ],
)
def test_a_packet_says_how_long_it_plays(packet: bytes, ticks: int) -> None:
    assert opus.duration(packet) == ticks


@pytest.mark.parametrize("ticks", [0, 119, 120, 1000, 48_000, 48_120])
def test_silence_is_as_long_as_asked_for_but_for_what_the_grid_leaves(ticks: int) -> None:
    packets = opus.silence(ticks)
    assert sum(length for length, _ in packets) == ticks - ticks % opus.GRID
    assert all(opus.duration(packet) == length for length, packet in packets)


def test_silence_is_silent() -> None:
    packets = opus.silence(48_000 + 840)
    durations, media = [length for length, _ in packets], [packet for _, packet in packets]
    data = boxes.init_segment(OPUS.entry, opus.RATE)
    data += boxes.fragment(1, 96_000, durations, [len(packet) for packet in media], (), b"".join(media))
    with av.open(io.BytesIO(data), "r") as container:
        decoded = list(container.decode(audio=0))
    assert sum(frame.samples for frame in decoded) == 48_840
    assert decoded[0].pts == 96_000
    assert not any(any(bytes(plane)) for frame in decoded for plane in frame.planes)
