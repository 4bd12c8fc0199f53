"""The lead teacher's camera with everything that was heard, as one ordinary MP4, in a hundredth of the lesson's time.

H.264 is copied. Other codecs are encoded anew, which takes as long as a movie does; VP8 is met here only until it has
been converted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from av.container import OutputContainer

from recorder.manifest import TrackEntry
from recorder.rebuild import known_manifest
from recorder.rendering import span
from recorder.rendering.composed import composed
from recorder.rendering.copied import copied
from recorder.rendering.directing import HEIGHT, WIDTH, Shown, alone, stretches
from recorder.rendering.mp4 import Timed, encoded_sound, mp4, mux
from recorder.rendering.progress import NothingToRenderError, Progress
from recorder.rendering.sound import Sound
from recorder.rendering.stage import Box


def render(folder: Path, out: Path, progress: Progress) -> None:
    """Write the lesson in `folder` to `out`.

    Raises NothingToRenderError when neither the lead teacher's camera nor any microphone was recorded, OSError
    (FileNotFoundError without a lesson), and what `progress` raises; `out` then is as it was.
    """
    manifest = known_manifest(folder)
    cameras, sounds = span.lead_cameras(manifest), span.sounds(manifest)
    if not cameras and not sounds:
        raise NothingToRenderError(f"{folder.name}: neither camera nor microphone of the lead teacher was recorded")
    begin, end = span.begin_ms([*cameras, *sounds]), span.end_ms([*cameras, *sounds])
    with mp4(out, manifest) as container:
        streams: list[Iterator[Timed]] = []
        if all(track.codec == "H264" for track in cameras):
            picture = copied(container, folder, cameras, begin)
            streams += [picture] if picture is not None else []
        else:
            streams.append(_encoded(container, folder, cameras, begin, end))
        if sounds:
            streams.append(encoded_sound(container, Sound(folder, sounds, begin, end)))
        mux(container, streams, (end - begin) / 1000, progress)


def _encoded(
    container: OutputContainer, folder: Path, cameras: Sequence[TrackEntry], begin_ms: int, end_ms: int
) -> Iterator[Timed]:
    width, height = max(((track.width, track.height) for track in cameras), key=lambda size: size[0] * size[1])
    size = (width + width % 2, height + height % 2) if width and height else (WIDTH, HEIGHT)
    shown = [
        Shown(track.folder, "teacher", track.participant, start, stop)
        for track in cameras
        for start, stop in stretches(track)
    ]
    return composed(container, folder, cameras, alone(shown, Box(0, 0, *size), begin_ms, end_ms), size)
