"""What a recording is, as `GET /api/lessons/{id}/recording` tells it. Reads files only, so it works in mid-lesson."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from recorder.manifest import ManifestError, TrackEntry, read_manifest
from recorder.parts import Part, gaps, read_parts

HOLD_MS = 1000  # a picture may stand this long without our calling it a gap


class NoRecordingError(LookupError):
    """Nothing of this lesson was recorded."""


def describe(folder: Path) -> dict[str, Any]:
    """The recording in a lesson's folder: status, duration_ms and tracks of the outside contract, what is derived.

    A track's `playlist` is relative to the folder. A WebM track is one file, whose zero is the track's `start_ms`; HLS
    tracks carry lesson time. A publication that changed its codec is listed once for each. Tracks without a finished
    part are left out. Raises NoRecordingError.
    """
    try:
        manifest = read_manifest(folder)
    except FileNotFoundError as error:
        raise NoRecordingError(folder.name) from error
    except ManifestError:
        return {"status": "damaged", "duration_ms": 0, "epoch_ms": 0, "tracks": [], "derived": set()}
    if manifest.status == "recording":
        tracks = [timed(track, read_parts(folder / "tracks" / track.folder)) for track in manifest.tracks]
    else:
        tracks = manifest.tracks
    tracks = [track for track in tracks if track.duration_ms]
    return {
        "status": manifest.status,
        "duration_ms": duration_ms(tracks),
        "epoch_ms": manifest.epoch_us // 1000,
        "derived": {one.path for one in manifest.derived},
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


def timed(track: TrackEntry, parts: list[Part]) -> TrackEntry:
    """The track with its times as its parts have them."""
    media = [part for part in parts if part.media]
    if not media:
        return track
    per_ms = track.timescale / 1000
    start, end = round(media[0].start / per_ms), round(media[-1].end / per_ms)
    holes = [[round(a / per_ms), round(b / per_ms)] for a, b in gaps(parts, round(HOLD_MS * per_ms))]
    return replace(track, start_ms=start, duration_ms=end - start, gaps=holes)


def duration_ms(tracks: list[TrackEntry]) -> int:
    """Last media end less first media start."""
    if not tracks:
        return 0
    return max(track.start_ms + track.duration_ms for track in tracks) - min(track.start_ms for track in tracks)
