"""`speech.json`: who spoke when, of every microphone, and one letter for each second of the lesson (see activity.py).

    {"version": 1, "settings": {the five numbers}, "seconds": "XXTTQS…",
     "speech": [{"publication_id", "participant", "role", "spans": [[from_ms, to_ms], …]}, …]}

All times are of the lesson clock; the first letter is its first second. What was not recorded is not in it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from recorder.manifest import TrackEntry, read_manifest
from recorder.rendering import activity
from recorder.rendering.activity import Heard, Microphone, Settings, Span
from recorder.rendering.loudness import levels
from recorder.rendering.progress import NothingToRenderError, Progress, part
from recorder.rendering.session import TEACHERS, Session, read_session

VERSION = 1


def render(folder: Path, out: Path, progress: Progress, settings: Settings | None = None) -> None:
    """Write what was said when in the lesson in `folder`.

    Raises NothingToRenderError where no microphone was recorded, FileNotFoundError, ManifestError and OSError.
    """
    settings = settings or Settings()
    recorded = [track for track in read_manifest(folder).tracks if track.duration_ms]
    tracks = [track for track in recorded if track.kind == "audio" and track.source == "microphone"]
    if not tracks:
        raise NothingToRenderError(f"{folder.name}: no microphone was recorded")
    begin = min(track.start_ms for track in recorded)
    session = read_session(folder, (begin, max(track.start_ms + track.duration_ms for track in recorded)))
    heard = []
    for number, track in enumerate(tracks):
        share = part(progress, number / len(tracks), (number + 1) / len(tracks))
        microphone = _microphone(folder, track, session, part(share, 0.0, 0.9))
        heard.append(_hear(microphone, settings, part(share, 0.9, 1.0)))
    spoken = speech(heard, settings)
    by_side: dict[bool, list[Span]] = {True: [], False: []}
    for one, said in zip(heard, spoken, strict=True):
        by_side[one.microphone.teacher] += said
    value = {
        "version": VERSION,
        "settings": asdict(settings),
        "seconds": activity.letters(
            -(-session.end_ms // 1000), session.held, by_side[True], by_side[False], session.shown_ms
        ),
        "speech": [
            {
                "publication_id": track.publication_id,
                "participant": track.participant,
                "role": _role(track, session),
                "spans": said,
            }
            for track, said in zip(tracks, spoken, strict=True)
        ],
    }
    out.write_text(json.dumps(value, separators=(",", ":")) + "\n")
    progress(1.0)


def speech(heard: list[Heard], settings: Settings) -> list[list[Span]]:
    """Of each microphone, when it was spoken into."""
    first = [activity.spans(one, settings) for one in heard]
    teachers = [(one, said) for one, said in zip(heard, first, strict=True) if one.microphone.teacher]
    return [
        said if one.microphone.teacher else activity.spans(activity.without_echo(one, teachers), settings)
        for one, said in zip(heard, first, strict=True)
    ]


def _hear(microphone: Microphone, settings: Settings, progress: Progress) -> Heard:
    heard = Heard(microphone)
    for fraction, heard in activity.hear(microphone, settings):  # noqa: B007 - the last one is the result
        progress(fraction)
    return heard


def _microphone(folder: Path, track: TrackEntry, session: Session, progress: Progress) -> Microphone:
    return Microphone(
        levels(folder, track, progress),
        track.start_ms,
        tuple(session.muted.get(track.publication_id, ())),
        tuple(session.floor.get(track.participant, ())),
        _role(track, session) in TEACHERS,
    )


def _role(track: TrackEntry, session: Session) -> str:
    return session.roles.get(track.participant) or ("lead_teacher" if track.lead else "receiving_class")
