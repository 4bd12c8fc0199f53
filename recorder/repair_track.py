"""A track's files after a crash, made to agree with each other: journal, initialisation segments, media.

A process that is killed leaves one unfinished segment; a loss of power may also take back what was not synced yet, or
leave blocks of zeros, so what is recent is then checked against its hash. Torn ends are cut, what the journal does not
know enters it, and what it knows but is not there becomes a gap, or silence: the timeline never shrinks.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO

from recorder import boxes, opus, webm
from recorder.formats import OPUS
from recorder.init_segment import InitSegment
from recorder.manifest import TrackEntry
from recorder.parts import JOURNAL, Part, init_part, read_journal, write_journal
from recorder.webm_file import WEBM_FILE, media_end

UNSYNCED_NS = 15_000_000_000  # what was written so long before the last write may be lost; the rest was synced long ago

LONGEST_GAP_S = 6  # of one entry in a playlist

_LEAST_CLUSTER = 31  # bytes, of one with an empty frame
_RECENT_PARTS = 8  # of a WebM file, far more than are written between two syncs
_USUAL_FRAMES = 15  # per second, for the last frame of a WebM file, which says no duration
_HOLE = bytes(512)  # a lost sector: no codec writes so many zeros, H.264 never more than three
_END = bytes(8)  # of a file whose last sector is lost

_SEGMENT = re.compile(r"seg-\d+\.m4s")

logger = logging.getLogger(__name__)


def repair_track(
    place: Path,
    entry: TrackEntry,
    epoch_us: int,
    thorough: bool,
    elsewhere: Callable[[Part], bool] = lambda part: False,
) -> int:
    """Make the track in `place` whole; gives how many of its parts are new or other than before. Raises OSError.

    `thorough` after a loss of power: what was written last may not be what was meant to be written. `elsewhere` says of
    a segment that is not in `place` whether it is lost or has only been moved to a store.
    """
    place.mkdir(parents=True, exist_ok=True)
    cut_torn_line(place / JOURNAL)
    journal = read_journal(place)
    there = _There(place, thorough)
    if entry.codec == "VP8":
        parts = _webm(place, entry, epoch_us, journal.parts, there.doubted(WEBM_FILE))
    else:
        parts = _segments(place, entry, journal.parts, there, elsewhere)
    if parts == journal.parts and not journal.damaged:
        return 0
    if parts[: len(journal.parts)] == journal.parts and not journal.damaged:
        with (place / JOURNAL).open("a") as file:
            file.writelines(part.to_line() for part in parts[len(journal.parts) :])
    else:
        write_journal(place, journal.owner, parts)
    return len([part for part in parts if part not in journal.parts])


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


class _There:
    """The files of a folder as they were found, looked up once: a long lesson has thousands."""

    def __init__(self, place: Path, thorough: bool) -> None:
        self._files = {entry.name: entry.stat() for entry in os.scandir(place)}
        newest = max((status.st_mtime_ns for status in self._files.values()), default=0)
        self._since = newest - UNSYNCED_NS if thorough else newest

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def size(self, name: str) -> int:
        """Bytes, 0 for none."""
        return self._files[name].st_size if name in self._files else 0

    def doubted(self, name: str) -> bool:
        """Whether it may have other contents than were written."""
        return name in self._files and self._files[name].st_mtime_ns > self._since

    def segments(self) -> list[str]:
        return sorted(name for name in self._files if _SEGMENT.fullmatch(name))


# ── segments ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _segments(
    place: Path,
    entry: TrackEntry,
    parts: list[Part],
    there: _There,
    elsewhere: Callable[[Part], bool],
) -> list[Part]:
    heads = _heads(place, entry, parts)
    mended: list[Part] = []
    for part in parts:
        if part.head:
            if part.file in heads:
                mended.append(heads[part.file])
        elif part.gap or (part.file not in there and elsewhere(part)):
            mended.append(part)
        elif part.init not in heads:
            logger.error("%s: %s is lost, and %s cannot be played without it", place, part.init, part.file)
            mended.append(Part(part.start, part.duration))
        elif there.size(part.file) == part.size and not there.doubted(part.file):
            mended.append(part)
        else:
            mended += _checked(place / part.file, part, entry.kind == "audio")
    listed = {part.file for part in mended}
    mended[:0] = [head for name, head in heads.items() if name not in listed]
    known = {part.file for part in parts}
    for name in there.segments():
        if name not in known:
            _take_in(place / name, mended)
    mended = _bridged(mended, entry.timescale)
    while mended and mended[-1].gap:  # whoever resumes bridges to what comes next
        mended.pop()
    return mended


def _heads(place: Path, entry: TrackEntry, parts: list[Part]) -> dict[str, Part]:
    """The initialisation segments that are there or can be made again, by name."""
    heads: dict[str, Part] = {}
    for part in parts:
        if not part.head or part.file in heads:
            continue
        path = place / part.file
        data = path.read_bytes() if path.exists() else b""
        kept = part.bytes_kept or (boxes.init_segment(OPUS.entry, opus.RATE) if entry.codec == "opus" else b"")
        if hashlib.sha256(data).hexdigest() == part.sha256:
            heads[part.file] = part
        elif hashlib.sha256(kept).hexdigest() == part.sha256:
            logger.warning("%s: written again from the journal", path)
            path.write_bytes(kept)
            heads[part.file] = part
    for path in sorted(place.glob("init-*.mp4")):  # their lines are lost, or the whole journal is
        if path.name not in heads:
            data = path.read_bytes()
            init = InitSegment.read(data)
            if init is not None and init.codec == entry.codec:
                heads[path.name] = init_part(path.name, data, hashlib.sha256(data).hexdigest())
    if not heads and entry.codec == "opus" and any(place.glob("seg-*.m4s")):  # the same for all sound
        data = boxes.init_segment(OPUS.entry, opus.RATE)
        (place / "init-1.mp4").write_bytes(data)
        heads["init-1.mp4"] = init_part("init-1.mp4", data, hashlib.sha256(data).hexdigest())
    return heads


def _checked(path: Path, part: Part, sound: bool) -> list[Part]:
    """A segment the journal knows: as it is, or what is left of it and a gap; of sound, silence for what is lost."""
    found = path.read_bytes() if path.exists() else b""
    data = found[: part.size]
    if hashlib.sha256(data).hexdigest() == part.sha256:
        if len(found) > part.size:
            os.truncate(path, part.size)
        return [part]
    logger.warning("%s: %s of %s bytes are whole or less", path, len(data), part.size)
    whole = _whole_fragments(data)
    return [_silenced(path, part, data, whole)] if sound else _cut(path, part, data, whole)


def _whole_fragments(data: bytes) -> list[boxes.FragmentSpan]:
    """Those a segment begins with that are complete, and have no block that was never written."""
    spans = []
    for span in boxes.fragments(data):
        if _never_written(data[span.offset : span.offset + span.size]):
            break
        spans.append(span)
    return spans


def _never_written(data: bytes) -> bool:
    return _HOLE in data or data.endswith(_END)


def _part(path: Path, data: bytes, spans: list[boxes.FragmentSpan], init: str) -> Part:
    """These fragments as a part, with the file cut to them."""
    first, last = spans[0], spans[-1]
    size = last.offset + last.size
    if size != path.stat().st_size:
        os.truncate(path, size)
    digest = hashlib.sha256(data[:size]).hexdigest()
    return Part(first.start, last.start + last.duration - first.start, path.name, init, 0, size, digest, first.key)


def _cut(path: Path, part: Part, data: bytes, spans: list[boxes.FragmentSpan]) -> list[Part]:
    if not spans:
        path.unlink(missing_ok=True)
        return [Part(part.start, part.duration)]
    left = _part(path, data, spans, part.init)
    return [left, Part(left.end, part.end - left.end)] if left.end < part.end else [left]


def _silenced(path: Path, part: Part, data: bytes, spans: list[boxes.FragmentSpan]) -> Part:
    size = spans[-1].offset + spans[-1].size if spans else 0
    begin = spans[-1].start + spans[-1].duration if spans else part.start
    packets = opus.silence(part.end - begin)
    durations, media = [duration for duration, _ in packets], [packet for _, packet in packets]
    data = data[:size]
    if media:
        data += boxes.fragment(1, begin, durations, [len(packet) for packet in media], (), b"".join(media))
    path.write_bytes(data)
    lost = (*part.lost, (begin, part.end)) if media else part.lost
    return replace(part, size=len(data), sha256=hashlib.sha256(data).hexdigest(), lost=lost)


def _take_in(path: Path, mended: list[Part]) -> None:
    """Put a segment the journal does not know where it belongs; one without a whole fragment is taken away."""
    data = path.read_bytes()
    spans = _whole_fragments(data)
    at = len(mended)
    for index in range(len(mended) - 1, -1, -1):
        if not mended[index].head:
            if not spans or mended[index].start < spans[0].start:
                break
            at = index
    init = next((part.init for part in reversed(mended[:at]) if part.init), "")
    if not spans or any(part.media and part.end > spans[0].start for part in mended[:at]):
        path.unlink()
        return
    if not init:
        logger.error("%s: nothing says how it is to be played", path)
        path.rename(path.with_name(f"lost-{path.name}"))  # whoever knows the camera may still make one
        return
    mended.insert(at, _part(path, data, spans, init))


def _bridged(parts: list[Part], rate: int) -> list[Part]:
    """The parts with a gap wherever nothing is between them, and none where something is."""
    bridged: list[Part] = []
    at: int | None = None
    for index, part in enumerate(parts):
        if part.head:
            bridged.append(part)
            continue
        end = part.end
        if part.gap:
            end = min([end, *(later.start for later in parts[index + 1 : index + 3] if later.media)])
            if at is not None and part.start < at:
                part = replace(part, start=at, duration=max(0, end - at))
            elif end < part.end:
                part = replace(part, duration=max(0, end - part.start))
            if not part.duration:
                continue
        while at is not None and part.start - at > rate // 10:
            length = min(LONGEST_GAP_S * rate, part.start - at)
            bridged.append(Part(at, length))
            at += length
        bridged.append(part)
        at = part.end
    return bridged


# ── WebM ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _webm(place: Path, entry: TrackEntry, epoch_us: int, parts: list[Part], doubted: bool) -> list[Part]:
    """Clusters the journal does not know, as one part; what follows them is cut, the header as at the beginning."""
    path = place / WEBM_FILE
    if not path.exists():
        return []
    data_size = path.stat().st_size
    with path.open("r+b") as file:
        head = parts[0] if parts and not parts[0].duration else None
        head_size = head.size if head is not None else len(webm.header(1, 1))
        size = (entry.width, entry.height) if entry.width else webm.picture_size(file.read(head_size).ljust(8, b"\0"))
        header = webm.header(*size)
        if head_size != len(header) or data_size < head_size:
            parts, head = [], None  # not even its header was finished
        elif head is None:
            head = Part(0, 0, WEBM_FILE, "", 0, head_size)  # where it began is found below
            parts = []
        kept = _sound_stretches(file, parts, doubted)
        at = media_end(kept) if kept else head_size
        file.seek(at)
        data = file.read()
        found = _whole_clusters(data)
        if head is None or (not kept[1:] and not found):
            file.close()
            path.unlink()
            return []
        length = found[-1].offset + found[-1].size if found else 0
        file.truncate(at + length)
        file.seek(0)
        file.write(header)
    if not head.sha256:
        written_us = path.stat().st_mtime_ns // 1000 - epoch_us
        zero = max(0, written_us - found[-1].last_ms * 1000) * entry.timescale // 1_000_000
        head = replace(head, start=zero, sha256=hashlib.sha256(header).hexdigest())
        kept = [head]
    if not found:
        return kept
    per_ms = entry.timescale // 1000
    start = head.start + found[0].first_ms * per_ms
    end = head.start + found[-1].last_ms * per_ms + entry.timescale // _USUAL_FRAMES
    digest = hashlib.sha256(data[:length]).hexdigest()
    return [*kept, Part(start, end - start, WEBM_FILE, "", at, length, digest, found[0].key)]


def _sound_stretches(file: IO[bytes], parts: list[Part], doubted: bool) -> list[Part]:
    """The parts up to the first whose bytes are not as the journal has them; the header is written anew anyway."""
    if not parts:
        return []
    end = file.seek(0, os.SEEK_END)
    for index, part in enumerate(parts[1:], 1):
        if part.gap:
            continue
        torn = part.offset + part.size > end
        if doubted and not torn and index > len(parts) - _RECENT_PARTS:
            file.seek(part.offset)
            torn = hashlib.sha256(file.read(part.size)).hexdigest() != part.sha256
        if torn:
            return parts[:index]
    return parts


def _whole_clusters(data: bytes) -> list[webm.ClusterSpan]:
    found: list[webm.ClusterSpan] = []
    with contextlib.suppress(struct.error):  # what follows the last whole one may be anything
        for span in webm.clusters(data, 0):
            follows = not found or span.first_ms >= found[-1].last_ms
            if span.size < _LEAST_CLUSTER or not follows or _never_written(data[span.offset :][: span.size]):
                break
            found.append(span)
    return found
