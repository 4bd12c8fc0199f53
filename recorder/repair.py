"""What a crash left of a lesson, made whole: run on its folder before it is resumed.

Playlists are drawn anew by whoever resumes. A manifest that cannot be read is made from the rest of the folder.
"""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

from recorder import boxes, opus, slides
from recorder.event_log import EVENTS, whole_events
from recorder.formats import OPUS
from recorder.lead import SILENCE
from recorder.manifest import ManifestError, read_manifest, write_manifest
from recorder.parts import Part
from recorder.places.ledger import Ledger
from recorder.rebuild import rebuild
from recorder.repair_track import cut_torn_line, repair_track
from recorder.stored_track import TRACKS

logger = logging.getLogger(__name__)


def repair(folder: Path, thorough: bool = True) -> None:
    """Make the folder of a lesson whole; it must be resumed, even if only to be closed, to have playlists again.

    After a loss of power it must be `thorough`: what was written last is read again. Raises OSError, FileNotFoundError
    if nothing of a lesson is there.
    """
    for half_written in folder.rglob("*.new"):
        half_written.unlink()
    cut_torn_line(folder / EVENTS)
    if whole_events(folder / EVENTS):
        logger.warning("%s: damaged lines of its event log are left out", folder.name)
    try:
        known = read_manifest(folder)
    except (FileNotFoundError, ManifestError):
        logger.warning("%s: its manifest is made anew", folder.name)
        known = dataclasses.replace(rebuild(folder), status="recording", reason="", duration_ms=0)
        write_manifest(folder, known)
        thorough = True
    ledger = Ledger(folder)
    for entry in known.tracks:
        place = folder / TRACKS / entry.folder

        def elsewhere(part: Part, place: Path = place) -> bool:
            stored = ledger.get((place / part.file).relative_to(folder).as_posix())
            return stored is not None and stored.sha256 == part.sha256

        if count := repair_track(place, entry, known.epoch_us, thorough, elsewhere):
            logger.info("%s: %s parts of %s mended after a crash", folder.name, count, entry.publication_id)
    silence = folder / SILENCE / "init.mp4"
    if silence.parent.exists():
        silence.write_bytes(boxes.init_segment(OPUS.entry, opus.RATE))
    if thorough:
        for path in slides.drop_torn(folder):
            logger.warning("%s: %s is torn and left out", folder.name, path)
        for playlist in folder.rglob("*.m3u8"):
            playlist.unlink()  # nobody draws those anew of which no media are left
