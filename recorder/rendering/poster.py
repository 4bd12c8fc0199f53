"""`poster.jpg`: one picture that stands for a lesson: the lead teacher's camera, or else what else there was to see."""

from __future__ import annotations

from pathlib import Path

from av.video.frame import VideoFrame

from recorder.manifest import TrackEntry, read_manifest
from recorder.rendering.progress import NothingToRenderError, Progress
from recorder.rendering.stills import JPEG_FORMAT, Stills, fitting, jpeg, shown

WIDTH, HEIGHT = 1280, 720  # pixels at most
QUALITY = 4
TRIES = 8  # moments looked at, spread over the lesson, until there is something to see
CONTRAST = 16.0  # standard deviation of brightness (0 … 255) from which there is; a covered lens has 2


def render(folder: Path, out: Path, progress: Progress) -> None:
    """Write the poster of the lesson in `folder`.

    Raises NothingToRenderError where there is no picture, FileNotFoundError, ManifestError and OSError.
    """
    tracks = sorted(shown(read_manifest(folder)), key=_rank)
    best: tuple[float, VideoFrame] | None = None
    moments = [(track, number) for track in tracks for number in range(TRIES)]
    for done, (track, number) in enumerate(moments):
        progress(done / len(moments))
        if number == 0:
            stills = Stills(folder, track)
            if best is not None and best[0] >= CONTRAST:
                break
        # Not the very beginning, when someone may still be setting the camera up.
        at_ms = track.start_ms + track.duration_ms * (2 * number + 1) // (2 * TRIES)
        part = stills.part_at(at_ms)
        picture = stills.picture(part) if part is not None else None
        if picture is None:
            continue
        seen = contrast(picture)
        if best is None or seen > best[0]:
            best = seen, picture
        if seen >= CONTRAST:
            break
    if best is None:
        raise NothingToRenderError(f"{folder.name}: no picture was recorded")
    width, height = fitting(best[1], WIDTH, HEIGHT)
    out.write_bytes(jpeg(best[1].reformat(width, height, JPEG_FORMAT), QUALITY))
    progress(1.0)


def contrast(picture: VideoFrame) -> float:
    """The standard deviation of a picture's brightness, by a small copy of it."""
    plane = picture.reformat(64, 36, "gray").planes[0]
    data = bytes(plane)
    values = [value for row in range(36) for value in data[row * plane.line_size : row * plane.line_size + 64]]
    mean = sum(values) / len(values)
    return float((sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5)


def _rank(track: TrackEntry) -> tuple[bool, bool, int]:
    return (track.source != "camera" or not track.lead, track.source != "screen", -track.duration_ms)
