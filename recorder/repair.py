"""What a crash left of a lesson, made whole: run on its folder before it is resumed.

A process that is killed leaves one unfinished segment per track; a loss of power may tear the last fragment and the
last line of a journal. Torn ends are cut, unfinished parts enter the journal; playlists are drawn anew by whoever
resumes.
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from recorder import boxes, webm
from recorder.manifest import TrackEntry, read_manifest
from recorder.parts import JOURNAL, Part, read_parts
from recorder.webm_file import WEBM_FILE, media_end

_USUAL_FRAMES = 15  # per second, for the last frame of a WebM file, which says no duration

logger = logging.getLogger(__name__)


def repair(folder: Path) -> None:
    """Make a lesson's folder whole. Raises OSError and ManifestError."""
    for half_written in folder.rglob("*.new"):
        half_written.unlink()
    cut_torn_line(folder / "events.jsonl")
    for entry in read_manifest(folder).tracks:
        place = folder / "tracks" / entry.folder
        place.mkdir(parents=True, exist_ok=True)
        cut_torn_line(place / JOURNAL)
        parts = read_parts(place)
        found = _find_in_webm(place, entry, parts) if entry.codec == "VP8" else _find_segments(place, parts)
        if found:
            logger.info("%s: %s parts of %s taken in after a crash", folder.name, len(found), entry.publication_id)
            with (place / JOURNAL).open("a") as journal:
                journal.writelines(part.to_line() for part in found)


def cut_torn_line(path: Path) -> None:
    """Take off what follows the last newline. Raises OSError."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        at = size
        while at:
            step = min(at, 65536)
            file.seek(at - step)
            newline = file.read(step).rfind(b"\n")
            if newline >= 0:
                at = at - step + newline + 1
                break
            at -= step
        if at < size:
            file.truncate(at)


def _find_segments(place: Path, parts: list[Part]) -> list[Part]:
    """Segments the journal does not know, cut to whole fragments."""
    known = {part.file for part in parts}
    init = next((part.init for part in reversed(parts) if part.init), "")
    found = []
    for path in sorted(place.glob("seg-*.m4s")):
        if path.name in known:
            continue
        data = path.read_bytes()
        spans = list(boxes.fragments(data)) if init else []
        if not spans:
            path.unlink()
            continue
        first, last = spans[0], spans[-1]
        size = last.offset + last.size
        if size < len(data):
            os.truncate(path, size)
        digest = hashlib.sha256(data[:size]).hexdigest()
        duration = last.start + last.duration - first.start
        found.append(Part(first.start, duration, path.name, init, 0, size, digest, first.key))
    return found


def _find_in_webm(place: Path, entry: TrackEntry, parts: list[Part]) -> list[Part]:
    """Clusters the journal does not know, as one part; what follows them is cut, the header as at the beginning."""
    path = place / WEBM_FILE
    if not parts:
        path.unlink(missing_ok=True)  # not even its header was finished
        return []
    head, at = parts[0], media_end(parts)
    with path.open("r+b") as file:
        width, height = webm.picture_size(file.read(head.size))
        file.seek(at)
        data = file.read()
        found = list(webm.clusters(data, 0))
        size = found[-1].offset + found[-1].size if found else 0
        file.truncate(at + size)
        file.seek(0)
        file.write(webm.header(width, height))
    if not found:
        return []
    per_ms = entry.timescale // 1000
    start = head.start + found[0].first_ms * per_ms
    end = head.start + found[-1].last_ms * per_ms + entry.timescale // _USUAL_FRAMES
    digest = hashlib.sha256(data[:size]).hexdigest()
    return [Part(start, end - start, WEBM_FILE, "", at, size, digest, found[0].key)]
