"""A picture somebody sent, made anew: decoded, turned upright, made smaller, written as a JPEG with nothing but pixels.

What was hidden in the file (place, camera, another file behind it) does not come through.
"""

from __future__ import annotations

from fractions import Fraction

import av
from av.error import FFmpegError
from av.filter import Graph
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from server.phones.picture_file import NoPictureError, PictureFile

MAX_PIXELS = 50_000_000  # of what is sent: the largest phone cameras of today in their usual setting
LONGEST = 2560  # pixels of what is kept: larger than any class's screen shows beside what is written
QUALITY = 4  # the quantiser's scale, 2 (best) to 31
_FORMAT = "yuvj420p"

_TURNS = {  # EXIF orientation -> filters that make it upright
    2: ("hflip",),
    3: ("hflip", "vflip"),
    4: ("vflip",),
    5: ("transpose=cclock_flip",),
    6: ("transpose=clock",),
    7: ("transpose=clock_flip",),
    8: ("transpose=cclock",),
}


class PictureTooLargeError(ValueError):
    """More pixels than we decode."""


def made_anew(data: bytes) -> bytes:
    """The picture as a JPEG. Raises NoPictureError and PictureTooLargeError. Takes a while: not for the event loop."""
    try:
        return _encoded(upright(data, LONGEST, _FORMAT))
    except FFmpegError as error:
        raise NoPictureError("the picture cannot be decoded") from error


def upright(data: bytes, longest: int, pixels: str) -> VideoFrame:
    """The picture decoded, its longer side at most so many pixels, each of this format, and what is clear in it white.

    Raises NoPictureError and PictureTooLargeError.
    """
    file = PictureFile.of(data)
    if file.width * file.height > MAX_PIXELS:
        raise PictureTooLargeError(f"{file.width}x{file.height}")
    try:
        return _upright(_decoded(file, data), file.orientation, longest, pixels)
    except FFmpegError as error:
        raise NoPictureError("the picture cannot be decoded") from error


def _decoded(file: PictureFile, data: bytes) -> VideoFrame:
    decoder = av.CodecContext.create(file.codec, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.options = {"max_pixels": str(MAX_PIXELS)}  # whatever else the file says further on
    decoder.thread_count = 1
    frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    if not frames or not frames[0].width or not frames[0].height:
        raise NoPictureError("no picture in it")
    return frames[0]


def _upright(frame: VideoFrame, orientation: int, longest: int, pixels: str) -> VideoFrame:
    scale = min(Fraction(longest, max(frame.width, frame.height)), Fraction(1))
    width, height = (max(2, int(side * scale) // 2 * 2) for side in (frame.width, frame.height))
    if any(part.is_alpha for part in frame.format.components) or frame.format.has_palette:
        small = _on_white(frame.reformat(width, height, "rgba")).reformat(format=pixels)
    else:
        small = frame.reformat(width, height, pixels)
    turns = _TURNS.get(orientation, ())
    if not turns:
        return small
    graph = Graph()
    nodes = [graph.add_buffer(width=width, height=height, format=small.format, time_base=Fraction(1, 1))]
    for turn in turns:
        name, _, arguments = turn.partition("=")
        nodes.append(graph.add(name, arguments or None))
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes).configure()
    small.pts, small.time_base = 0, Fraction(1, 1)
    graph.push(small)
    turned = graph.pull()
    assert isinstance(turned, VideoFrame)
    return turned


def _on_white(frame: VideoFrame) -> VideoFrame:
    """What is drawn on nothing is black letters on black, once nothing is black."""
    graph = Graph()
    paper = graph.add("color", f"c=white:s={frame.width}x{frame.height}:r=1:d=1")
    drawn = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1))
    over, sink = graph.add("overlay", "format=rgb:eof_action=endall"), graph.add("buffersink")
    paper.link_to(over, 0, 0)
    drawn.link_to(over, 0, 1)
    over.link_to(sink)
    graph.configure()
    frame.pts, frame.time_base = 0, Fraction(1, 1)
    graph.push(frame)
    graph.push(None)
    together = graph.pull()
    assert isinstance(together, VideoFrame)
    return together


def _encoded(frame: VideoFrame) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, _FORMAT
    encoder.time_base = Fraction(1, 1)
    encoder.options = {"qmin": str(QUALITY), "qmax": str(QUALITY)}
    frame.pts, frame.time_base = 0, Fraction(1, 1)
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))
