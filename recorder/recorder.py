"""All lessons being recorded: opens, resumes, feeds and closes them. Knows no socket; time is an argument.

Which lessons are open stands in `<archive>/.open/`, one empty file each, so that a start need not read every manifest.
A mark goes when all that was written of its lesson is durable; so whatever power is lost, repair finds it.
A lesson comes into being by `OpenLesson` or by its first track, whichever is earlier; a finished one is opened again
only by `OpenLesson`, because packets of a lesson that has just been closed may still be on their way.
"""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path

from media.recording_link import Report
from media.recording_link import Track as Announcement
from recorder.describe import NoRecordingError, describe
from recorder.event_log import EVENTS, EventError, whole_events
from recorder.lesson import Lesson
from recorder.manifest import NAME, ManifestError, read_manifest
from recorder.messages import (
    Appended,
    AppendEvents,
    Closed,
    CloseLesson,
    Done,
    Event,
    ListOpen,
    Open,
    Opened,
    OpenLesson,
    OpenRecording,
    RecordingChanged,
    Refused,
    Reply,
    Request,
    WatchLesson,
)
from recorder.repair import repair
from recorder.repair_track import cut_torn_line
from recorder.stored_track import TRACKS
from recorder.track import Track

MARKS = ".open"
RESERVE = (
    ".reserve"  # room kept back: given free when the disk is full, for the playlists and manifests of what is there
)
RESERVE_BYTES = 8_000_000
BOOT = ".boot"  # which start of the machine wrote here last: after another one, what was not synced may be lost
RETRY_ATTACH_US = 200_000  # between two looks whether a lesson that was over is open again
RETRY_US = 30_000_000  # after the disk refused something, before we try again
ABANDONED_US = 600_000_000  # found open at start, and neither server nor worker has asked for it since

_LESSON_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")

logger = logging.getLogger(__name__)


class Feed:
    """One publication on one worker's connection: packets go to its track, while its lesson is open."""

    __slots__ = ("_announced", "_ask", "_lesson", "_recorder", "_refused", "_retry_us", "_track")

    def __init__(self, recorder: Recorder, announced: Announcement, ask: Callable[[], None]) -> None:
        self._recorder = recorder
        self._announced = announced
        self._ask = ask
        self._lesson: Lesson | None = None
        self._track: Track | None = None
        self._refused = False  # for good: a codec we cannot store
        self._retry_us = 0
        self._attach()

    def packet(
        self, arrival_us: int, sequence: int, timestamp: int, ssrc: int, marker: bool, payload: bytes, level: int
    ) -> None:
        """A packet of the publication; dropped while it cannot be recorded."""
        lesson, track = self._lesson, self._track
        if track is None or lesson is None or lesson.state != "on":
            track = self._revive(arrival_us)
            if track is None:
                return
            lesson = self._lesson
            assert lesson is not None
        try:
            track.receive(arrival_us, sequence, timestamp, ssrc, marker, payload, level)
        except OSError as error:
            lesson.stop(error)
        except Exception:
            # A bug that one publication has met must not end the recording of all others.
            logger.exception("%s cannot be recorded any more", self._announced.publication_id)
            self._track, self._refused = None, True

    def report(self, report: Report) -> None:
        """A sender report of the publication."""
        if self._track is not None:
            self._track.report(report)

    def end(self) -> None:
        """The publication has ended."""
        if self._track is None or self._lesson is None:
            return
        if self._lesson.state != "on":
            self._lesson.over(self._track)
            return
        try:
            self._track.end()
        except OSError as error:
            self._lesson.stop(error)

    def leave(self, since_us: int) -> None:
        """The worker's connection ended at `since_us`. If nothing has come by another one, the publication is over."""
        if self._track is not None and self._track.last_arrival_us <= since_us:
            self.end()

    def _revive(self, now_us: int) -> Track | None:
        """The track to record in, if by now there is one."""
        if self._refused or now_us < self._retry_us:
            return None
        if self._track is None or (self._lesson is not None and self._lesson.state == "closed"):
            self._retry_us = now_us + RETRY_ATTACH_US
            self._attach()
        if self._lesson is None or self._track is None or self._lesson.state == "stopped":
            return None
        self._lesson.heard()
        return self._track

    def _attach(self) -> None:
        self._track = None
        self._lesson = self._recorder.lesson_of(self._announced)
        if self._lesson is None or self._lesson.state == "stopped":
            return
        try:
            self._track = self._lesson.attach(self._announced, self._ask)
            self._refused = self._track is None
        except OSError as error:
            self._lesson.stop(error)


class Recorder:
    def __init__(self, archive: Path, tell: Callable[[Event], None]) -> None:
        """`archive` is the folder of all lessons; `tell` is called with each event. Raises OSError."""
        self._archive = archive
        self._tell = tell
        self._lessons: dict[str, Lesson] = {}
        self._asked_for: set[str] = set()  # lessons the server or a worker has named since we started
        self._over: dict[str, int] = {}  # closed lessons by the sync that makes them durable, 0 while that is not known
        self._retry_us = 0
        (archive / MARKS).mkdir(parents=True, exist_ok=True)
        self._keep_reserve()

    def start(self, now_us: int) -> None:
        """Repair and resume what a former recorder left open."""
        boot = _boot()
        thorough = not boot or boot != _read(self._archive / BOOT)
        for mark in sorted((self._archive / MARKS).iterdir()):
            folder = self._archive / mark.name
            try:
                if not self._resume(folder, thorough):
                    mark.unlink()
                elif lesson := self._lessons.get(mark.name):
                    lesson.active_us = now_us
                    lesson.tick(now_us)
            except FileNotFoundError:
                logger.warning("%s: nothing was written of it", mark.name)
                mark.unlink(missing_ok=True)
            except Exception:  # a broken disk, or a bug; the others must go on, and the next start tries again
                logger.exception("%s: cannot be resumed", mark.name)
        (self._archive / BOOT).write_text(boot)

    def _resume(self, folder: Path, thorough: bool) -> bool:
        """Take up a lesson that was left open; False if it is closed, and was so long enough to be durable."""
        try:
            closed = read_manifest(folder).status != "recording"
        except (FileNotFoundError, ManifestError):
            closed = False
        if closed and not thorough:
            return False
        repair(folder, thorough)
        self._lessons[folder.name] = Lesson.resume(folder, self._teller(folder.name))
        logger.info("%s: resumed", folder.name)
        return True

    def handle(self, request: Request) -> Reply:
        """Do what the server asks."""
        try:
            match request:
                case OpenLesson():
                    return self._open(request)
                case AppendEvents():
                    lesson = self._lessons.get(request.lesson_id)
                    if lesson is None:
                        return self._unknown(request.lesson_id)
                    return Appended(lesson.append_events(request.events))
                case WatchLesson():
                    lesson = self._lessons.get(request.lesson_id)
                    if lesson is None:
                        return self._unknown(request.lesson_id)
                    lesson.watch(request.watched)
                    return Done()
                case CloseLesson():
                    return self._close(request.lesson_id)
                case ListOpen():
                    return Open(tuple(OpenRecording(key, lesson.last_seq) for key, lesson in self._lessons.items()))
        except EventError as error:
            return Refused("event_malformed", str(error))
        except ManifestError as error:
            return Refused("unknown_lesson", str(error))
        except OSError as error:
            return Refused("disk_full" if error.errno == errno.ENOSPC else "disk_error", str(error))

    def feed(self, announced: Announcement, ask_key_frame: Callable[[], None]) -> Feed:
        """Where a publication's packets go."""
        return Feed(self, announced, ask_key_frame)

    def lesson_of(self, announced: Announcement) -> Lesson | None:
        """The open lesson a track belongs to, created if it is new; None if it is over or cannot be created."""
        lesson_id = announced.lesson_id
        lesson = self._lessons.get(lesson_id)
        if lesson is None:
            if not _LESSON_ID.fullmatch(lesson_id) or self._folder_exists(lesson_id):
                return None
            try:
                lesson = self._create(lesson_id, announced.epoch_us, "")
            except OSError as error:
                logger.error("%s: cannot be recorded: %s", lesson_id, error)
                self._tell(RecordingChanged(lesson_id, "stopped", "disk_full"))
                return None
        self._asked_for.add(lesson_id)
        return lesson

    def tick(self, now_us: int) -> None:
        """About once a second."""
        for lesson_id, lesson in self._lessons.items():
            try:
                lesson.tick(now_us)
            except Exception:
                logger.exception("%s: a bug; its other tracks and all other lessons go on", lesson_id)
        for lesson_id in [key for key in self._lessons if key not in self._asked_for]:
            if now_us - self._lessons[lesson_id].active_us > ABANDONED_US:
                logger.info("%s: closed, nobody came back to it", lesson_id)
                self._close(lesson_id)

    def room(self, enough: bool, plenty: bool, now_us: int) -> None:
        """How much the disk has free, told about once a second: stop before it is full, go on when there is room."""
        for lesson in self._lessons.values():
            if not enough and lesson.state in ("", "on"):
                lesson.stop(OSError(errno.ENOSPC, "little room is left on the disk"))
                self._retry_us = now_us + RETRY_US
            elif plenty and lesson.state == "stopped":
                self._retry_us = self._retry_us or now_us + RETRY_US
                if now_us >= self._retry_us:
                    lesson.go_on()
        if plenty and not self._reserve.exists():
            self._keep_reserve()
        if all(lesson.state != "stopped" for lesson in self._lessons.values()):
            self._retry_us = 0

    @property
    def busy(self) -> bool:
        """Whether any lesson is open, so that something may have been written, or was and is not durable yet."""
        return bool(self._lessons or self._over)

    def synced(self, done: int, following: int) -> None:
        """About once a second: sync number `done` was the last to end, `following` is the next to begin."""
        for lesson_id, number in list(self._over.items()):
            if not number:
                self._over[lesson_id] = following
            elif number <= done:
                del self._over[lesson_id]
                (self._archive / MARKS / lesson_id).unlink(missing_ok=True)

    def states(self) -> list[RecordingChanged]:
        """The truth about each open lesson, for a server that has just connected."""
        return [
            RecordingChanged(key, "on" if lesson.state == "on" else "stopped", lesson.reason)
            for key, lesson in self._lessons.items()
            if lesson.state
        ]

    def close(self) -> None:
        """Close all recordings; their lessons may be opened again."""
        for lesson_id in list(self._lessons):
            try:
                self._close(lesson_id)
            except OSError as error:
                logger.error("%s: not closed, repaired at the next start: %s", lesson_id, error)

    def _open(self, request: OpenLesson) -> Reply:
        lesson_id = request.lesson_id
        if not _LESSON_ID.fullmatch(lesson_id):
            return Refused("lesson_id_invalid", f"no lesson may be called {lesson_id[:100]!r}")
        lesson = self._lessons.get(lesson_id)
        if lesson is None:
            if self._folder_exists(lesson_id):
                (self._archive / MARKS / lesson_id).touch()
                folder = self._archive / lesson_id
                if not self._resume(folder, thorough=False):
                    cut_torn_line(folder / EVENTS)  # what a disk has done to it since must not end up in mid-line
                    whole_events(folder / EVENTS)
                    self._lessons[lesson_id] = Lesson.resume(folder, self._teller(lesson_id))
                lesson = self._lessons[lesson_id]
                self._over.pop(lesson_id, None)
            else:
                lesson = self._create(lesson_id, request.epoch_us, request.title)
        lesson.name(request.title)
        self._asked_for.add(lesson_id)
        return Opened(lesson.last_seq)

    def _create(self, lesson_id: str, epoch_us: int, title: str) -> Lesson:
        (self._archive / MARKS / lesson_id).touch()
        folder = self._archive / lesson_id
        lesson = self._lessons[lesson_id] = Lesson.create(folder, lesson_id, epoch_us, title, self._teller(lesson_id))
        return lesson

    def _close(self, lesson_id: str) -> Reply:
        lesson = self._lessons.get(lesson_id)
        if lesson is not None:
            duration_ms = lesson.close()
            lesson.state = "closed"
            del self._lessons[lesson_id]
            self._asked_for.discard(lesson_id)
            self._over[lesson_id] = 0
            return Closed(duration_ms)
        if _LESSON_ID.fullmatch(lesson_id):
            try:
                return Closed(describe(self._archive / lesson_id)["duration_ms"])
            except NoRecordingError:
                pass
        return self._unknown(lesson_id)

    def _folder_exists(self, lesson_id: str) -> bool:
        return any((self._archive / lesson_id / name).exists() for name in (NAME, TRACKS, EVENTS))

    @property
    def _reserve(self) -> Path:
        return self._archive / RESERVE

    def _keep_reserve(self) -> None:
        try:
            with self._reserve.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        except OSError as error:
            logger.warning("no room is kept back for the end of recordings: %s", error)
            self._reserve.unlink(missing_ok=True)

    def _teller(self, lesson_id: str) -> Callable[[str, str], None]:
        def tell(state: str, reason: str) -> None:
            if state == "stopped":
                self._reserve.unlink(missing_ok=True)
            self._tell(RecordingChanged(lesson_id, "on" if state == "on" else "stopped", reason))

        return tell

    @staticmethod
    def _unknown(lesson_id: str) -> Refused:
        return Refused("unknown_lesson", f"no lesson {lesson_id[:100]!r} is being recorded")


def _boot() -> str:
    """Which start of the machine this is, "" where nobody says."""
    return _read(Path("/proc/sys/kernel/random/boot_id"))


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
