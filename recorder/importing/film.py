"""A film (MP4, or whatever can be read) becomes a lesson: its picture the lead's camera, its sound the microphone.

All is written beside the archive's lessons and put among them in one step, so a lesson that was brought in is whole.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from recorder.event_log import EVENTS
from recorder.importing import picture, sound
from recorder.lesson import Lesson
from recorder.levels import LEVELS
from recorder.manifest import Manifest, TrackEntry, write_manifest
from recorder.opus import RATE as SOUND_RATE
from recorder.parts import begin_journal
from recorder.rendering.pictures import MAX_PIXELS
from recorder.rendering.progress import Progress, part
from recorder.segments import SegmentWriter
from recorder.stored_track import TRACKS, playlist_of

STAGING = ".importing"
PARTICIPANT = "imported"
LONGEST_S = 24 * 3600  # a damaged or malicious time stamp would have us write gaps and silence of years
# Films only: a file may also be a list of other files and addresses, whatever its name, and those would be read.
_ONLY = {
    "format_whitelist": "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,wav,mp3,aac,flac",
    "protocol_whitelist": "file",
}
CAMERA, MICROPHONE = "imported-camera", "imported-microphone"


class FilmError(Exception):
    """The file cannot be brought in; the text says why in one sentence."""


def time_of(film: Path) -> tuple[datetime, datetime]:
    """From when to when it was filmed, as it says itself, else by when the file was written. Raises FilmError."""
    with _opened(film) as container:
        length_s = (container.duration or 0) / av.time_base
        _check_time(film, length_s)
        length, written = timedelta(seconds=length_s), datetime.fromtimestamp(film.stat().st_mtime, UTC)
        try:
            begun = datetime.fromisoformat(container.metadata["creation_time"]).astimezone(UTC)
            if not 0 <= begun.timestamp() <= time.time():  # cameras whose clock was never set say anything
                raise ValueError(begun)
        except (KeyError, ValueError, OverflowError):
            begun = written - length
        return begun, begun + length


def bring_in(film: Path, archive: Path, lesson_id: str, title: str, begun: datetime, progress: Progress) -> int:
    """Make the lesson `lesson_id` of a film; gives its duration in ms. Raises FilmError, OSError, leaving nothing."""
    staging = archive / STAGING / lesson_id
    shutil.rmtree(staging, ignore_errors=True)
    try:
        known = Manifest(lesson_id, round(begun.timestamp() * 1_000_000), title)
        staging.mkdir(parents=True)
        tracks = _tracks(film, staging, known, progress)
        (staging / EVENTS).touch()
        write_manifest(staging, dataclasses.replace(known, tracks=tracks))
        duration_ms = Lesson.resume(staging, lambda state, reason: None).close()
        os.sync()  # what is promised must outlast a loss of power
        staging.rename(archive / lesson_id)
        return duration_ms
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        with contextlib.suppress(OSError):
            staging.parent.rmdir()


def _tracks(film: Path, folder: Path, known: Manifest, progress: Progress) -> list[TrackEntry]:
    """Write the film's picture and sound, each in a reading of its own."""
    with _opened(film) as container:
        shown = next((one for one in container.streams.video if one.codec_context and not _is_cover(one)), None)
        heard = next((one for one in container.streams.audio if one.codec_context), None)
        zero, length = (container.start_time or 0) / av.time_base, (container.duration or 0) / av.time_base
        if shown is not None and shown.codec_context.width * shown.codec_context.height > MAX_PIXELS:
            raise FilmError(f"{film} has a picture that is too large.")
        can_copy = shown is not None and picture.can_be_copied(container, shown)
        at_picture, at_sound = (one.index if one is not None else None for one in (shown, heard))
    tracks = []
    if at_picture is not None:
        entry, writer = _begin(folder, known, CAMERA, "video", "camera", "H264", picture.RATE)
        with _opened(film) as container:
            stream = container.streams[at_picture]
            assert isinstance(stream, VideoStream)
            work = picture.copy if can_copy else picture.encode
            work(container, stream, zero, writer, _told(film, part(progress, 0.0, 0.8), length))
        tracks.append(_ended(entry, writer))
    if at_sound is not None:
        entry, writer = _begin(folder, known, MICROPHONE, "audio", "microphone", "opus", SOUND_RATE)
        with _opened(film) as container:
            stream = container.streams[at_sound]
            assert isinstance(stream, AudioStream)
            levels = folder / TRACKS / entry.folder / LEVELS
            sound.encode(container, stream, zero, writer, levels, _told(film, part(progress, 0.8, 1.0), length))
        tracks.append(_ended(entry, writer))
    if not any(track.codecs for track in tracks):
        raise FilmError(f"{film} has neither picture nor sound that can be read.")
    progress(1.0)
    return [track for track in tracks if track.codecs]


def _begin(
    folder: Path, known: Manifest, name: str, kind: str, source: str, codec: str, rate: int
) -> tuple[TrackEntry, SegmentWriter]:
    entry = TrackEntry(name, name, PARTICIPANT, kind, source, True, codec, rate, playlist_of(name, codec))
    place = folder / TRACKS / name
    place.mkdir(parents=True)
    begin_journal(place, known, entry)
    return entry, SegmentWriter(place, rate, [], lambda part: None)


def _ended(entry: TrackEntry, writer: SegmentWriter) -> TrackEntry:
    writer.finish()
    form = writer.format
    if form is None or not any(part.media for part in writer.parts):
        return entry
    return dataclasses.replace(entry, codecs=form.codecs, width=form.width, height=form.height)


def _told(film: Path, progress: Progress, length_s: float) -> Callable[[float], None]:
    """Tells the progress about four times a second. Raises FilmError at a time that no film has."""
    told = 0.0

    def tell(at_s: float) -> None:
        nonlocal told
        _check_time(film, at_s)
        if length_s and (now := time.monotonic()) - told > 0.25:
            told = now
            progress(min(1.0, at_s / length_s))

    return tell


def _check_time(film: Path, at_s: float) -> None:
    if at_s > LONGEST_S:
        raise FilmError(f"{film} says that it is longer than {LONGEST_S // 3600} hours.")


def _is_cover(stream: VideoStream) -> bool:
    """A picture on the cover of a sound file."""
    return bool(stream.disposition & Disposition.attached_pic)


@contextlib.contextmanager
def _opened(film: Path) -> Iterator[InputContainer]:
    """The film. What cannot be read of it is told in one sentence."""
    try:
        with av.open(str(film), options=_ONLY) as container:
            yield container
    except FileNotFoundError as error:
        raise FilmError(f"There is no file {film}.") from error
    except av.FFmpegError as error:
        raise FilmError(f"{film} cannot be read as a film: {error.strerror}.") from error
