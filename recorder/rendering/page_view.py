"""Slides and board as a picture of a movie: the page that everybody saw, with what is drawn on it by then."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import av
from av.error import FFmpegError
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

from recorder import slides
from recorder.rendering.board import Board, Page, Stroke
from recorder.rendering.ink import MARKER, PEN, Layer
from recorder.rendering.pictures import MAX_PIXELS

WIDTH, HEIGHT = 1280, 720  # pixels in which a page is drawn at most: a movie's own
MANY = 20  # strokes rubbed out at once: a page full of them takes a second or two to draw
KEPT = 6  # pages that are kept drawn, for going back to them
_BASE = "1/90000"
_BOUNDED = {"max_pixels": str(MAX_PIXELS)}


class PageView:
    """Asked for moments in order, as `Pictures` is. The same frame means that nothing has changed."""

    def __init__(self, folder: Path, board: Board) -> None:
        self._folder = folder
        self._board = board
        self._drawn: OrderedDict[str, _DrawnPage] = OrderedDict()

    def at(self, at_ms: int) -> VideoFrame | None:
        """The page at this moment of the lesson; None while there is none. Raises OSError."""
        surface = self._board.surface_at(at_ms)
        if surface is None:
            return None
        page = self._board.page_at(surface, at_ms)
        drawn = self._drawn.pop(surface, None) or _DrawnPage(_picture(self._folder, surface))
        self._drawn[surface] = drawn
        while len(self._drawn) > KEPT:
            self._drawn.popitem(last=False)
        return drawn.with_strokes(page)


class _DrawnPage:
    def __init__(self, picture: VideoFrame) -> None:
        self._picture = picture
        self._layers = {"marker": Layer(picture.width, picture.height), "pen": Layer(picture.width, picture.height)}
        self._changes = 0  # of its page, when it was drawn last
        self._there: dict[tuple[str, str], tuple[Stroke, int]] = {}  # and how many numbers of each stands there
        self._made = picture
        self._overlay: _Overlay | None = None

    def with_strokes(self, page: Page) -> VideoFrame:
        if page.changes == self._changes:
            return self._made
        self._changes = page.changes
        gone = [key for key, (stroke, _) in self._there.items() if page.strokes.get(key) is not stroke]
        self._rub_out([self._there.pop(key)[0] for key in gone])
        for key, stroke in page.strokes.items():
            _, known = self._there.get(key, (stroke, 0))
            if known < len(stroke.points):
                layer, cover = self._layer_of(stroke)
                layer.stroke(stroke.points, known, stroke.width, stroke.colour, cover)
                self._there[key] = (stroke, len(stroke.points))
        self._overlay = self._overlay or _Overlay(self._picture.width, self._picture.height)
        self._made = self._overlay.lay(self._picture, [self._layers["marker"], self._layers["pen"]])
        return self._made

    def _layer_of(self, stroke: Stroke) -> tuple[Layer, int]:
        """Where it is drawn, and how much it covers."""
        return (self._layers["marker"], MARKER) if stroke.tool == "marker" else (self._layers["pen"], PEN)

    def _rub_out(self, gone: list[Stroke]) -> None:
        """Draw anew what lies where they were; of many at once, all that is left."""
        if len(gone) > MANY or not self._there:
            self._layers = {tool: Layer(layer.width, layer.height) for tool, layer in self._layers.items()}
            self._there = {key: (stroke, 0) for key, (stroke, _) in self._there.items()}
            return
        for stroke in gone:
            layer, cover = self._layer_of(stroke)
            part = layer.part_of(stroke.points, stroke.width)
            layer.wipe(part)
            for other, reach in self._there.values():
                points = other.points[:reach]
                if (other.tool == "marker") != (stroke.tool == "marker"):
                    continue
                if layer.part_of(points, other.width).meets(part):
                    layer.stroke(points, 0, other.width, other.colour, cover, part)


class _Overlay:
    """Lays drawn layers over a page."""

    def __init__(self, width: int, height: int) -> None:
        self._graphs: dict[int, tuple[Graph, list[FilterContext], FilterContext]] = {}  # by how many layers
        self._size = f"video_size={width}x{height}"
        self._pts = 0

    def lay(self, page: VideoFrame, layers: list[Layer]) -> VideoFrame:
        frames = [page, *(_frame(layer) for layer in layers if not layer.empty)]
        if len(frames) == 1:
            return page
        _, sources, sink = self._graph(len(frames) - 1)
        self._pts += 1
        for source, frame in zip(sources, frames, strict=True):
            frame.pts = self._pts
            source.push(frame)
        made = sink.pull()
        assert isinstance(made, VideoFrame)
        return made

    def _graph(self, count: int) -> tuple[Graph, list[FilterContext], FilterContext]:
        if count not in self._graphs:
            graph = Graph()
            graph.threads = 1
            formats = ["gbrp", *["gbrap"] * count]
            sources = [graph.add("buffer", f"{self._size}:pix_fmt={kind}:time_base={_BASE}") for kind in formats]
            below = sources[0]
            for source in sources[1:]:
                overlay = graph.add("overlay", "format=gbrp:eval=init")
                below.link_to(overlay, 0, 0)
                source.link_to(overlay, 0, 1)
                below = overlay
            sink = graph.add("buffersink")
            below.link_to(sink)
            graph.configure()
            self._graphs[count] = (graph, sources, sink)
        return self._graphs[count]


def _frame(layer: Layer) -> VideoFrame:
    frame = VideoFrame(layer.width, layer.height, "gbrap")
    for plane, data in zip(frame.planes, layer.planes, strict=True):
        _fill(plane, data, layer.width)
    return frame


def _fill(plane: av.video.plane.VideoPlane, data: bytes | bytearray, width: int) -> None:
    if plane.line_size == width:
        plane.update(bytes(data))
        return
    spare = bytes(plane.line_size - width)
    plane.update(b"".join(bytes(data[at : at + width]) + spare for at in range(0, len(data), width)))


def _picture(folder: Path, surface: str) -> VideoFrame:
    """The page without strokes; blank for a page of the board, and where its picture is lost. Raises OSError."""
    if slides.is_page(surface):
        path, _ = slides.page_files(surface)
        try:
            # As a picture, whatever it is: a store that others write to could give us a list of other files.
            with av.open(str(folder / path), format="webp_pipe", options=_BOUNDED) as container:
                for frame in container.decode(video=0):
                    return _fitted(frame)
        except (FileNotFoundError, FFmpegError):
            pass
    blank = VideoFrame(WIDTH, HEIGHT, "gbrp")
    for plane in blank.planes:
        plane.update(b"\xff" * plane.buffer_size)
    return blank


def _fitted(frame: VideoFrame) -> VideoFrame:
    """As large as a movie has it, with even sides."""
    scale = min(WIDTH / frame.width, HEIGHT / frame.height)
    width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
    return frame.reformat(width, height, "gbrp", interpolation="AREA" if scale < 1 else "BICUBIC")
