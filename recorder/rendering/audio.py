"""The sound of a lesson as one file: all microphones mixed, AAC in .m4a, from the first sound to the last."""

from __future__ import annotations

from pathlib import Path

from recorder.rebuild import known_manifest
from recorder.rendering.mp4 import encoded_sound, mp4, mux
from recorder.rendering.progress import NothingToRenderError, Progress
from recorder.rendering.sound import Sound
from recorder.rendering.span import begin_ms, end_ms, sounds


def render(folder: Path, out: Path, progress: Progress) -> None:
    """Write the sound of the lesson in `folder` to `out`.

    Raises NothingToRenderError when no microphone was recorded, OSError (FileNotFoundError without a lesson), and what
    `progress` raises; `out` then is as it was.
    """
    manifest = known_manifest(folder)
    tracks = sounds(manifest)
    if not tracks:
        raise NothingToRenderError(f"{folder.name}: no microphone was recorded")
    begin, end = begin_ms(tracks), end_ms(tracks)
    with mp4(out, manifest) as container:
        sound = Sound(folder, tracks, begin, end)
        mux(container, [encoded_sound(container, sound)], (end - begin) / 1000, progress)
