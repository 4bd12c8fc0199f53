"""A finished lesson of any length, written by the recorder's own writers without packets, clocks or a process."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder import formats, opus
from recorder.event_log import EVENTS
from recorder.formats import OPUS, Format
from recorder.lesson import Lesson
from recorder.levels import LEVELS, LevelLog
from recorder.manifest import Manifest, TrackEntry, write_manifest
from recorder.parts import begin_journal
from recorder.playlists import TARGET_S
from recorder.rendering.annexb import to_sample
from recorder.segments import SegmentWriter
from recorder.stored_track import TRACKS, playlist_of
from recorder.webm_file import WebmWriter
from recorder.writer import Writer
from tests.recorder.source import Sample

EPOCH_US = 1_700_000_000_000_000
TITLE = "a lesson"
RATE = 90_000


@dataclass(frozen=True)
class Piece:
    """Samples from a moment of the lesson on."""

    at_ms: int
    samples: Sequence[Sample]
    level: int = 20  # of sound, dB below full scale


@dataclass(frozen=True)
class Recorded:
    """A publication and what came of it; between its pieces pictures have a gap, and sound is silent."""

    name: str
    codec: str
    pieces: Sequence[Piece]
    source: str = "camera"
    participant: str = "t-1"
    lead: bool = True


def archived(folder: Path, recorded: Iterable[Recorded], events: Sequence[dict[str, Any]] = ()) -> Path:
    """A closed lesson in `folder`, which is given back. Pictures are those of source.py, at 20 a second or as given."""
    folder.mkdir(parents=True)
    entries = []
    for each in recorded:
        place = folder / TRACKS / each.name
        place.mkdir(parents=True)
        sound = each.codec == "opus"
        rate = opus.RATE if sound else RATE
        entry = TrackEntry(
            folder=each.name,
            publication_id=each.name,
            participant=each.participant,
            kind="audio" if sound else "video",
            source=each.source,
            lead=each.lead,
            codec=each.codec,
            timescale=rate,
            playlist=playlist_of(each.name, each.codec),
        )
        begin_journal(place, Manifest(folder.name, EPOCH_US, TITLE), entry)
        kind = WebmWriter if each.codec == "VP8" else SegmentWriter
        writer: Writer = kind(place, rate, [], lambda part: None)
        if sound:
            _write_sound(writer, place / LEVELS, each.pieces)
        else:
            _write_pictures(writer, each.codec, each.pieces)
        writer.cut()
        form = writer.format
        assert form is not None
        entries.append(dataclasses.replace(entry, codecs=form.codecs, width=form.width, height=form.height))
    lines = [
        json.dumps({"seq": number, "actor": "server", **event}) + "\n" for number, event in enumerate(events, start=1)
    ]
    (folder / EVENTS).write_text("".join(lines))
    known = Manifest(folder.name, EPOCH_US, TITLE, tracks=entries)
    write_manifest(folder, known)
    Lesson(folder, known, lambda state, reason: None).close()
    return folder


def _write_sound(writer: Writer, levels: Path, pieces: Sequence[Piece]) -> None:
    writer.set_format(OPUS)
    at = pieces[0].at_ms * 48
    log = LevelLog(levels, at, at)
    for piece in pieces:
        packets = [*opus.silence(piece.at_ms * 48 - at), *((960, sample.data) for sample in piece.samples)]
        for duration, data in packets:
            if writer.begun is not None and at + duration - writer.begun > TARGET_S * opus.RATE:
                writer.cut()
            writer.add(at, duration, data, True)
            at += duration
            log.add(at, piece.level if len(data) > 3 else 127)
    log.flush()


def _write_pictures(writer: Writer, codec: str, pieces: Sequence[Piece]) -> None:
    end = None
    for piece in pieces:
        begin = piece.at_ms * RATE // 1000
        if end is not None and begin - end > RATE // 10:
            writer.cut()
            writer.gap(end, begin, TARGET_S * RATE)
        for start, duration, sample in _with_durations(begin, piece.samples):
            form, data = _sample(codec, sample)
            if form is not None:
                writer.set_format(form)
            if writer.begun is not None and sample.key and start - writer.begun >= TARGET_S * RATE // 2:
                writer.cut()
            writer.add(start, duration, data, sample.key)
            end = start + duration


def _with_durations(begin: int, samples: Sequence[Sample]) -> Iterator[tuple[int, int, Sample]]:
    starts = [begin + sample.at_us * RATE // 1_000_000 for sample in samples]
    ends = [*starts[1:], 2 * starts[-1] - starts[-2]]
    for start, end, sample in zip(starts, ends, samples, strict=True):
        yield start, end - start, sample


def _sample(codec: str, sample: Sample) -> tuple[Format | None, bytes]:
    if codec == "H264":
        return to_sample(sample.data)
    read = {"VP8": formats.vp8, "VP9": formats.vp9}[codec]
    return (read(sample.data) if sample.key else None), sample.data
