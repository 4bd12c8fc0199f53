"""A recorded track decoded: which picture stands at a moment. Moments are asked for in order; leaps ahead are cheap."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from recorder.manifest import TrackEntry
from recorder.rendering.samples import Samples

DECODERS = {"H264": "h264", "VP8": "vp8", "VP9": "vp9", "AV1": "libdav1d"}
# Of one picture: 5K screens have 14.7 million. A few bytes can claim far more, and a decoder keeps sixteen of them.
MAX_PIXELS = 4096 * 4096
_LEAP_S = 1  # from the picture at hand to the beginning of a part, beyond which we go on there


class Pictures:
    def __init__(self, folder: Path, entry: TrackEntry) -> None:
        """The pictures of a track of the lesson in `folder`. Raises OSError when its journal cannot be read."""
        self._samples = Samples(folder, entry)
        self._rate = entry.timescale
        self._codec = entry.codec
        self._frames: Iterator[tuple[int, VideoFrame]] | None = None
        self._shown: VideoFrame | None = None
        self._next: tuple[int, VideoFrame] | None = None

    def at(self, at_ms: int) -> VideoFrame | None:
        """The picture that stands at this moment of the lesson; None before the first. Raises OSError."""
        ticks = at_ms * self._rate // 1000
        if self._frames is None:
            self._begin(self._samples.number_at(ticks))
        elif self._next is not None and self._next[0] < ticks - _LEAP_S * self._rate:
            number = self._samples.number_at(ticks)
            if self._samples.parts[number].start > self._next[0] + _LEAP_S * self._rate:
                self._begin(number)
        assert self._frames is not None
        while self._next is not None and self._next[0] <= ticks:
            self._shown = self._next[1]
            self._next = next(self._frames, None)
        return self._shown

    def __iter__(self) -> Iterator[tuple[int, VideoFrame]]:
        """All pictures with their times in ticks. Raises OSError."""
        return self._decoded(0)

    def _begin(self, number: int) -> None:
        self._frames = self._decoded(number)
        self._next = next(self._frames, None)

    def _decoded(self, number: int) -> Iterator[tuple[int, VideoFrame]]:
        decoder: VideoCodecContext | None = None
        init = ""
        for sample in self._samples.since(number):
            if decoder is None or sample.init != init:
                if decoder is not None:
                    yield from _decode(decoder, None)
                init = sample.init
                decoder = opened(self._codec, self._samples.extradata(init) if init else b"")
            packet: av.Packet[typing.Any] = av.Packet(sample.data)
            packet.pts = packet.dts = sample.start
            packet.time_base = Fraction(1, self._rate)
            yield from _decode(decoder, packet)
        if decoder is not None:
            yield from _decode(decoder, None)


def opened(codec: str, extradata: bytes = b"") -> VideoCodecContext:
    """A decoder of a track's codec, by one thread: one core for a rendering, whatever else the machine has."""
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.options = {"max_pixels": str(MAX_PIXELS)}
    decoder.thread_count = 1
    if extradata:
        decoder.extradata = extradata
    return decoder


def _decode(decoder: VideoCodecContext, packet: av.Packet[typing.Any] | None) -> Iterator[tuple[int, VideoFrame]]:
    try:
        frames = decoder.decode(packet)
    except FFmpegError:
        return  # the picture before it stands on
    for frame in frames:
        if frame.pts is not None:
            yield frame.pts, frame
