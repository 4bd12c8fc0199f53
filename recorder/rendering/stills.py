"""Single pictures of a recorded track, at the cost of one decoded frame each, and pictures as JPEG.

For pictures that only have to be near a moment: the key frame with which the part that stands there begins. Which parts
there are says the journal, so nothing is read or decoded on the way.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from recorder.manifest import Manifest, TrackEntry
from recorder.rendering.pictures import DECODERS, opened
from recorder.rendering.samples import Samples

JPEG_FORMAT = "yuvj420p"  # 4:2:0 with the whole range of values, as JPEG has it


class Stills:
    """The pictures with which the parts of a track begin."""

    def __init__(self, folder: Path, entry: TrackEntry) -> None:
        """Of a track of the lesson in `folder`. Raises OSError when its journal cannot be read."""
        self.entry = entry
        self._samples = Samples(folder, entry)

    def part_at(self, at_ms: int) -> int | None:
        """The number of the part whose first picture stands for this moment; None where there is no picture."""
        ticks = at_ms * self.entry.timescale // 1000
        parts = self._samples.parts
        number = self._samples.number_at(ticks)
        if not parts or ticks < parts[number].start:
            return None
        following = next((part for part in parts[number:] if part.start <= ticks < part.end), None)
        return None if following is None else number

    def part_within(self, from_ms: int, to_ms: int) -> int | None:
        """The first part with a picture of its own that begins between these moments."""
        rate = self.entry.timescale
        found = (
            number
            for number, part in enumerate(self._samples.parts)
            if part.key and from_ms * rate <= part.start * 1000 < to_ms * rate
        )
        return next(found, None)

    def picture(self, number: int) -> VideoFrame | None:
        """The first picture of a part; None if it cannot be decoded. Raises OSError."""
        sample = next(iter(self._samples.since(number)), None)
        if sample is None or not sample.key:
            return None
        decoder = opened(self.entry.codec, self._samples.extradata(sample.init) if sample.init else b"")
        packet: av.Packet[typing.Any] = av.Packet(sample.data)
        packet.pts, packet.time_base = sample.start, Fraction(1, self.entry.timescale)
        try:
            frames = [*decoder.decode(packet), *decoder.decode(None)]
        except FFmpegError:
            return None
        return frames[0] if frames else None


def shown(manifest: Manifest) -> Iterator[TrackEntry]:
    """The tracks with pictures we can decode."""
    return (
        track for track in manifest.tracks if track.kind == "video" and track.duration_ms and track.codec in DECODERS
    )


def fitting(frame: VideoFrame, width: int, height: int) -> tuple[int, int]:
    """How large a picture is that fits into this, as large as it can be and not larger than it was; even numbers."""
    scale = min(Fraction(width, frame.width), Fraction(height, frame.height), Fraction(1))
    return max(2, int(frame.width * scale) // 2 * 2), max(2, int(frame.height * scale) // 2 * 2)


def jpeg(frame: VideoFrame, quality: int) -> bytes:
    """A picture of JPEG_FORMAT as a JPEG file; `quality` is the quantiser's scale, 2 (best) to 31."""
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, JPEG_FORMAT
    encoder.time_base = Fraction(1, 1)
    encoder.options = {"qmin": str(quality), "qmax": str(quality)}
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))
