"""tests/support/beat.py: what it reads from files is what was put there."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from recorder.clock import SenderClock, TrackClock
from recorder.manifest import TrackEntry
from recorder.parts import Part
from recorder.playlists import MediaPlaylist
from recorder.segments import SegmentWriter
from recorder.track import AudioTrack
from tests.recorder.source import sound
from tests.support import beat, timecode


def test_beeps_are_found_where_they_begin(tmp_path: Path) -> None:
    """The test's own sound is on in the first half of each second; it is recorded as if it began at 0.3 s."""
    parts: list[Part] = []
    writer = SegmentWriter(tmp_path, 48_000, parts, lambda part: None)
    entry = TrackEntry("t", "t", "p", "audio", "microphone", True, "opus", 48_000, "index.m3u8")
    track = AudioTrack(entry, writer, TrackClock(48_000, 0, SenderClock()), 6, tmp_path / "levels.bin")
    for number, sample in enumerate(sound(8)):
        track.receive(300_000 + sample.at_us, number, number * 960, 7, False, sample.data, 30)
    track.end()
    playlist = MediaPlaylist(0)
    for part in parts:
        playlist.add(part, 48_000, "opus")
    (tmp_path / "index.m3u8").write_text(playlist.whole(True))
    found = list(beat.beeps(tmp_path / "index.m3u8"))
    assert [math.floor(at) for at in found] == list(range(1, 8))
    assert all(at % 1 == pytest.approx(0.31, abs=0.02) for at in found)


def test_a_time_in_a_picture_is_read_and_a_damaged_one_is_not() -> None:
    time, size = 1_795_472_146_507, (64, 48)
    bits = [time >> place & 1 for place in range(42)]
    bits += [sum(bits[index::6]) % 2 for index in range(6)]
    luma = bytearray()
    for row in range(48):
        luma += bytes(235 if bits[row // 8 * 8 + column // 8] else 16 for column in range(64)) + bytes(8)
    assert timecode.shown(bytes(luma), 72, *size) == time
    luma[4 * 72 + 4] ^= 0xFF
    assert timecode.shown(bytes(luma), 72, *size) is None


@pytest.mark.parametrize(("instant", "late"), [(7.02, 0.02), (6.98, -0.02), (1_795_472_146.0, 0.0)])
def test_a_beep_belongs_to_the_nearest_second(instant: float, late: float) -> None:
    assert beat.since_the_second(instant) == pytest.approx(late)
