"""What a recording is, as `GET /api/lessons/{id}/recording` tells it. Reads files only, so it works in mid-lesson."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recorder.manifest import duration_ms
from recorder.parts import read_parts, timed
from recorder.rebuild import known_manifest


class NoRecordingError(LookupError):
    """Nothing of this lesson was recorded."""


def describe(folder: Path) -> dict[str, Any]:
    """The recording in a lesson's folder: status, duration_ms and tracks of the outside contract, what is derived.

    A track's `playlist` is relative to the folder. A WebM track is one file, whose zero is the track's `start_ms`; HLS
    tracks carry lesson time. A publication that changed its codec is listed once for each. Tracks without a finished
    part are left out. A lesson whose manifest cannot be read is told as its journals have it. Raises NoRecordingError.
    """
    try:
        manifest = known_manifest(folder)
    except FileNotFoundError as error:
        raise NoRecordingError(folder.name) from error
    if manifest.status == "recording":
        tracks = [timed(track, read_parts(folder / "tracks" / track.folder)) for track in manifest.tracks]
    else:
        tracks = manifest.tracks
    tracks = [track for track in tracks if track.duration_ms]
    return {
        "status": manifest.status,
        "duration_ms": duration_ms(tracks),
        "epoch_ms": manifest.epoch_us // 1000,
        "derived": {one.path: one.size for one in manifest.derived},
        "tracks": [
            {
                "publication_id": track.publication_id,
                "participant": track.participant,
                "kind": track.kind,
                "source": track.source,
                "lead": track.lead,
                "codec": track.codec,
                "start_ms": track.start_ms,
                "duration_ms": track.duration_ms,
                "playlist": track.playlist,
                "gaps": track.gaps,
            }
            for track in tracks
        ],
    }
