"""Scenes as an encoded picture: 25 frames a second of what stands on the stage, H.264."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from av.container import OutputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from recorder.manifest import TrackEntry
from recorder.rendering.directing import Scene
from recorder.rendering.mp4 import Timed, timed
from recorder.rendering.pictures import Pictures
from recorder.rendering.stage import Stage

FRAME_MS = 40
_BASE = 90  # ticks per ms
# Files less than half as large as those of "superfast", for a fifth more time. One thread, because a rendering has one
# core, however many the machine has.
_ENCODER = {"preset": "veryfast", "crf": "23"}
# What stage.py draws: AVCOL_SPC_SMPTE170M, which is BT.601, AVCOL_PRI_BT709 with its transfer, AVCOL_RANGE_MPEG. Were
# it not said, players would take a film of 720 lines for BT.709 and show every green too dark.
_BT601, _BT709, _LIMITED = 6, 1, 1
_KEY_EVERY = 100  # frames: how near to a moment a player can begin


class Source(Protocol):
    """Something that has a picture for each moment; moments are asked for in order."""

    def at(self, at_ms: int) -> VideoFrame | None: ...


def composed(
    container: OutputContainer,
    folder: Path,
    tracks: Sequence[TrackEntry],
    scenes: Sequence[Scene],
    size: tuple[int, int],
    beside: Mapping[str, Source] | None = None,
) -> Iterator[Timed]:
    """The scenes of the lesson in `folder`, from the first one's beginning on, in a stream of its own.

    In a scene stand tracks, by their folders, and what is `beside` them. Iterating raises OSError.
    """
    stream = container.add_stream("libx264", rate=1000 // FRAME_MS, options=_ENCODER)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.colorspace, context.color_primaries, context.color_trc = _BT601, _BT709, _BT709
    context.color_range = _LIMITED
    context.time_base, context.gop_size, context.thread_count = Fraction(1, 1000 * _BASE), _KEY_EVERY, 1
    sources: dict[str, Source] = {track.folder: Pictures(folder, track) for track in tracks}
    return _encoded(stream, _frames(sources | dict(beside or {}), scenes, size))


def _encoded(stream: VideoStream, frames: Iterator[VideoFrame]) -> Iterator[Timed]:
    for frame in frames:
        frame.pict_type = PictureType.NONE  # a camera's key frame need not be ours
        yield from timed(stream.encode(frame))
    yield from timed(stream.encode(None))


def _frames(pictures: Mapping[str, Source], scenes: Sequence[Scene], size: tuple[int, int]) -> Iterator[VideoFrame]:
    stage = Stage(*size)
    at = begin = scenes[0].from_ms
    for scene in scenes:
        while at < scene.to_ms:
            placed = [(pictures[track].at(at + FRAME_MS // 2), box) for track, box in scene.places]
            yield from stage.show((at - begin) * _BASE, placed)
            at += FRAME_MS
    yield from stage.end()
