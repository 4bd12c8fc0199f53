"""One lesson being recorded: its tracks, the playlists over several of them, and at the end its manifest.

A lesson is resumed by reading its folder (after `repair.py` has been there). When the disk takes no more, the lesson
stops recording and says so; what is written stays playable, and recording goes on when there is room again.
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from media.recording_link import Track as Announcement
from recorder import depayload, manifest, slides
from recorder.clock import SenderClock, TrackClock
from recorder.event_log import EVENTS, EventLog
from recorder.files import GAP
from recorder.lead import LeadPlaylists
from recorder.levels import LEVELS
from recorder.manifest import FileEntry, Manifest, TrackEntry, duration_ms, write_manifest
from recorder.parts import Part, begin_journal, read_parts, timed
from recorder.playlists import TARGET_S
from recorder.segments import SegmentWriter
from recorder.stored_track import TRACKS, StoredTrack, folder_name, playlist_of
from recorder.track import AudioTrack, Track, VideoTrack

WATCHED_S = 2  # length of segments while someone watches by HTTP

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_VIDEO = ("H264", "VP8", "VP9", "AV1")

logger = logging.getLogger(__name__)

Tell = Callable[[str, str], None]  # state, reason


class Lesson:
    def __init__(self, folder: Path, known: Manifest, tell: Tell) -> None:
        self.folder = folder
        self.lesson_id = known.lesson_id
        self.state = ""  # "on" with the first media, "stopped" when the disk takes no more
        self.reason = ""  # why it is stopped
        self.active_us = 0  # when something was last heard of it
        self._known = known
        self._tell = tell
        self._stored: dict[str, StoredTrack] = {}  # by folder
        self._tracks: dict[str, Track] = {}  # by publication
        self._senders: dict[str, SenderClock] = {}  # by participant
        self._lead = LeadPlaylists(folder, known.epoch_us)
        self._dirty: set[str] = set()  # folders whose playlist lacks parts
        self._lead_dirty = False
        self._segment_s = TARGET_S
        self._watched = False  # by HTTP
        self._now_us = 0  # as we were last told
        self._lost = ""  # why recording has been stopped at some time
        self._cut_off: dict[str, int] = {}  # by folder of the tracks on air when it stopped: until when, 0 for still
        for entry in known.tracks:
            self._store(entry, read_parts(folder / TRACKS / entry.folder))
        self._log = EventLog(folder / EVENTS)
        self._replay_lead()

    @classmethod
    def create(cls, folder: Path, lesson_id: str, epoch_us: int, title: str, tell: Tell) -> Lesson:
        """A new lesson's folder. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        known = Manifest(lesson_id, epoch_us, title)
        write_manifest(folder, known)
        return cls(folder, known, tell)

    @classmethod
    def resume(cls, folder: Path, tell: Tell) -> Lesson:
        """A lesson whose folder exists; a finished one is opened again. Raises OSError and ManifestError."""
        with manifest.locked(folder):
            known = manifest.read_manifest(folder)
            finished = known.status != "recording"
            if finished:
                for entry in known.derived:  # made of a lesson that is longer now
                    (folder / entry.path).unlink(missing_ok=True)
                known = dataclasses.replace(known, status="recording", reason="", duration_ms=0, files=[], derived=[])
                write_manifest(folder, known)
        lesson = cls(folder, known, tell)
        if finished:
            for stored in lesson._stored.values():
                stored.writer.reopen()
        lesson._dirty.update(lesson._stored)  # what was repaired stands in no playlist yet
        lesson._lead_dirty = True
        if finished:
            lesson._write_playlists(ended=False)
        return lesson

    @property
    def last_seq(self) -> int:
        """Of the event log, 0 while it is empty."""
        return self._log.last_seq

    @property
    def epoch_us(self) -> int:
        return self._known.epoch_us

    def name(self, title: str) -> None:
        """Set the title, which a lesson known only by its tracks lacks. Raises OSError."""
        if title and title != self._known.title:
            self._known = dataclasses.replace(self._known, title=title)
            write_manifest(self.folder, self._known)

    def attach(self, announced: Announcement, ask_key_frame: Callable[[], None]) -> Track | None:
        """The track a publication is recorded in; None for codecs we cannot store. Raises OSError."""
        track = self._tracks.get(announced.publication_id)
        if track is not None:
            if track.entry.codec == announced.codec:
                if isinstance(track, VideoTrack):
                    track.ask_through(ask_key_frame)
                return track
            track.end()
        if announced.codec not in _VIDEO and announced.codec != "opus":
            logger.warning("%s: cannot record %s", announced.publication_id, announced.codec)
            return None
        stored = self._find(announced) or self._add(announced)
        sender = self._senders.setdefault(announced.participant, SenderClock())
        clock = TrackClock(stored.entry.timescale, self.epoch_us, sender)
        if announced.codec == "opus":
            track = AudioTrack(stored.entry, stored.writer, clock, self._segment_s, stored.levels)
        else:
            takes = depayload.for_codec(announced.codec, announced.fmtp)
            track = VideoTrack(stored.entry, stored.writer, clock, self._segment_s, takes, ask_key_frame)
        self._tracks[announced.publication_id] = track
        return track

    def append_events(self, lines: Iterable[str]) -> int:
        """Add to the event log what it lacks; gives the last seq. Raises EventError (nothing is added) and OSError."""
        return self._log.append(lines)

    def watch(self, watched: bool) -> None:
        """Someone watches by HTTP, or nobody does: how long segments become from now on, and how soon they are told."""
        self._watched = watched
        self._segment_s = WATCHED_S if watched else TARGET_S
        for track in self._tracks.values():
            track.segment_s = self._segment_s
        try:
            for stored in self._stored.values():
                self._tell_chunks(stored)
        except OSError as error:
            self.stop(error)

    def heard(self) -> None:
        """Media have come: recording is on. Called with the first of them, and again after a stop."""
        if not self.state:
            self.state = "on"
            self._tell("on", "")

    def tick(self, now_us: int) -> None:
        """About once a second."""
        self._now_us = now_us
        if self.state == "stopped":
            return
        try:
            for track in self._tracks.values():
                track.tick(now_us)
            self._write_playlists(ended=False)
        except OSError as error:
            self.stop(error)

    def stop(self, error: OSError) -> None:
        """The disk does not take any more: keep what is there, and say that recording has stopped."""
        if self.state == "stopped":
            return
        reason = _reason(error)
        logger.error("%s: recording stops: %s", self.lesson_id, error)
        self.state, self.reason = "stopped", reason
        self._lost = reason
        self._cut_off = {track.entry.folder: 0 for track in self._tracks.values() if not track.ended}
        self._tell("stopped", reason)  # first: whoever is told makes a little room for what follows
        for track in self._tracks.values():
            self._try(track.writer.cut)
            track.abandon()
        self._try(lambda: self._write_playlists(ended=False))

    def go_on(self) -> None:
        """There is room again."""
        if self.state == "stopped":
            logger.info("%s: recording goes on", self.lesson_id)
            self.state, self.reason = "on", ""
            self._cut_off.clear()
            self._tell("on", "")

    def over(self, track: Track) -> None:
        """A publication has ended while recording was stopped."""
        if self._cut_off.get(track.entry.folder) == 0:
            self._cut_off[track.entry.folder] = self._now_us

    def close(self) -> int:
        """Finish the archive; gives its duration in ms. Raises OSError when the disk has no room even for that.

        Then nothing is lost, and it can be closed again later.
        """
        for track in self._tracks.values():
            self._try(track.end)
        for stored in self._stored.values():
            self._try(stored.writer.finish)
        self._dirty.update(self._stored)
        self._lead_dirty = True
        self._write_playlists(ended=True)
        tracks = [self._closed(stored) for stored in self._stored.values()]
        length = duration_ms([track for track in tracks if track.duration_ms])
        finished = dataclasses.replace(
            self._known,
            status="ready",
            reason=self._lost,
            duration_ms=length,
            tracks=tracks,
            files=self._files(),
        )
        write_manifest(self.folder, finished)
        return length

    def _closed(self, stored: StoredTrack) -> TrackEntry:
        """The track with its times; what a stop took off its end is a gap like any other."""
        entry = timed(stored.entry, stored.writer.parts)
        until_us = self._cut_off.get(entry.folder)
        if until_us is None:
            return entry
        until_ms = ((until_us or self._now_us) - self.epoch_us) // 1000
        end_ms = entry.start_ms + entry.duration_ms
        return dataclasses.replace(entry, gaps=[*entry.gaps, [end_ms, until_ms]]) if until_ms > end_ms else entry

    def _try(self, step: Callable[[], None]) -> None:
        """Do what may fail for want of room; the rest must be done all the same."""
        try:
            step()
        except OSError as error:
            self._lost = self._lost or _reason(error)
            logger.error("%s: %s", self.lesson_id, error)

    def _find(self, announced: Announcement) -> StoredTrack | None:
        for stored in self._stored.values():
            entry = stored.entry
            if entry.publication_id == announced.publication_id and entry.codec == announced.codec:
                return stored
        return None

    def _add(self, announced: Announcement) -> StoredTrack:
        name = folder_name(announced.publication_id)
        folder = name
        while folder in self._stored:
            folder = f"{name}+{sum(known.startswith(name) for known in self._stored) + 1}"
        entry = TrackEntry(
            folder=folder,
            publication_id=announced.publication_id,
            participant=announced.participant,
            kind=announced.kind,
            source=announced.source,
            lead=announced.lead,
            codec=announced.codec,
            timescale=announced.clock_rate,
            playlist=playlist_of(folder, announced.codec),
        )
        place = self.folder / TRACKS / folder
        place.mkdir(parents=True, exist_ok=True)
        begin_journal(place, self._known, entry)
        self._known = dataclasses.replace(self._known, tracks=[*self._known.tracks, entry])
        write_manifest(self.folder, self._known)
        return self._store(entry, [])

    def _store(self, entry: TrackEntry, parts: list[Part]) -> StoredTrack:
        stored = StoredTrack(self.folder, self.epoch_us, entry, parts, self._on_part)
        self._stored[entry.folder] = stored
        self._tell_chunks(stored)
        return stored

    def _tell_chunks(self, stored: StoredTrack) -> None:
        """While someone watches, the lead's sliding lists have each fragment as soon as it is written."""
        if _in_lead(stored.entry) and isinstance(stored.writer, SegmentWriter):
            stored.writer.watch((lambda part: self._on_chunk(stored, part)) if self._watched else None)

    def _on_chunk(self, stored: StoredTrack, part: Part) -> None:
        entry = stored.entry
        self._cut_before(entry, part.start / entry.timescale)
        self._lead.camera_on_air, self._lead.microphone_on_air = self._on_air("video"), self._on_air("audio")
        self._lead.begin(entry, part, self._lead_begin_ms())
        self._lead.write_live(ended=False)

    def _on_part(self, stored: StoredTrack, part: Part) -> None:
        entry = stored.entry
        form = stored.writer.format
        if not entry.codecs and form is not None:
            fresh = dataclasses.replace(entry, codecs=form.codecs, width=form.width, height=form.height)
            self._known = dataclasses.replace(
                self._known, tracks=[fresh if track.folder == entry.folder else track for track in self._known.tracks]
            )
            stored.entry = entry = fresh
            write_manifest(self.folder, self._known)
        stored.list(part)
        self._dirty.add(entry.folder)
        if part.media and _in_lead(entry):
            self._cut_before(entry, part.start / entry.timescale)
            self._lead.camera_on_air, self._lead.microphone_on_air = self._on_air("video"), self._on_air("audio")
            self._lead.add(entry, part, self._lead_begin_ms())
            self._lead_dirty = True

    def _on_air(self, kind: str) -> bool:
        """Whether one of the lead's tracks that HLS can have is being recorded."""
        entries = (track.entry for track in self._tracks.values() if not track.ended)
        return any(entry.kind == kind and entry.codec != "VP8" and _in_lead(entry) for entry in entries)

    def _cut_before(self, later: TrackEntry, start_s: float) -> None:
        """End the open parts of the lead's other tracks that come before one of `later`: the lists only grow.

        A teacher whose browser died has published anew before the old track is known to be over.
        """
        for stored in self._stored.values():
            entry, begun = stored.entry, stored.writer.begun
            other = entry.folder != later.folder and entry.source == later.source and _in_lead(entry)
            if other and begun is not None and begun / entry.timescale < start_s:
                stored.writer.cut()

    def _lead_begin_ms(self) -> int:
        """Where the lead's first media began: finished parts and those still open."""
        begins = []
        for stored in self._stored.values():
            if _in_lead(stored.entry):
                begun = stored.writer.begun
                first = next((part.start for part in stored.writer.parts if part.media), begun)
                if first is not None:
                    begins.append(first * 1000 // stored.entry.timescale)
        return min(begins)

    def _replay_lead(self) -> None:
        """Put the parts of a resumed lesson into the lead's playlists, in the order they were finished in."""
        leads = [stored for stored in self._stored.values() if _in_lead(stored.entry)]
        parts = [
            (part.end / stored.entry.timescale, stored.entry, part)
            for stored in leads
            for part in stored.writer.parts
            if part.media
        ]
        for _, entry, part in sorted(parts, key=lambda item: item[0]):
            self._lead.add(entry, part, self._lead_begin_ms())
        self._lead_dirty = bool(parts)

    def _write_playlists(self, ended: bool) -> None:
        for folder in sorted(self._dirty):
            self._stored[folder].write_playlist(ended)
        self._dirty.clear()
        if self._lead_dirty:
            self._lead.write(ended)
            self._lead_dirty = False

    def _files(self) -> list[FileEntry]:
        files = [file for stored in self._stored.values() for file in stored.media_files()]
        small = [
            self.folder / EVENTS,
            *self.folder.glob("*.m3u8"),
            *self.folder.glob(GAP),
            *self.folder.glob(f"{TRACKS}/*/{GAP}"),
            *self.folder.glob(f"{TRACKS}/*/*.m3u8"),
            *self.folder.glob(f"{TRACKS}/*/{LEVELS}"),
        ]
        small += self.folder.glob("silence/*")
        small += slides.pages(self.folder)
        for path in sorted(small):
            if path.exists():
                data = path.read_bytes()
                relative = path.relative_to(self.folder).as_posix()
                files.append(FileEntry(relative, len(data), hashlib.sha256(data).hexdigest()))
        return files


def _reason(error: OSError) -> str:
    return "disk_full" if error.errno in _DISK_FULL else "disk_error"


def _in_lead(entry: TrackEntry) -> bool:
    return entry.lead and entry.source in ("camera", "microphone")
