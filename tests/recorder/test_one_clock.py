"""Ninety minutes in virtual time: what was at one moment stands at one moment of the archive, whatever the clocks."""

from __future__ import annotations

import io
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import pytest

from media.recording_link import Report
from recorder.clock import SenderClock, TrackClock
from recorder.depayload import for_codec
from recorder.manifest import TrackEntry
from recorder.segments import SegmentWriter
from recorder.track import AudioTrack, Track, VideoTrack
from tests.recorder.source import payloads, picture

SECOND = 1_000_000
MINUTES = 90
IN_STEP = 0.040  # seconds between any two tracks
SETTLED = 30.0  # seconds until sender reports have spoken


@dataclass(frozen=True)
class Device:
    """A camera, a microphone or a screen, and its way to us."""

    kind: str
    every_s: float  # a packet, by its sample clock
    parts_per_million: float  # that its sample clock runs fast by
    report_every_s: int
    delay_s: float  # of the line, at best
    jitter_s: float  # on average, on top


CAMERA = Device("video", 0.2, 200, 1, 0.150, 0.020)
SCREEN = Device("video", 1.0, 0, 1, 0.030, 0.010)
MICROPHONE = Device("audio", 0.06, -200, 5, 0.040, 0.010)


@dataclass
class Sent:
    """One track being recorded, and when what it holds was captured."""

    device: Device
    folder: Path
    clock: TrackClock
    fast: float  # how much the sender's wall clock gains, per second
    dice: random.Random
    captured: list[float] = field(default_factory=list)  # seconds
    number: int = 0
    arrived_us: int = 0

    def __post_init__(self) -> None:
        codec, self.rate = ("opus", 48_000) if self.device.kind == "audio" else ("H264", 90_000)
        self.folder.mkdir()
        self.writer = SegmentWriter(self.folder, self.rate, [], lambda part: None)
        entry = TrackEntry("t", "t", "p", self.device.kind, "", False, codec, self.rate, "index.m3u8")
        self.track: Track
        if codec == "opus":
            self.track = AudioTrack(entry, self.writer, self.clock, 6, self.folder / "levels.bin")
        else:
            self.track = VideoTrack(entry, self.writer, self.clock, 6, for_codec("H264", ""), lambda: None)
            self.frames = [payloads("H264", sample) for sample in picture("H264", 2)]

    def timestamp(self, at_s: float) -> int:
        return round(at_s * self.rate * (1 + self.device.parts_per_million / 1e6)) & 0xFFFFFFFF

    @property
    def next_s(self) -> float:
        """When the next packet is captured."""
        return self.number * self.device.every_s / (1 + self.device.parts_per_million / 1e6)

    def send(self) -> None:
        at_s = self.next_s
        late = self.device.delay_s + self.dice.expovariate(1 / self.device.jitter_s)
        late += 0.5 * (self.dice.random() < 0.001)
        self.arrived_us = max(self.arrived_us, round((at_s + late) * SECOND))
        self.captured.append(at_s)
        if self.device.kind == "audio":  # three frames of 20 ms; what they hold no recorder looks at
            made = [b"\x0b\x03" + self.number.to_bytes(4, "big")]
        else:
            made = self.frames[self.number % len(self.frames)]
        for index, payload in enumerate(made):
            marker = index == len(made) - 1
            # Somebody speaks for ten seconds, and for ten not.
            level = 0x80 | 30 if at_s % 20 < 10 else 70
            self.track.receive(self.arrived_us, self._sequence(), self.timestamp(at_s), 7, marker, payload, level)
        if self.number % round(self.device.report_every_s / self.device.every_s) == 0:
            wall = at_s * (1 + self.fast) + 3600
            ntp = 2_208_988_800 + int(wall) << 32 | int(wall % 1 * 2**32)
            self.track.report(Report(self.arrived_us, ntp, self.timestamp(at_s), 0))
        self.number += 1

    _count = 0

    def _sequence(self) -> int:
        self._count += 1
        return self._count & 0xFFFF

    def placed(self) -> Iterator[tuple[float, float]]:
        """When each sample was captured, and where it stands, in seconds."""
        files = [self.folder / "init-1.mp4", *sorted(self.folder.glob("seg-*"))]
        with av.open(io.BytesIO(b"".join(file.read_bytes() for file in files)), "r") as container:
            samples = [packet for packet in container.demux() if packet.size]
        for number, packet in enumerate(samples):
            assert packet.pts is not None
            if self.device.kind == "audio":
                data = bytes(packet)
                if data[:2] != b"\x0b\x03":
                    continue  # silence, which the recorder has put in
                number = int.from_bytes(data[2:], "big")
            yield self.captured[number], packet.pts / self.rate


@pytest.mark.parametrize("fast", [-200e-6, 200e-6])
def test_camera_microphone_and_screen_stay_in_step_for_ninety_minutes(tmp_path: Path, fast: float) -> None:
    sender = SenderClock()
    sent = [
        Sent(device, tmp_path / str(at), TrackClock(rate, 0, sender), fast, random.Random(at))
        for at, (device, rate) in enumerate(((CAMERA, 90_000), (SCREEN, 90_000), (MICROPHONE, 48_000)))
    ]
    for second in range(MINUTES * 60):
        for each in sent:
            while each.next_s < second + 1:
                each.send()
    errors: dict[int, list[list[float]]] = {}
    for at, each in enumerate(sent):
        each.track.end()
        for captured, placed in each.placed():
            errors.setdefault(int(captured), [[], [], []])[at].append(placed - captured)
    settled = [all_three for second, all_three in sorted(errors.items()) if second > SETTLED]
    assert len(settled) > MINUTES * 60 - SETTLED - 5
    for all_three in settled:
        for one, other in itertools.combinations(all_three, 2):
            apart = max(max(one) - min(other), max(other) - min(one))
            assert apart < IN_STEP
    # And with us: what is under way at best is all that is left of the delays, and how far clocks part in a minute.
    assert all(0.0 < error < 0.06 for all_three in settled for one in all_three for error in one)
