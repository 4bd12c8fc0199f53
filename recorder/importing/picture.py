"""The picture of a film as a track: H.264 as it is where our segments can hold it, else encoded anew."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
import av.filter
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from recorder.playlists import TARGET_S
from recorder.rendering.annexb import to_sample
from recorder.rendering.pictures import MAX_PIXELS
from recorder.segments import SegmentWriter

RATE = 90_000  # ticks per second of every video track
LONGEST_S = 10  # between key frames, for a picture that is taken as it is: seeking begins at one
USUAL = RATE // 25  # ticks, for a last picture that says no duration
# No B-frames, which our segments do not have.
_ENCODER = {"preset": "veryfast", "crf": "22", "bf": "0", "sc_threshold": "0", "forced-idr": "1"}
_TURNS = {90: ("transpose", "cclock"), -90: ("transpose", "clock"), 180: ("hflip", None)}

Packet: typing.TypeAlias = "av.Packet[typing.Any]"
Told = Callable[[float], None]  # seconds of the film that are done


def can_be_copied(container: InputContainer, stream: VideoStream) -> bool:
    """Whether browsers play it and our segments hold it: H.264, 8 bits, 4:2:0, upright, in order, key frames enough.

    Reads the packets of the whole film and decodes the first picture. Raises OSError.
    """
    if stream.codec_context.name != "h264" or stream.codec_context.pix_fmt not in ("yuv420p", "yuvj420p"):
        return False
    try:
        first = next(container.decode(stream), None)
    except av.FFmpegError:
        return False
    if first is None or first.rotation or first.interlaced_frame:
        return False
    container.seek(0)
    last = last_key = None
    for packet in container.demux(stream):
        if packet.pts is None or packet.time_base is None:
            if packet.size:
                return False
            continue
        at = float(packet.pts * packet.time_base)
        if (last is not None and at <= last) or (last_key is None and not packet.is_keyframe):
            return False
        if packet.is_keyframe:
            last_key = at
        if last_key is not None and at - last_key > LONGEST_S:
            return False
        last = at
    return last is not None


def copy(container: InputContainer, stream: VideoStream, zero: float, writer: SegmentWriter, told: Told) -> None:
    """Write the film's packets as they are; second `zero` of the film is the lesson clock's zero. Raises OSError."""
    filtered = BitStreamFilterContext("h264_mp4toannexb", stream)
    held: tuple[int, bytes, bool] | None = None
    usual = USUAL

    def take(packets: list[Packet]) -> None:
        nonlocal held, usual
        for packet in packets:
            if packet.pts is None or packet.time_base is None:
                continue
            format, sample = to_sample(bytes(packet))
            start = round((float(packet.pts * packet.time_base) - zero) * RATE)
            if not sample or start < 0:
                continue
            told(start / RATE)  # before anything is written for the time until then
            if held is not None:
                usual = start - held[0]
                _write(writer, held[0], usual, held[1], held[2])
            if format is not None and format != writer.format:
                writer.set_format(format)
            held = start, sample, packet.is_keyframe

    for packet in container.demux(stream):
        if packet.size:
            take(filtered.filter(packet))
    take(filtered.filter(None))
    if held is not None:
        _write(writer, held[0], usual, held[1], held[2])
    writer.cut()


def encode(container: InputContainer, stream: VideoStream, zero: float, writer: SegmentWriter, told: Told) -> None:
    """Decode the film's picture and encode it anew, upright. Raises OSError."""
    encoder: _Encoder | None = None
    held: tuple[int, VideoFrame] | None = None
    usual = USUAL
    for frame in _upright(_decoded(container, stream)):
        if frame.time is None:
            continue
        start = round((frame.time - zero) * RATE)
        if start < 0 or (held is not None and start <= held[0]):
            continue
        told(start / RATE)
        if held is not None:
            usual = start - held[0]
            encoder = _into(encoder, held, usual, writer)
        held = start, frame
    if held is not None:
        _into(encoder, held, usual, writer).end()


def _write(writer: SegmentWriter, start: int, duration: int, sample: bytes, key: bool) -> None:
    begun = writer.begun
    if begun is not None:
        # EXTINF, rounded, must not exceed the target duration.
        full = (start + duration - begun) * 100 > (TARGET_S * 100 + 49) * RATE
        if full or (key and 2 * (start - begun) >= TARGET_S * RATE):
            writer.cut()
    longest = TARGET_S * RATE
    writer.add(start, min(duration, longest), sample, key)
    if duration > longest:  # a picture that stands, as of slides
        writer.cut()
        writer.gap(start + longest, start + duration, longest)


def _into(encoder: _Encoder | None, held: tuple[int, VideoFrame], duration: int, writer: SegmentWriter) -> _Encoder:
    start, frame = held
    if encoder is None or encoder.size != (frame.width, frame.height):
        if encoder is not None:
            encoder.end()
        encoder = _Encoder(frame.width, frame.height, writer)
    encoder.add(start, duration, frame)
    return encoder


class _Encoder:
    """Pictures of one size into segments that begin with a key frame."""

    def __init__(self, width: int, height: int, writer: SegmentWriter) -> None:
        self.size = width, height
        self._writer = writer
        self._even = width + width % 2, height + height % 2  # half as many colours must be whole
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height = self._even
        context.pix_fmt, context.options = "yuv420p", _ENCODER
        context.time_base, context.framerate, context.gop_size = Fraction(1, RATE), Fraction(30), 1 << 30
        self._context = context
        self._key: int | None = None  # when the last key frame was asked for
        self._durations: dict[int, int] = {}

    def add(self, start: int, duration: int, picture: VideoFrame) -> None:
        """A picture with its time and duration in ticks. Raises OSError."""
        key = self._key is None or start + duration - self._key > TARGET_S * RATE
        if key:
            self._key = start
        frame = picture.reformat(*self._even, "yuv420p")
        frame.pts, frame.time_base = start, Fraction(1, RATE)
        frame.pict_type = PictureType.I if key else PictureType.NONE
        self._durations[start] = duration
        self._take(self._context.encode(frame))

    def end(self) -> None:
        """Write what the encoder still holds. Raises OSError."""
        self._take(self._context.encode(None))
        self._writer.cut()

    def _take(self, packets: list[Packet]) -> None:
        for packet in packets:
            assert packet.pts is not None
            format, sample = to_sample(bytes(packet))
            if packet.is_keyframe:
                self._writer.cut()
            if format is not None:
                self._writer.set_format(format)
            _write(self._writer, packet.pts, self._durations.pop(packet.pts), sample, packet.is_keyframe)


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """What can be decoded; damaged packets are passed over."""
    stream.thread_type = "AUTO"
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


def _upright(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """The pictures as they were meant to be seen: telephones film on their side and say so."""
    graph: av.filter.Graph | None = None
    for frame in frames:
        if frame.rotation not in _TURNS:
            yield frame
            continue
        if graph is None:
            graph = _turn(frame, frame.rotation)
        graph.push(frame)
        turned = graph.pull()
        assert isinstance(turned, VideoFrame)
        yield turned


def _turn(frame: VideoFrame, rotation: int) -> av.filter.Graph:
    graph = av.filter.Graph()
    assert frame.time_base is not None
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    name, argument = _TURNS[rotation]
    steps = [graph.add(name, argument)] if argument else [graph.add(name), graph.add("vflip")]
    last = source
    for step in [*steps, graph.add("buffersink")]:
        last.link_to(step)
        last = step
    graph.configure()
    return graph
