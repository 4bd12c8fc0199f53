"""`storyboard.jpg` and `storyboard.vtt`: a small picture of every so many seconds, for the seek bar of a replay.

All are pieces of one JPEG; the WebVTT says which piece belongs to which time, as `storyboard.jpg#xywh=x,y,w,h` (Media
Fragments URI 1.0). Its times count from where the recording begins, as a player's do. Of what could be seen at a moment
a shared screen says most about where in the lesson one is, then the lead teacher's camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from av.video.frame import VideoFrame

from recorder.manifest import TrackEntry, read_manifest
from recorder.rendering.progress import NothingToRenderError, Progress
from recorder.rendering.stills import JPEG_FORMAT, Stills, fitting, jpeg, shown

WIDTH, HEIGHT = 160, 90  # pixels of a tile
COLUMNS = 10
MOST = 120  # tiles; 12 rows are 1600×1080, some 300 kB
QUALITY = 5
STEPS_S = (2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200)  # seconds between tiles

NAME = "storyboard.jpg"


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of time with its picture: the first of a part of a track, or none."""

    from_ms: int  # on the lesson clock
    to_ms: int
    source: tuple[int, int] | None  # which of the tracks, which of its parts


def render(folder: Path, picture: Path, cues: Path, progress: Progress) -> None:
    """Write the storyboard of the lesson in `folder`.

    Raises NothingToRenderError where there is no picture, FileNotFoundError, ManifestError and OSError.
    """
    manifest = read_manifest(folder)
    tracks = [Stills(folder, track) for track in sorted(shown(manifest), key=_rank)]
    if not tracks:
        raise NothingToRenderError(f"{folder.name}: no picture was recorded")
    recorded = [track for track in manifest.tracks if track.duration_ms]
    begin = min(track.start_ms for track in recorded)
    end = max(track.start_ms + track.duration_ms for track in recorded)
    seen = [moment for moment in moments(tracks, begin, end) if moment.source is not None]
    canvas = _Canvas(len(seen))
    told = []
    for number, moment in enumerate(seen):
        progress(number / len(seen))
        assert moment.source is not None
        track, part = moment.source
        frame = tracks[track].picture(part)
        if frame is not None:
            told.append((moment, canvas.put(frame)))
    if not told:
        raise NothingToRenderError(f"{folder.name}: no picture can be decoded")
    picture.write_bytes(jpeg(canvas.frame(), QUALITY))
    lines = ["WEBVTT", ""]
    for moment, (x, y) in told:
        lines += [
            f"{_time(moment.from_ms - begin)} --> {_time(moment.to_ms - begin)}",
            f"{NAME}#xywh={x},{y},{WIDTH},{HEIGHT}",
            "",
        ]
    cues.write_text("\n".join(lines))
    progress(1.0)


def moments(tracks: list[Stills], begin_ms: int, end_ms: int) -> list[Moment]:
    """The lesson in steps; neighbours with the same picture are one. Of several tracks the first that has one."""
    step = next((step for step in STEPS_S if (end_ms - begin_ms) / 1000 <= step * MOST), STEPS_S[-1]) * 1000
    found: list[Moment] = []
    for at in range(begin_ms, end_ms, step):
        until = min(at + step, end_ms)
        middle = (at + until) // 2
        # What stands in the middle; else whatever can be seen at all.
        parts = [(number, track.part_at(middle)) for number, track in enumerate(tracks)]
        if all(part is None for _, part in parts):
            parts = [(number, track.part_within(at, until)) for number, track in enumerate(tracks)]
        source = next(((number, part) for number, part in parts if part is not None), None)
        if found and found[-1].source == source:
            found[-1] = Moment(found[-1].from_ms, until, source)
        else:
            found.append(Moment(at, until, source))
    return found


class _Canvas:
    """Room for a number of tiles, put side by side in rows."""

    def __init__(self, count: int) -> None:
        self._columns = max(1, min(COLUMNS, count))
        self._width, self._height = self._columns * WIDTH, max(1, -(-count // COLUMNS)) * HEIGHT
        chroma = self._width // 2 * (self._height // 2)
        self._planes = [bytearray(self._width * self._height), *(bytearray([128]) * chroma for _ in range(2))]
        self._count = 0

    def put(self, frame: VideoFrame) -> tuple[int, int]:
        """Put a picture into the next tile, with black beside it where its shape is another; gives its place."""
        row, column = divmod(self._count, self._columns)
        x, y = column * WIDTH, row * HEIGHT
        self._count += 1
        width, height = fitting(frame, WIDTH, HEIGHT)
        left, top = x + (WIDTH - width) // 4 * 2, y + (HEIGHT - height) // 4 * 2
        small = frame.reformat(width, height, JPEG_FORMAT)
        for plane, target, by in zip(small.planes, self._planes, (1, 2, 2), strict=True):
            data, stride, wide = bytes(plane), self._width // by, width // by
            for line in range(height // by):
                at = (top // by + line) * stride + left // by
                target[at : at + wide] = data[line * plane.line_size : line * plane.line_size + wide]
        return x, y

    def frame(self) -> VideoFrame:
        made = VideoFrame(self._width, self._height, JPEG_FORMAT)
        for plane, data, by in zip(made.planes, self._planes, (1, 2, 2), strict=True):
            wide = self._width // by
            padding = bytes(plane.line_size - wide)
            rows = [bytes(data[at : at + wide]) + padding for at in range(0, len(data), wide)]
            plane.update(b"".join(rows).ljust(plane.buffer_size, b"\0"))
        return made


def _rank(track: TrackEntry) -> tuple[bool, bool]:
    return (track.source != "screen", not track.lead)


def _time(at_ms: int) -> str:
    seconds, ms = divmod(at_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"
