"""Pictures a test can tell apart: of one brightness, or with something to see in them."""

from __future__ import annotations

import typing
from fractions import Fraction
from pathlib import Path

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from tests.recorder.source import FRAME_RATE, Sample

KEY_EVERY_S = 2


def drawn(brightness: int, seconds: int, width: int = 320, height: int = 180, detail: int = 0) -> list[Sample]:
    """H.264 of one brightness (16 … 235); with `detail`, of a chequerboard so much darker and brighter than it."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FRAME_RATE), Fraction(FRAME_RATE)
    encoder.gop_size = KEY_EVERY_S * FRAME_RATE
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
    frame = VideoFrame(width, height, "yuv420p")
    for number, plane in enumerate(frame.planes):
        if number:
            plane.update(bytes([128]) * plane.buffer_size)
            continue
        rows = [
            bytes(brightness + (detail if (x // 20 + y // 20) % 2 else -detail) for x in range(plane.line_size))
            for y in range(min(40, height))
        ]
        plane.update(b"".join(rows[y % len(rows)] for y in range(height)).ljust(plane.buffer_size, b"\0"))
    packets = []
    for number in range(seconds * FRAME_RATE):
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [_sample(packet) for packet in packets]


def _sample(packet: av.Packet[typing.Any]) -> Sample:
    assert packet.pts is not None
    return Sample(packet.pts * 1_000_000 // FRAME_RATE, bytes(packet), packet.is_keyframe)


class Picture:
    """A JPEG file, read back."""

    def __init__(self, path: Path) -> None:
        with av.open(str(path)) as file:
            frame = next(file.decode(video=0))
        assert isinstance(frame, VideoFrame)
        self.width, self.height = frame.width, frame.height
        plane = frame.reformat(format="yuvj420p").planes[0]
        self._data, self._stride = bytes(plane), plane.line_size

    def brightness(self, x: int, y: int) -> int:
        """At one place, as a video's 16 … 235."""
        return round(16 + self._data[y * self._stride + x] * 219 / 255)
