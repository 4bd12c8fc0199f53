"""The lesson as one directed picture (电影模式) with all that was heard: one ordinary MP4 of 1280 × 720."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

from recorder.manifest import Manifest, ManifestError, TrackEntry
from recorder.rebuild import known_manifest
from recorder.rendering import span, speech
from recorder.rendering.board import Board
from recorder.rendering.composed import composed
from recorder.rendering.directing import HEIGHT, WIDTH, Shown, Stretch, View, both, scenes, speaking, stretches
from recorder.rendering.mp4 import encoded_sound, mp4, mux
from recorder.rendering.page_view import PageView
from recorder.rendering.progress import NothingToRenderError, Progress, ignored
from recorder.rendering.session import Session, read_events, read_session
from recorder.rendering.sound import Sound

PAGES = "pages/"  # as which slides and board stand in scenes; no track's folder is called so
_TEACHERS: dict[str, View] = {"lead_teacher": "teacher", "co_teacher": "co_teacher"}


def render(folder: Path, out: Path, progress: Progress) -> None:
    """Write the lesson in `folder` to `out`.

    Raises NothingToRenderError when no picture was recorded, OSError (FileNotFoundError without a lesson), and what
    `progress` raises; `out` then is as it was.
    """
    manifest = known_manifest(folder)
    pictures = [track for track in manifest.tracks if track.kind == "video" and track.duration_ms]
    sounds = span.sounds(manifest)
    if not pictures and not sounds:
        raise NothingToRenderError(f"{folder.name}: nothing was recorded")
    begin, end = span.begin_ms([*pictures, *sounds]), span.end_ms([*pictures, *sounds])
    board = Board(read_events(folder), end)
    pages = [Shown(PAGES, "page", "", *times) for times in both([(begin, end)], (one.span for one in board.sights))]
    if not pictures and not pages:
        raise NothingToRenderError(f"{folder.name}: no picture was recorded")
    directed = scenes([*_shown(folder, manifest, pictures, (begin, end)), *pages], begin, end)
    with mp4(out, manifest) as container:
        beside = {PAGES: PageView(folder, board)}
        streams = [composed(container, folder, pictures, directed, (WIDTH, HEIGHT), beside)]
        if sounds:
            streams.append(encoded_sound(container, Sound(folder, sounds, begin, end)))
        mux(container, streams, (end - begin) / 1000, progress)


def _shown(folder: Path, manifest: Manifest, pictures: list[TrackEntry], lesson: Stretch) -> list[Shown]:
    session = read_session(folder, lesson)
    spoken = _spoken(folder)
    audible = {track.participant for track in span.sounds(manifest)}
    found = []
    for track in pictures:
        view = _view(track, session)
        times = stretches(track)
        if view == "class":
            if track.participant in session.floor:
                times = both(times, session.floor[track.participant])
            if track.participant in audible:
                times = both(times, speaking(spoken.get(track.participant, [])))
        found += [Shown(track.folder, view, track.participant, start, stop) for start, stop in times]
    return found


def _view(track: TrackEntry, session: Session) -> View:
    if track.source in ("screen", "document_camera"):
        return "screen"
    return "teacher" if track.lead else _TEACHERS.get(session.roles.get(track.participant, ""), "class")


def _spoken(folder: Path) -> dict[str, list[Stretch]]:
    """Who spoke when, by participant: as it is known already, or else found out now."""
    with contextlib.suppress(FileNotFoundError, KeyError, TypeError, ValueError):  # not there, or not whole
        return _read(folder / "speech.json")
    with tempfile.TemporaryDirectory() as elsewhere:
        path = Path(elsewhere) / "speech.json"
        try:
            speech.render(folder, path, ignored)
        except (NothingToRenderError, ManifestError):
            return {}
        return _read(path)


def _read(path: Path) -> dict[str, list[Stretch]]:
    found: dict[str, list[Stretch]] = {}
    for each in json.loads(path.read_bytes())["speech"]:
        found.setdefault(each["participant"], []).extend((start, end) for start, end in each["spans"])
    return found
