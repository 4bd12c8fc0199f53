import io
from dataclasses import dataclass, field
from pathlib import Path

import av
import pytest

from media.recording_link import Report
from recorder import opus
from recorder.clock import SenderClock, TrackClock
from recorder.depayload import for_codec
from recorder.manifest import TrackEntry
from recorder.parts import gaps, timed
from recorder.segments import SegmentWriter
from recorder.track import AudioTrack, VideoTrack
from tests.recorder.source import payloads, picture, sound

SECOND = 1_000_000


@dataclass
class Bench:
    """A track with a real writer, under virtual time."""

    folder: Path
    kind: str
    asked: list[int] = field(default_factory=list)
    sequence: int = 0
    now_us: int = 0

    def __post_init__(self) -> None:
        codec, rate = ("opus", 48_000) if self.kind == "audio" else ("H264", 90_000)
        entry = TrackEntry("t", "t", "p", self.kind, "screen", False, codec, rate, "index.m3u8")
        self.writer = SegmentWriter(self.folder, rate, [], lambda part: None)
        clock = TrackClock(rate, 0, SenderClock())
        self.audio = AudioTrack(entry, self.writer, clock, 6, self.folder / "levels.bin")
        if self.kind == "video":
            depayloader = for_codec("H264", "")
            self.writer = SegmentWriter(self.folder, rate, [], lambda part: None)
            self.video = VideoTrack(entry, self.writer, clock, 6, depayloader, lambda: self.asked.append(self.now_us))
        self.rate = rate

    def send(self, payload: bytes, at_s: float, marker: bool = True) -> None:
        self.now_us = round(at_s * SECOND)
        track = self.video if self.kind == "video" else self.audio
        track.receive(self.now_us, self.sequence & 0xFFFF, round(at_s * self.rate), 7, marker, payload, 127)
        self.sequence += 1

    def show(self, number: int, at_s: float) -> None:
        made = payloads("H264", picture("H264", 4, key_every_s=60)[number])
        for index, payload in enumerate(made):
            self.send(payload, at_s, index == len(made) - 1)

    def lengths(self) -> list[float]:
        return [part.duration / self.rate for part in self.writer.parts if part.media]


def test_without_key_frames_parts_still_end_in_time_and_key_frames_are_asked_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "video")
    for number in range(60 * 20):
        bench.show(0 if not number else 1 + number % 30, number / 20)
    bench.video.end()
    assert sum(bench.lengths()) == pytest.approx(60, abs=0.1)
    assert max(bench.lengths()) <= 6.49
    assert not any(part.gap for part in bench.writer.parts)
    assert bench.asked[0] == pytest.approx(5.2 * SECOND, abs=SECOND / 20)


def test_a_screen_on_which_nothing_moves_has_no_gap(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "video")
    for number in range(12):
        bench.show(number, number * 5.0)
    bench.video.end()
    assert not any(part.gap for part in bench.writer.parts)
    assert sum(bench.lengths()) == pytest.approx(55, abs=0.5)


def test_a_camera_that_sends_nothing_for_a_while_can_be_watched_up_to_there(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "video")
    for number in range(20):
        bench.show(number, number / 20)
    bench.video.tick(1 * SECOND)
    bench.video.tick(14 * SECOND)
    assert sum(bench.lengths()) == pytest.approx(1.0, abs=0.05)


def test_a_microphone_that_sends_nothing_goes_on_in_silence(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "audio")
    for number in range(50):
        bench.send(sound(2)[number].data, number / 50)
    for second in range(2, 41):
        bench.audio.tick(second * SECOND)
    bench.send(sound(2)[60].data, 41.0)
    bench.audio.end()
    assert sum(bench.lengths()) == pytest.approx(41.02, abs=0.001)
    assert not any(part.gap for part in bench.writer.parts)
    assert timed(bench.audio.entry, bench.writer.parts).silenced == [[pytest.approx(1000, abs=1), 41_000]]
    assert len((tmp_path / "levels.bin").read_bytes()) == 41 * 50 + 1


@pytest.mark.parametrize("parts_per_million", [-400, 400])
def test_sound_from_a_clock_that_runs_wrong_stays_within_two_packets(tmp_path: Path, parts_per_million: int) -> None:
    bench = Bench(tmp_path, "audio")
    packet = sound(2)[3].data
    for number in range(300 * 50):
        sent_s = number / 50 * (1 - parts_per_million / 1e6)
        bench.now_us = round(sent_s * SECOND)
        bench.audio.receive(bench.now_us, number & 0xFFFF, number * 960, 7, True, packet, 127)
        if not number % 50:
            ntp = (2_208_988_800 << 32) + round(sent_s * 2**32)
            bench.audio.report(Report(bench.now_us, ntp, number * 960, 0))
    bench.audio.end()
    assert bench.writer.parts[-1].end / opus.RATE == pytest.approx(300 * (1 - parts_per_million / 1e6), abs=0.04)


def test_packets_that_are_no_opus_are_passed_over(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "audio")
    for number, payload in enumerate([b"", b"\xfb", b"\xfb\x3f", sound(2)[0].data]):
        bench.send(payload, number / 50)
    bench.audio.end()
    assert bench.lengths() == [0.02]


def test_sound_that_takes_no_packets_in_silence_stays_gapless_and_its_levels_say_so(tmp_path: Path) -> None:
    """DTX: a packet in 400 ms while nobody speaks; and the padding that Chromium counts among them is no sound."""
    bench = Bench(tmp_path, "audio")
    packet = sound(1)[3].data
    sent = [(number / 50, packet, 30) for number in range(50)]
    sent += [(0.98, b"", 30)]
    sent += [(1.0 + number * 0.4, b"\xf8\xff\xfe", 127) for number in range(10)]
    sent += [(5.0 + number / 50, packet, 40) for number in range(50)]
    for sequence, (at_s, payload, level) in enumerate(sent, 65500):
        bench.now_us = round(at_s * SECOND)
        timestamp = round(at_s * bench.rate)
        bench.audio.receive(bench.now_us, sequence & 0xFFFF, timestamp, 7, False, payload, level)
    bench.audio.end()
    assert sum(bench.lengths()) == pytest.approx(6.0, abs=0.001)
    assert not any(part.gap or part.lost for part in bench.writer.parts)
    assert (tmp_path / "levels.bin").read_bytes() == bytes([30] * 50 + [127] * 200 + [40] * 50)


@pytest.mark.parametrize("parts_per_million", [-200, 200])
def test_a_wrong_sample_clock_is_corrected_where_nobody_speaks(tmp_path: Path, parts_per_million: int) -> None:
    bench = Bench(tmp_path, "audio")
    written: list[tuple[float, bytes]] = []
    add = bench.writer.add

    def keep(start: int, duration: int, data: bytes, key: bool) -> None:
        written.append((start / opus.RATE, data))
        add(start, duration, data, key)

    bench.audio.writer.add = keep  # type: ignore[method-assign]
    for number in range(600 * 50):
        sent_s = number / 50 * (1 - parts_per_million / 1e6)
        bench.now_us = round(sent_s * SECOND)
        level = 0x80 | 30 if sent_s % 10 < 8 else 90
        packet = b"\x48" + number.to_bytes(4, "big")  # 20 ms, and which it is
        bench.audio.receive(bench.now_us, number & 0xFFFF, number * 960, 7, True, packet, level)
        if not number % 50:
            ntp = (2_208_988_800 << 32) + round(sent_s * 2**32)
            bench.audio.report(Report(bench.now_us, ntp, number * 960, 0))
    bench.audio.end()
    kept = {int.from_bytes(data[1:], "big") for _, data in written if data[0] == 0x48}
    left_out = [number / 50 for number in range(600 * 50) if number not in kept]
    silent = [at for at, data in written if data[0] != 0x48]
    moved = left_out if parts_per_million > 0 else silent
    assert len(moved) >= 4
    assert not (silent if parts_per_million > 0 else left_out)
    assert all(at % 10 > 7.9 for at in moved)


def test_a_key_frame_is_asked_for_once_while_a_lost_packet_is_still_waited_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "video")
    for number in range(20):
        bench.show(number, number / 20)
    bench.sequence += 1  # lost
    for number in range(20, 34):
        bench.show(number, number / 20)
    assert bench.asked == [pytest.approx(1.5 * SECOND, abs=SECOND / 10)]
    bench.show(0, 1.7)  # the answer
    for number in range(1, 61):
        bench.show(number, 1.7 + number / 20)
    bench.video.end()
    assert len(bench.asked) == 1
    # The picture before the hole stands until the key frame; nothing is missing that could be shown.
    assert not any(part.gap for part in bench.writer.parts)
    assert sum(bench.lengths()) == pytest.approx(4.75, abs=0.1)


def test_what_comes_within_three_seconds_is_not_lost(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "video")
    bench.show(0, 0.0)
    late = payloads("H264", picture("H264", 4, key_every_s=60)[1])
    sequence = bench.sequence
    bench.sequence += len(late)
    for number in range(2, 58):
        bench.show(number, number / 20)
    after, bench.sequence = bench.sequence, sequence
    for index, payload in enumerate(late):
        bench.video.receive(
            round(2.95 * SECOND), bench.sequence, round(bench.rate / 20), 7, index == len(late) - 1, payload, 127
        )
        bench.sequence += 1
    bench.sequence = after
    bench.video.end()
    frames = [part for part in bench.writer.parts if part.media]
    assert sum(part.duration for part in frames) / bench.rate == pytest.approx(58 / 20, abs=0.1)
    assert count_of_samples(tmp_path) == 58


def count_of_samples(folder: Path) -> int:
    data = b"".join(path.read_bytes() for path in (folder / "init-1.mp4", *sorted(folder.glob("seg-*"))))
    with av.open(io.BytesIO(data), "r") as container:
        return sum(1 for packet in container.demux() if packet.size)


def test_numbers_that_begin_anew_cost_one_packet(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "video")
    bench.sequence = 20_000
    for number in range(20):
        bench.show(number, number / 20)
    bench.sequence = 7
    for number in range(20):
        bench.show(number, 1 + number / 20)
    bench.video.end()
    assert bench.writer.parts[-1].end / bench.rate == pytest.approx(2.0, abs=0.1)
    assert count_of_samples(tmp_path) == 40


def test_another_layer_stands_where_its_own_sender_report_puts_it_from_its_first_picture_on(tmp_path: Path) -> None:
    """The recorder hears of it before its first packet; what came before goes on to be placed by the old one's."""
    bench = Bench(tmp_path, "video")

    def report(ssrc: int, at_s: float, rtp: int) -> None:
        ntp = (2_208_988_800 << 32) + round(at_s * 2**32)
        bench.video.report(Report(round((at_s + 0.1) * SECOND), ntp, rtp & 0xFFFFFFFF, 0, ssrc))

    def show(number: int, at_s: float, ssrc: int, offset: int, delay_s: float) -> None:
        made = payloads("H264", picture("H264", 4, key_every_s=60)[number])
        for index, payload in enumerate(made):
            timestamp = round(at_s * bench.rate) + offset & 0xFFFFFFFF
            arrival = round((at_s + delay_s) * SECOND)
            bench.video.receive(arrival, bench.sequence, timestamp, ssrc, index == len(made) - 1, payload, 127)
            bench.sequence += 1

    for number in range(80):
        show(number % 80, number / 20, 7, 0, 0.1)
        if not number % 20:
            report(7, number / 20, round(number / 20 * bench.rate))
    report(8, 3.5, round(3.5 * bench.rate) + 900_000_000)
    for number in range(40):  # its key frame came late, as large ones do
        show(number, 4 + number / 20, 8, 900_000_000, 0.4 if number < 2 else 0.1)
    bench.video.end()
    data = b"".join(path.read_bytes() for path in (tmp_path / "init-1.mp4", *sorted(tmp_path.glob("seg-*"))))
    with av.open(io.BytesIO(data), "r") as container:
        times = [packet.pts / bench.rate for packet in container.demux() if packet.size and packet.pts is not None]
    assert times == pytest.approx([0.1 + number / 20 for number in range(120)], abs=0.002)


def test_a_camera_that_is_off_for_minutes_leaves_a_gap_of_that_length(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "video")
    for number in range(40):
        bench.show(number, number / 20)
    for second in range(2, 200):
        bench.video.tick(second * SECOND)
    for number in range(40):
        bench.show(number, 200 + number / 20)
    bench.video.end()
    (gap,) = gaps(bench.writer.parts, bench.rate)
    assert [at / bench.rate for at in gap] == pytest.approx([2.0, 200.0], abs=0.1)
    listed = [part.duration for part in bench.writer.parts if part.duration]
    assert sum(listed) / bench.rate == pytest.approx(202, abs=0.1)
    assert max(listed) <= 6.49 * bench.rate
    assert count_of_samples(tmp_path) == 80


def test_a_recording_that_begins_again_with_the_same_stream_goes_on_behind_what_there_is(tmp_path: Path) -> None:
    """The publication was stopped and started, as when recording was paused."""
    bench = Bench(tmp_path, "audio")
    for number in range(50):
        bench.send(sound(2)[number].data, number / 50)
    bench.audio.end()
    for number in range(50):
        bench.send(sound(2)[number].data, 5 + number / 50)
    bench.audio.end()
    assert sum(bench.lengths()) == pytest.approx(6.0, abs=0.001)


@pytest.mark.parametrize("kind", ["audio", "video"])
@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_machine_whose_clock_is_set_in_mid_lesson_records_on(tmp_path: Path, kind: str, step_s: int) -> None:
    """The recorder's clock jumps, and what workers say of arrivals does not."""
    bench = Bench(tmp_path, kind)
    for second in range(40):
        for number in range(20 if kind == "video" else 50):
            if kind == "video":
                bench.show(second * 20 % 40 + number, second + number / 20)
            else:
                bench.send(sound(2)[number].data, second + number / 50)
        track = bench.video if kind == "video" else bench.audio
        track.tick((second + 1 + (step_s if second > 20 else 0)) * SECOND)
    track.end()
    assert sum(bench.lengths()) == pytest.approx(40, abs=0.1)
    assert not any(part.gap for part in bench.writer.parts)
    assert count_of_samples(tmp_path) == 40 * (20 if kind == "video" else 50)
