"""The rules of RFC 8216bis (draft 16) for playlists, as far as ours have what they speak of.

Each function gives what a playlist does wrong, one sentence each, so that a test says `== []` and a failure explains
itself. With the folder of a playlist at hand its media are held against it too.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from recorder import boxes

_ONCE = (
    *("EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE"),
    *("EXT-X-PLAYLIST-TYPE", "EXT-X-ENDLIST", "EXT-X-SERVER-CONTROL", "EXT-X-PART-INF"),
)
_OF_MASTERS = ("EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF")
_VERSIONS = {"EXT-X-BYTERANGE": 4, "EXT-X-MAP": 6, "EXT-X-GAP": 8, "EXT-X-SKIP": 9}  # section 8
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_NEAR_S = 0.11  # what a segment may be off its place, so that players take it as joined


@dataclass
class Chunk:
    """An EXT-X-PART."""

    duration_s: float
    uri: str
    size: int
    offset: int
    independent: bool


@dataclass
class Segment:
    sequence: int
    uri: str = ""  # empty: not finished, only its partial segments are listed
    duration_s: float = 0.0
    init: str = ""
    gap: bool = False
    discontinuity: bool = False
    date: datetime | None = None
    parts: list[Chunk] = field(default_factory=list)


@dataclass
class Media:
    """A media playlist, read."""

    tags: dict[str, str] = field(default_factory=dict)  # of the list as a whole
    segments: list[Segment] = field(default_factory=list)

    @property
    def target_s(self) -> int:
        return int(self.tags["EXT-X-TARGETDURATION"])

    @property
    def kind(self) -> str:
        return self.tags.get("EXT-X-PLAYLIST-TYPE", "")

    @property
    def ended(self) -> bool:
        return "EXT-X-ENDLIST" in self.tags

    @property
    def finished(self) -> list[Segment]:
        return [segment for segment in self.segments if segment.uri]


def attributes(text: str) -> dict[str, str]:
    """An attribute list (section 4.2), strings without their quotes."""
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}


def parse(text: str) -> Media:
    """Read a media playlist."""
    media = Media()
    init, open_segment = "", Segment(0)
    for line in text.splitlines():
        name, _, value = line[1:].partition(":")
        if not line.startswith("#"):
            open_segment.uri, open_segment.init = line, init
            media.segments.append(open_segment)
            open_segment = Segment(open_segment.sequence + 1)
        elif name == "EXT-X-MEDIA-SEQUENCE":
            media.tags[name] = value
            open_segment.sequence = int(value)
        elif name == "EXT-X-MAP":
            init = attributes(value)["URI"]
        elif name == "EXTINF":
            open_segment.duration_s = float(value.rstrip(","))
        elif name == "EXT-X-GAP":
            open_segment.gap = True
        elif name == "EXT-X-DISCONTINUITY":
            open_segment.discontinuity = True
        elif name == "EXT-X-PROGRAM-DATE-TIME":
            with contextlib.suppress(ValueError):
                open_segment.date = datetime.fromisoformat(value.replace("Z", "+00:00"))
        elif name == "EXT-X-PART":
            said = attributes(value)
            size, _, offset = said["BYTERANGE"].partition("@")
            independent = said.get("INDEPENDENT") == "YES"
            open_segment.parts.append(
                Chunk(float(said["DURATION"]), said["URI"], int(size), int(offset or 0), independent)
            )
        else:
            media.tags[name] = value
    if open_segment.parts:
        open_segment.init = init
        media.segments.append(open_segment)
    return media


def media_faults(text: str, folder: Path | None = None) -> list[str]:
    """What a media playlist does wrong; with its `folder`, also what its media belie."""
    faults = _text_faults(text)
    lines = text.splitlines()
    names = [line[1:].partition(":")[0] for line in lines if line.startswith("#")]
    faults += [f"{name} is of master playlists" for name in _OF_MASTERS if name in names]
    if "EXT-X-TARGETDURATION" not in names:
        return [*faults, "EXT-X-TARGETDURATION is required (4.4.3.1)"]
    first = next((at for at, line in enumerate(lines) if line.startswith(("#EXTINF", "#EXT-X-PART:"))), len(lines))
    for name in ("EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-PLAYLIST-TYPE", "EXT-X-TARGETDURATION"):
        if any(line.startswith(f"#{name}:") for line in lines[first:]):
            faults.append(f"{name} must stand before the first segment (4.4.3)")
    for before, line in itertools.pairwise(lines):
        if not line.startswith("#") and not before.startswith("#EXTINF:"):
            faults.append(f"{line} has no EXTINF before it")
    media = parse(text)
    if media.kind not in ("", "EVENT", "VOD"):
        faults.append(f"no playlist is of type {media.kind} (4.4.3.5)")
    if media.kind == "VOD" and not media.ended:
        faults.append("a VOD list has no end")
    if media.kind and media.tags.get("EXT-X-MEDIA-SEQUENCE", "0") != "0":
        faults.append("a list with a type has lost its first segments (6.2.1)")
    for segment in media.finished:
        if round(segment.duration_s) > media.target_s:
            faults.append(f"{segment.uri} lasts {segment.duration_s:.3f} s, the target is {media.target_s} (4.4.3.1)")
        if not segment.init and not segment.gap:
            faults.append(f"{segment.uri} has no EXT-X-MAP (3.1.2)")
    faults += _part_faults(media)
    faults += _date_faults(media)
    if folder is not None:
        faults += _file_faults(media, folder)
    return faults


def reload_faults(before: str, after: str) -> list[str]:
    """What has changed from one version of a media playlist to a later one and must not have (6.2.1, 6.2.2)."""
    old, new = parse(before), parse(after)
    faults = []
    for name in ("EXT-X-TARGETDURATION", "EXT-X-VERSION", "EXT-X-PART-INF"):
        if old.tags.get(name) != new.tags.get(name) and name in old.tags:
            faults.append(f"{name} was {old.tags[name]} and is {new.tags.get(name)}")
    if old.kind == "EVENT" and not new.ended and not after.startswith(before):
        faults.append("an EVENT list was changed, not added to (6.2.1)")
    if old.kind and new.kind not in ("EVENT", "VOD"):
        faults.append("a list has lost its type")
    then = {segment.sequence: segment for segment in old.segments}
    now = {segment.sequence: segment for segment in new.segments}
    if now and then and min(now) < min(then):
        faults.append("the first sequence number has gone back (6.2.2)")
    if now and then and max(now) < max(then):
        faults.append(f"segment {max(then)} has gone from the end")
    for sequence in sorted(then.keys() & now.keys()):
        one, other = then[sequence], now[sequence]
        if one.uri and (one.uri, one.duration_s, one.gap, one.init) != (
            other.uri,
            other.duration_s,
            other.gap,
            other.init,
        ):
            faults.append(f"segment {sequence} was {one} and is {other} (6.2.1)")
        if other.parts and other.parts[: len(one.parts)] != one.parts:
            faults.append(f"the parts of segment {sequence} have changed (6.2.1)")
        if one.parts and not other.parts and not other.uri:
            faults.append(f"segment {sequence} has lost its parts")
    faults += _sequence_faults(old, new)
    if min(now, default=0) > min(then, default=0) and not new.ended:
        length = sum(segment.duration_s for segment in new.finished)
        if length < 3 * new.target_s:
            faults.append(f"only {length:.1f} s are left, less than three target durations (6.2.2)")
    return faults


def master_faults(text: str, folder: Path | None = None) -> list[str]:
    """What a multivariant playlist does wrong; with its `folder`, also what the lists it names belie."""
    faults = _text_faults(text)
    lines = text.splitlines()
    groups = set()
    for at, line in enumerate(lines):
        name, _, value = line[1:].partition(":")
        if name in ("EXTINF", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-MAP"):
            faults.append(f"{name} is of media playlists")
        elif name == "EXT-X-MEDIA":
            said = attributes(value)
            faults += [f"EXT-X-MEDIA lacks {each}" for each in ("TYPE", "GROUP-ID", "NAME") if each not in said]
            if said.get("DEFAULT") == "YES" and said.get("AUTOSELECT", "YES") != "YES":
                faults.append("a default rendition must be selected by itself (4.4.6.1)")
            groups.add(said.get("GROUP-ID"))
        elif name == "EXT-X-STREAM-INF" and (at + 1 >= len(lines) or lines[at + 1].startswith("#")):
            faults.append("EXT-X-STREAM-INF has no URI behind it (4.4.6.2)")
    for line in lines:
        name, _, value = line[1:].partition(":")
        if name == "EXT-X-STREAM-INF":
            said = attributes(value)
            faults += [f"a variant lacks {each}" for each in ("BANDWIDTH", "CODECS") if each not in said]
            if "AUDIO" in said and said["AUDIO"] not in groups:
                faults.append(f"there is no group {said['AUDIO']}")
    if folder is not None:
        faults += _bandwidth_faults(lines, folder)
    return faults


def _text_faults(text: str) -> list[str]:
    faults = []
    lines = text.split("\n")
    if lines[0] != "#EXTM3U":
        faults.append("#EXTM3U is not the first line (4.4.1.1)")
    if re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ufeff]", text):
        faults.append("there are control characters (4.1)")
    names = [line[1:].partition(":")[0] for line in lines if line.startswith("#")]
    faults += [f"{name} stands there more than once (4.4.3)" for name in _ONCE if names.count(name) > 1]
    version = next((int(line[15:]) for line in lines if line.startswith("#EXT-X-VERSION:")), 1)
    needed = max((_VERSIONS.get(name, 1) for name in names), default=1)
    if any("." in line for line in lines if line.startswith("#EXTINF")):
        needed = max(needed, 3)
    if version < needed:
        faults.append(f"version {version} is said, {needed} is needed (8)")
    for line in lines:
        name, _, value = line[1:].partition(":")
        if name == "EXT-X-PROGRAM-DATE-TIME" and not _DATE.fullmatch(value):
            faults.append(f"{value} is no date (4.4.4.6)")
    return faults


def _part_faults(media: Media) -> list[str]:
    if not any(segment.parts for segment in media.segments):
        return []
    control = attributes(media.tags.get("EXT-X-SERVER-CONTROL", ""))
    if "EXT-X-PART-INF" not in media.tags:
        return ["there are parts and no EXT-X-PART-INF (4.4.3.7)"]
    target = float(attributes(media.tags["EXT-X-PART-INF"])["PART-TARGET"])
    faults = []
    if float(control.get("PART-HOLD-BACK", 0)) < 2 * target:
        faults.append("PART-HOLD-BACK is less than two part targets (4.4.3.8)")
    if control.get("CAN-BLOCK-RELOAD") != "YES":
        faults.append("parts ask for blocking reloads (B.1)")
    for segment in media.segments:
        for number, part in enumerate(segment.parts):
            last = number == len(segment.parts) - 1
            if part.duration_s > target + 1e-6:
                faults.append(f"part {segment.sequence}.{number} lasts {part.duration_s:.3f} s (4.4.3.7)")
            elif part.duration_s < 0.85 * target and not last:
                faults.append(f"part {segment.sequence}.{number} lasts only {part.duration_s:.3f} s (4.4.3.7)")
        for one, other in itertools.pairwise(segment.parts):
            if other.offset != one.offset + one.size:
                faults.append(f"the parts of segment {segment.sequence} leave something out")
        if segment.parts and segment.uri:
            sum_s = sum(part.duration_s for part in segment.parts)
            if any(part.uri != segment.uri for part in segment.parts):
                faults.append(f"segment {segment.sequence} is not what its parts are")
            if abs(sum_s - segment.duration_s) > _NEAR_S:
                faults.append(f"segment {segment.sequence} lasts {segment.duration_s}, its parts {sum_s}")
    return faults


def _date_faults(media: Media) -> list[str]:
    """Dates must fit the durations between them (4.4.4.6), for players count on from the last one."""
    faults = []
    expected: float | None = None
    if media.segments and media.segments[0].date is None:
        faults.append("the first segment has no date, which is what joins lists of several tracks")
    for segment in media.segments:
        if segment.date is not None:
            at = segment.date.timestamp()
            if expected is not None and abs(at - expected) > _NEAR_S:
                faults.append(f"segment {segment.sequence} is {at - expected:+.3f} s off the one before it")
            expected = at
        if expected is not None:
            expected += segment.duration_s
    return faults


def _file_faults(media: Media, folder: Path) -> list[str]:
    """What is listed is there, lasts as long as is said, and stands where the list puts it."""
    faults = []
    origin: float | None = None  # media time where the list begins
    at_s = 0.0
    codec = b""
    for segment in media.segments:
        if segment.gap:
            at_s += segment.duration_s
            continue
        uri = segment.uri or segment.parts[0].uri
        if not (folder / segment.init).is_file() or not (folder / uri).is_file():
            faults.append(f"{uri} or its {segment.init} is not there")
            continue
        head, data = (folder / segment.init).read_bytes(), (folder / uri).read_bytes()
        entry = _sample_entry(head)
        if codec and entry != codec and not segment.discontinuity:
            faults.append(f"{uri} is {entry!r} after {codec!r} without a discontinuity (4.4.4.3)")
        codec = entry
        rate = _timescale(head)
        spans = list(boxes.fragments(data))
        if not spans or (segment.uri and spans[-1].offset + spans[-1].size != len(data)):
            faults.append(f"{uri} does not consist of whole fragments")
            continue
        begins = {span.offset: span for span in spans}
        ends = {span.offset + span.size for span in spans}
        for part in segment.parts:
            span = begins.get(part.offset)
            if span is None or part.offset + part.size not in ends:
                faults.append(f"a part of {uri} is not made of whole fragments")
            elif part.independent and not span.key:
                faults.append(f"a part of {uri} begins with no key frame, but it says so")
        begin = spans[0].start / rate
        if segment.uri:
            length = (spans[-1].start + spans[-1].duration) / rate - begin
            if abs(length - segment.duration_s) > _NEAR_S:
                faults.append(f"{uri} lasts {length:.3f} s, {segment.duration_s} s are said")
        if origin is None:
            origin = begin - at_s
        if abs(begin - origin - at_s) > _NEAR_S:
            faults.append(f"{uri} begins {begin - origin - at_s:+.3f} s off its place in the list")
        at_s += segment.duration_s
    return faults


def _sequence_faults(old: Media, new: Media) -> list[str]:
    """The discontinuity sequence counts those that have left (4.4.3.3)."""
    first = min((segment.sequence for segment in new.segments), default=0)
    gone = sum(segment.discontinuity for segment in old.segments if segment.sequence < first)
    before = int(old.tags.get("EXT-X-DISCONTINUITY-SEQUENCE", 0))
    after = int(new.tags.get("EXT-X-DISCONTINUITY-SEQUENCE", 0))
    if max((segment.sequence for segment in old.segments), default=0) + 1 >= first and after != before + gone:
        return [f"EXT-X-DISCONTINUITY-SEQUENCE was {before}, {gone} have left, and now it is {after}"]
    return []


def _bandwidth_faults(lines: list[str], folder: Path) -> list[str]:
    """BANDWIDTH bounds what all renditions of a variant together come to (4.4.6.2)."""
    sounds = [attributes(line.partition(":")[2]).get("URI") for line in lines if line.startswith("#EXT-X-MEDIA:")]
    faults = []
    for line, uri in itertools.pairwise(lines):
        if line.startswith("#EXT-X-STREAM-INF:"):
            said = int(attributes(line.partition(":")[2])["BANDWIDTH"])
            peak = sum(_peak(folder / name) for name in (uri, *sounds) if name)
            if peak > said:
                faults.append(f"{uri} and its sound reach {peak:.0f} bit/s, {said} are said")
    return faults


def _peak(playlist: Path) -> float:
    """The highest bit rate of about a target duration (section 1.2: half of it to one and a half)."""
    media = parse(playlist.read_text())
    sized = [
        (segment.duration_s, 0 if segment.gap else (playlist.parent / segment.uri).stat().st_size)
        for segment in media.finished
    ]
    highest = 0.0
    for first in range(len(sized)):
        seconds = size = 0.0
        for duration_s, octets in sized[first:]:
            seconds += duration_s
            size += octets
            if seconds > 1.5 * media.target_s:
                break
            if seconds >= 0.5 * media.target_s:
                highest = max(highest, size * 8 / seconds)
    return highest


def _sample_entry(init: bytes) -> bytes:
    at = init.index(b"stsd")
    return init[at + 16 : at + 20]


def _timescale(init: bytes) -> int:
    at = init.index(b"mdhd")
    return int.from_bytes(init[at + 16 : at + 20], "big")
