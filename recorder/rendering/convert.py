"""VP8 becomes H.264 once a lesson is over: segments and a playlist like those of every other track, and no WebM.

VP8 has no home in MP4, so such a track is one WebM file that HLS cannot play. The new track is written beside it, then
the manifest and the lead teacher's playlists name it, then the WebM goes. Whatever moment it is killed at, the lesson
is as it was or as it shall be, and the next run does what is left.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from recorder.files import replace
from recorder.lesson import Lesson
from recorder.manifest import Manifest, StillOpenError, TrackEntry, read_manifest, update_manifest
from recorder.parts import begin_journal, gaps, read_parts
from recorder.playlists import TARGET_S
from recorder.rendering.annexb import to_sample
from recorder.rendering.mp4 import Packet
from recorder.rendering.pictures import Pictures
from recorder.rendering.progress import Progress, part
from recorder.segments import SegmentWriter
from recorder.stored_track import TRACKS, playlist_of

_FROM, _TO = "VP8", "H264"
_RATE = 90_000  # ticks per second of every track of WebM
_MARK = "converted.json"  # in the new track's folder: whole, but perhaps not yet in the manifest
_SUFFIX = "+h264"  # of the new track's folder; no publication's name has a "+"
# Key frames stand where we ask for them, because segments begin there; no B-frames, which our segments do not have.
_ENCODER = {"preset": "veryfast", "crf": "22", "bf": "0", "sc_threshold": "0", "forced-idr": "1"}

logger = logging.getLogger(__name__)


def convert(folder: Path, progress: Progress) -> None:
    """Convert the VP8 tracks of the finished lesson in `folder`; does nothing where there are none.

    Raises StillOpenError when the lesson is recorded again meanwhile, or was, ManifestError and OSError, and what
    `progress` raises; the lesson then is playable as it was.
    """
    manifest = read_manifest(folder)
    if manifest.status == "recording":
        raise StillOpenError(folder.name)
    _clear(folder, manifest)
    tracks = [track for track in manifest.tracks if track.codec == _FROM and track.duration_ms]
    whole, done = sum(track.duration_ms for track in tracks), 0
    progress(0.0)
    for track in tracks:
        piece = part(progress, done / whole, (done + track.duration_ms) / whole)
        done += track.duration_ms
        fresh = _successor(folder, manifest, track, piece)
        if fresh is None:
            logger.warning("%s: no picture of %s can be decoded; it stays as it is", folder.name, track.folder)
            continue
        manifest = update_manifest(folder, partial(_exchanged, folder, track, fresh))
        shutil.rmtree(folder / TRACKS / track.folder)
        (folder / TRACKS / fresh.folder / _MARK).unlink()
    progress(1.0)


def _clear(folder: Path, manifest: Manifest) -> None:
    """Take away what a run that was killed has left: a track half made, or one that has its successor."""
    known = {track.folder for track in manifest.tracks}
    for place in sorted((folder / TRACKS).iterdir()) if (folder / TRACKS).exists() else ():
        if place.name in known:
            (place / _MARK).unlink(missing_ok=True)
            continue
        succeeded = any(each.startswith(place.name + _SUFFIX) for each in known)
        half_made = _SUFFIX in place.name and not (place / _MARK).exists()
        if succeeded or half_made:
            shutil.rmtree(place)


def _exchanged(folder: Path, old: TrackEntry, new: TrackEntry, known: Manifest) -> Manifest:
    """The manifest with `new` for `old`: the lesson is closed once more, which reads no media."""
    if old not in known.tracks:  # it went on and ended again: what was made lacks that, and the old one has it
        raise StillOpenError(folder.name)
    tracks = [new if track.folder == old.folder else track for track in known.tracks]
    Lesson(folder, dataclasses.replace(known, tracks=tracks), lambda state, reason: None).close()
    return dataclasses.replace(read_manifest(folder), status=known.status, reason=known.reason)


def _successor(folder: Path, manifest: Manifest, track: TrackEntry, progress: Progress) -> TrackEntry | None:
    """What shall stand in a track's stead, whole in its folder; None if no picture of it can be decoded."""
    known = {each.folder for each in manifest.tracks}
    name = track.folder + _SUFFIX
    while name in known:
        name += "-"
    place = folder / TRACKS / name
    mark = place / _MARK
    if mark.exists():  # made by a run that was killed before it could say so in the manifest
        made = TrackEntry(**json.loads(mark.read_bytes()))
        if made == dataclasses.replace(made, start_ms=track.start_ms, duration_ms=track.duration_ms, gaps=track.gaps):
            return made
        shutil.rmtree(place)  # the lesson went on meanwhile
    fresh = dataclasses.replace(track, folder=name, codec=_TO, playlist=playlist_of(name, _TO))
    place.mkdir()
    try:
        begin_journal(place, manifest, fresh)
        writer = SegmentWriter(place, track.timescale, [], lambda part: None)
        _write(folder, track, writer, progress)
        if writer.format is None:
            shutil.rmtree(place)
            return None
        format = writer.format
        fresh = dataclasses.replace(fresh, codecs=format.codecs, width=format.width, height=format.height)
        os.sync()  # what the mark and the manifest promise must outlast a loss of power
        replace(mark, json.dumps(dataclasses.asdict(fresh)))
    except BaseException:
        shutil.rmtree(place)
        raise
    return fresh


def _write(folder: Path, track: TrackEntry, writer: SegmentWriter, progress: Progress) -> None:
    """Encode the pictures of a track; each lasts until the next, or until a gap that the track has there."""
    parts = read_parts(folder / TRACKS / track.folder)
    rate = track.timescale
    holes = gaps(parts, rate // 10)
    end = max(each.end for each in parts if each.media)
    for span in (span for each in parts for span in each.lost):
        writer.lost(*span)
    encoder: _Encoder | None = None
    told = time.monotonic()
    for (start, picture), following in _with_next(iter(Pictures(folder, track))):
        until = following[0] if following is not None else end
        hole = next((each for each in holes if start < each[0] < until), None)
        if encoder is None or encoder.size != (picture.width, picture.height):
            if encoder is not None:
                encoder.end()
            encoder = _Encoder(picture.width, picture.height, writer)
        encoder.add(start, (hole[0] if hole else until) - start, picture, hole)
        if (now := time.monotonic()) - told > 0.25:
            told = now
            progress((start * 1000 / rate - track.start_ms) / track.duration_ms)
    if encoder is not None:
        encoder.end()


def _with_next(
    pictures: Iterator[tuple[int, VideoFrame]],
) -> Iterator[tuple[tuple[int, VideoFrame], tuple[int, VideoFrame] | None]]:
    held = next(pictures, None)
    while held is not None:
        following = next(pictures, None)
        if following is None or following[0] > held[0]:
            yield held, following
            held = following


class _Encoder:
    """Pictures of one size into the writer's segments, each of which begins with a key frame."""

    def __init__(self, width: int, height: int, writer: SegmentWriter) -> None:
        self.size = width, height
        self._writer = writer
        self._even = width + width % 2, height + height % 2  # half as many colours must be whole
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height = self._even
        context.pix_fmt, context.options, context.thread_count = "yuv420p", _ENCODER, 1
        context.time_base, context.framerate, context.gop_size = Fraction(1, _RATE), Fraction(30), 1 << 30
        self._context = context
        self._begun: int | None = None  # the segment of what was given to the encoder last
        self._given: dict[int, tuple[int, tuple[int, int] | None]] = {}  # by time: duration, the hole that follows

    def add(self, start: int, duration: int, picture: VideoFrame, hole: tuple[int, int] | None) -> None:
        """A picture with its time and duration in ticks. Raises OSError."""
        key = self._begun is None or start + duration - self._begun > TARGET_S * _RATE
        if key:
            self._begun = start
        if hole:
            self._begun = None
        width, height = self._even
        frame = picture.reformat(width, height, "yuv420p")
        frame.pts, frame.time_base = start, Fraction(1, _RATE)
        frame.pict_type = PictureType.I if key else PictureType.NONE
        self._given[start] = duration, hole
        self._write(self._context.encode(frame))

    def end(self) -> None:
        """Write what the encoder still holds. Raises OSError."""
        self._write(self._context.encode(None))
        self._writer.cut()

    def _write(self, packets: list[Packet]) -> None:
        for packet in packets:
            assert packet.pts is not None
            duration, hole = self._given.pop(packet.pts)
            format, sample = to_sample(bytes(packet))
            if packet.is_keyframe:
                self._writer.cut()
            if format is not None:
                self._writer.set_format(format)
            self._writer.add(packet.pts, duration, sample, packet.is_keyframe)
            if hole:
                self._writer.cut()
                self._writer.gap(*hole, TARGET_S * _RATE)
