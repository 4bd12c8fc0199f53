"""Which tracks a rendering takes, and from when to when."""

from __future__ import annotations

from collections.abc import Sequence

from recorder.manifest import Manifest, TrackEntry


def sounds(manifest: Manifest) -> list[TrackEntry]:
    """Everything that was heard."""
    return [track for track in manifest.tracks if track.kind == "audio" and track.duration_ms]


def lead_cameras(manifest: Manifest) -> list[TrackEntry]:
    """The lead teacher's pictures, the earliest first: one for each time of publishing."""
    found = [
        track
        for track in manifest.tracks
        if track.lead and track.kind == "video" and track.source == "camera" and track.duration_ms
    ]
    return sorted(found, key=lambda track: track.start_ms)


def begin_ms(tracks: Sequence[TrackEntry]) -> int:
    """When the first of them begins, on the lesson clock."""
    return min(track.start_ms for track in tracks)


def end_ms(tracks: Sequence[TrackEntry]) -> int:
    """When the last of them ends."""
    return max(track.start_ms + track.duration_ms for track in tracks)
