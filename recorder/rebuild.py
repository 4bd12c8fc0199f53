"""A lesson's manifest made anew from what else lies in its folder, for when it cannot be read any more.

A track's journal says whose it is. Where the journal is lost too, the event log knows the publication by its folder,
and an initialisation segment says the codec.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from recorder import boxes
from recorder.event_log import EVENTS
from recorder.init_segment import InitSegment
from recorder.manifest import Manifest, ManifestError, TrackEntry, duration_ms, read_manifest
from recorder.parts import read_journal, timed
from recorder.stored_track import TRACKS, folder_name, playlist_of
from recorder.webm_file import WEBM_FILE

_WEBM_RATE = 90_000  # ticks per second of every video track

logger = logging.getLogger(__name__)


def known_manifest(folder: Path) -> Manifest:
    """A lesson's manifest, rebuilt in memory if need be. Raises FileNotFoundError if nothing of a lesson is there."""
    try:
        return read_manifest(folder)
    except (FileNotFoundError, ManifestError):
        return rebuild(folder)


def rebuild(folder: Path) -> Manifest:
    """The manifest as it must have been, without its list of files; "ready" if the lesson was over, else "damaged".

    Raises FileNotFoundError if nothing of a lesson is there.
    """
    if not (folder / TRACKS).is_dir() and not (folder / EVENTS).is_file():
        raise FileNotFoundError(f"{folder} holds no lesson")
    events = _Events(folder / EVENTS)
    entries, epochs, titles = [], [], []
    for place in sorted((folder / TRACKS).iterdir()) if (folder / TRACKS).is_dir() else ():
        journal = read_journal(place)
        entry = _described(place, journal.owner.track if journal.owner is not None else events.track_of(place))
        if entry is None:
            logger.warning("%s: nothing says what %s is", folder.name, place.name)
            continue
        entries.append(timed(entry, journal.parts))
        if journal.owner is not None:
            epochs.append(journal.owner.epoch_us)
            titles.append(journal.owner.title)
    over = events.over or any(_ended(path) for path in folder.glob(f"{TRACKS}/*/*.m3u8"))
    return Manifest(
        lesson_id=folder.name,
        epoch_us=epochs[0] if epochs else _epoch_us(folder),
        title=next((title for title in titles if title), ""),
        status="ready" if over else "damaged",
        reason="" if over else "manifest_lost",
        duration_ms=duration_ms([entry for entry in entries if entry.duration_ms]),
        tracks=entries,
    )


class _Events:
    """What an event log says of publications."""

    def __init__(self, path: Path) -> None:
        self.over = False
        self._leads: set[str] = set()
        self._published: dict[str, dict[str, str]] = {}  # by folder
        try:
            lines = path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                self._take(json.loads(line))
            except (KeyError, TypeError, ValueError, RecursionError):
                continue  # a torn or damaged line

    def track_of(self, place: Path) -> TrackEntry | None:
        """The track in this folder, as far as the log knows it; None if nothing there can be played."""
        said = self._published.get(place.name.partition("+")[0], {})
        first = next(iter(sorted(place.glob("init-*.mp4"))), None)
        init = InitSegment.read(first.read_bytes()) if first is not None else None
        if init is None and not (place / WEBM_FILE).exists():
            return None
        codec = init.codec if init is not None else "VP8"
        kind = "audio" if codec == "opus" else "video"
        participant = said.get("participant_id", "")
        return TrackEntry(
            folder=place.name,
            publication_id=said.get("publication_id", place.name),
            participant=participant,
            kind=kind,
            source=said.get("source", "microphone" if kind == "audio" else "camera"),
            lead=participant in self._leads,
            codec=codec,
            timescale=init.timescale if init is not None else _WEBM_RATE,
            playlist=playlist_of(place.name, codec),
        )

    def _take(self, event: dict[str, Any]) -> None:
        payload = event["payload"]
        if event["kind"] == "joined" and payload["role"] == "lead_teacher":
            self._leads.add(str(payload["participant_id"]))
        elif event["kind"] == "published":
            said = {name: str(payload[name]) for name in ("publication_id", "participant_id", "source")}
            self._published[folder_name(said["publication_id"])] = said
        elif event["kind"] == "ended":
            self.over = True


def _described(place: Path, entry: TrackEntry | None) -> TrackEntry | None:
    """The track with what its first initialisation segment says, as the manifest has it."""
    if entry is None:
        return None
    entry = dataclasses.replace(entry, folder=place.name, playlist=playlist_of(place.name, entry.codec))
    for path in sorted(place.glob("init-*.mp4"), key=lambda path: path.stat().st_mtime_ns):
        init = InitSegment.read(path.read_bytes())
        if init is not None:
            return dataclasses.replace(entry, codecs=init.codecs, width=init.width, height=init.height)
    return entry


def _ended(playlist: Path) -> bool:
    return playlist.read_bytes().rstrip().endswith(b"#EXT-X-ENDLIST")


def _epoch_us(folder: Path) -> int:
    """The lesson clock's zero from a playlist: it says when a segment was, which says its lesson time itself.

    To the millisecond; without any playlist when the folder's oldest file was written, which is later than the truth.
    """
    for path in sorted(folder.glob(f"{TRACKS}/*/index.m3u8")):
        dated = ""
        init = None
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
                dated = line.partition(":")[2]
            elif match := re.match(r'#EXT-X-MAP:URI="([^"/]+)"', line):
                init = path.parent / match[1]
            elif line.startswith("seg-") and dated and init is not None:
                try:
                    described = InitSegment.read(init.read_bytes())
                    span = next(boxes.fragments((path.parent / line).read_bytes()))
                    when_us = round(datetime.fromisoformat(dated).timestamp() * 1e6)
                except (OSError, StopIteration, ValueError):
                    dated = ""
                    continue
                if described is not None:
                    return when_us - span.start * 1_000_000 // described.timescale
    oldest = min((path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()), default=0)
    return oldest // 1000
