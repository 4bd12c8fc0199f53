"""The picture of a movie: some pictures, each in its box, put together by a filter graph.

Each picture is fitted into its box only when it is a new one; what then is done for every frame of the movie is to lay
the small ones over the large one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from av.error import FFmpegError
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

_BASE = Fraction(1, 90_000)
_FORMAT = "yuv420p"
_UNSAID = 2  # AVCOL_SPC_UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Box:
    """A place on the stage, in pixels, all even."""

    x: int
    y: int
    width: int
    height: int


Placed = tuple[VideoFrame | None, Box]  # without a picture the box stays black


class Stage:
    """Call `show` for each frame, then `end`; both give finished frames, a little later than they were asked for."""

    def __init__(self, width: int, height: int) -> None:
        self.whole = Box(0, 0, width, height)
        self._black = _black(width, height)
        self._boxes: tuple[Box, ...] = ()
        self._fits: list[_Fit] = []
        self._overlay: _Overlay | None = None

    def show(self, pts: int, placed: Sequence[Placed]) -> Iterator[VideoFrame]:
        """A frame at `pts` (of 90 000 per second): the first picture is laid down first, the others over it."""
        boxes = tuple(box for _, box in placed)
        if boxes != self._boxes:
            yield from self.end()
            self._boxes = boxes
            self._fits = [_Fit(box, box if number else self.whole) for number, box in enumerate(boxes)]
            self._overlay = _Overlay(self.whole, boxes[1:]) if len(boxes) > 1 else None
        fitted = [fit.fit(frame) for fit, (frame, _) in zip(self._fits, placed, strict=True)]
        if self._overlay is not None:
            yield from self._overlay.lay(pts, fitted)
        else:
            frame = fitted[0] if fitted else self._black
            frame.pts, frame.time_base = pts, _BASE
            yield frame

    def end(self) -> Iterator[VideoFrame]:
        """What is still under way."""
        overlay, self._overlay, self._boxes = self._overlay, None, ()
        if overlay is not None:
            yield from overlay.end()


class _Fit:
    """Makes pictures of any size fill a box, whole and undistorted, on a ground of its own."""

    def __init__(self, box: Box, ground: Box) -> None:
        self._box = box
        self._ground = ground  # the box itself, or the stage
        self._empty = _black(ground.width, ground.height)
        self._kind: tuple[object, ...] = ()
        self._graph: tuple[Graph, FilterContext, FilterContext] | None = None
        self._given: VideoFrame | None = None
        self._made = self._empty

    def fit(self, frame: VideoFrame | None) -> VideoFrame:
        if frame is None:
            return self._empty
        if frame is not self._given:
            self._given = frame
            self._made = self._fitted(frame)
        return self._made

    def _fitted(self, frame: VideoFrame) -> VideoFrame:
        kind = (frame.width, frame.height, frame.format.name, int(frame.color_range), int(frame.colorspace))
        if kind != self._kind:
            self._kind = kind
            self._graph = self._build(frame)
        assert self._graph is not None
        _, source, sink = self._graph
        source.push(frame)
        made = sink.pull()
        assert isinstance(made, VideoFrame)
        return made

    def _build(self, frame: VideoFrame) -> tuple[Graph, FilterContext, FilterContext]:
        box, ground = self._box, self._ground
        x, y = box.x - ground.x, box.y - ground.y
        # What says nothing of its colours is BT.601, as browsers make it of a camera; so is the stage.
        unsaid = ":in_color_matrix=bt601" if frame.colorspace == _UNSAID else ""
        graph = Graph()
        graph.threads = 1
        contexts = [
            graph.add(
                "buffer",
                f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base=1/90000:"
                f"colorspace={int(frame.colorspace)}:range={int(frame.color_range)}",
            ),
            graph.add(
                "scale",
                f"w={box.width}:h={box.height}:force_original_aspect_ratio=decrease:force_divisible_by=2:"
                f"flags=bicubic:out_range=tv:out_color_matrix=bt601{unsaid}",
            ),
            graph.add("format", _FORMAT),
            graph.add("pad", f"w={ground.width}:h={ground.height}:x={x}+({box.width}-iw)/2:y={y}+({box.height}-ih)/2"),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*contexts).configure()
        return graph, contexts[0], contexts[-1]  # contexts do not keep their graph alive


class _Overlay:
    def __init__(self, ground: Box, boxes: Sequence[Box]) -> None:
        graph = Graph()
        graph.threads = 1
        self._sources = [
            graph.add("buffer", f"video_size={box.width}x{box.height}:pix_fmt={_FORMAT}:time_base=1/90000")
            for box in (ground, *boxes)
        ]
        below = self._sources[0]
        for box, source in zip(boxes, self._sources[1:], strict=True):
            overlay = graph.add("overlay", f"x={box.x}:y={box.y}:eval=init:format=yuv420")
            below.link_to(overlay, 0, 0)
            source.link_to(overlay, 0, 1)
            below = overlay
        self._sink = graph.add("buffersink")
        below.link_to(self._sink)
        graph.configure()
        self._graph = graph

    def lay(self, pts: int, frames: Sequence[VideoFrame]) -> Iterator[VideoFrame]:
        for source, frame in zip(self._sources, frames, strict=True):
            frame.pts, frame.time_base = pts, _BASE
            source.push(frame)
        yield from self._made()

    def end(self) -> Iterator[VideoFrame]:
        for source in self._sources:
            source.push(None)
        yield from self._made()

    def _made(self) -> Iterator[VideoFrame]:
        while True:
            try:
                frame = self._sink.pull()
            except (BlockingIOError, EOFError, FFmpegError):
                return
            assert isinstance(frame, VideoFrame)
            yield frame


def _black(width: int, height: int) -> VideoFrame:
    frame = VideoFrame(width, height, _FORMAT)
    for plane, level in zip(frame.planes, (16, 128, 128), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    return frame
