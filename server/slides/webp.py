"""A picture as WebP, and the same picture smaller. The encoder is the one that comes with PyAV."""

from __future__ import annotations

from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

PAGE_QUALITY = "85"  # below 80 the edges of small letters begin to smear
SMALL_QUALITY = "70"
SMALL_WIDTH = 320  # pixels


def encoded(frame: VideoFrame, quality: str) -> bytes:
    """Raises FFmpegError."""
    encoder = av.CodecContext.create("libwebp", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "bgra"
    encoder.time_base = Fraction(1, 1)
    encoder.options = {"quality": quality, "preset": "text", "compression_level": "4"}
    ready = frame.reformat(format="bgra")
    ready.pts, ready.time_base = 0, Fraction(1, 1)
    return b"".join(bytes(packet) for packet in (*encoder.encode(ready), *encoder.encode(None)))


def narrowed(frame: VideoFrame, width: int) -> VideoFrame:
    """At most so wide, of the same shape."""
    if frame.width <= width:
        return frame
    return frame.reformat(width, max(1, round(frame.height * width / frame.width)), interpolation="AREA")
