"""A picture as WebP, and the same picture smaller. The encoder is the one that comes with PyAV."""

from __future__ import annotations

from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

SMALL_WIDTH = 320  # pixels

PAGE = {"quality": "85", "preset": "text"}  # below 80 the edges of small letters begin to smear
SMALL = {"quality": "70", "preset": "text"}
EXACT = {"lossless": "1", "quality": "50"}  # here the quality is the effort, and more of it gains nothing


def of_page(frame: VideoFrame) -> bytes:
    """As small as may be without letters that smear: of letters and plain shapes an exact picture is the smaller one
    (48 kB instead of 64), of photos it is not. Raises FFmpegError."""
    return min(encoded(frame, PAGE), encoded(frame, EXACT), key=len)


def encoded(frame: VideoFrame, options: dict[str, str]) -> bytes:
    """Raises FFmpegError."""
    encoder = av.CodecContext.create("libwebp", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "bgra"
    encoder.time_base = Fraction(1, 1)
    encoder.options = options
    ready = frame.reformat(format="bgra")
    ready.pts, ready.time_base = 0, Fraction(1, 1)
    return b"".join(bytes(packet) for packet in (*encoder.encode(ready), *encoder.encode(None)))


def narrowed(frame: VideoFrame, width: int) -> VideoFrame:
    """At most so wide, of the same shape."""
    if frame.width <= width:
        return frame
    return frame.reformat(width, max(1, round(frame.height * width / frame.width)), interpolation="AREA")
