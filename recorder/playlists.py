"""HLS playlists (RFC 8216bis) as text, drawn from parts.

While a lesson lasts a media playlist is of type EVENT and only grows; afterwards it is VOD. A sliding one shows the
last seconds, with the fragments of its newest segments as partial segments (Low-Latency HLS, section 4.4.4.9), so that
a player may stay close behind. Parts carry lesson time, so an EXT-X-PROGRAM-DATE-TIME (the lesson clock's zero plus
that time) stands wherever media begin: it is what puts playlists of different tracks on one clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from recorder.files import GAP
from recorder.parts import Part

TARGET_S = 6  # EXT-X-TARGETDURATION; no part is longer than half a second more
WINDOW_S = 30  # of a sliding playlist; more than three target durations, as section 6.2.2 wants it

CHUNK_TARGET_S = 1.08  # EXT-X-PART-INF; fragments are about a second long
CHUNK_LEAST = 0.85  # of that, for all but a segment's last (section 4.4.3.7)
# Section 4.4.3.8 wants two part targets at least, better three. This leaves a player 1.5 s in hand when a part is
# about to come, and its viewers 3 s behind the teacher.
CHUNK_HOLD_BACK_S = 2.6
_WITH_CHUNKS = 6  # segments at the end of a sliding list that are still shown with theirs

_LOW_DELAY = (
    f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={CHUNK_HOLD_BACK_S}",
    f"#EXT-X-PART-INF:PART-TARGET={CHUNK_TARGET_S}",
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A part's place in a list."""

    part: Part
    timescale: int
    prefix: str
    lead_in: int  # ticks before the part that count as its own
    map_before: str  # in force when it comes
    changed: bool  # another codec than before: players must begin anew
    joined: bool  # media before it end where it begins
    init: str  # EXT-X-MAP's URI, empty for a gap

    @property
    def duration_s(self) -> float:
        return (self.part.duration + self.lead_in) / self.timescale


class MediaPlaylist:
    """The playlist of one track, or of several of one lesson that follow each other.

    Lessons are long and many: what has left the sliding list is kept as its lines only, some 50 bytes a part.
    """

    def __init__(self, epoch_us: int, target_s: int = TARGET_S) -> None:
        self._epoch_us = epoch_us
        self._target_s = target_s
        self._lines = bytearray()  # of all parts
        self._recent: deque[_Entry] = deque()  # what a sliding list shows
        self._recent_s = 0.0
        self._gone = 0  # how many parts came before those …
        self._gone_changes = 0  # … and how many of them began with a discontinuity
        self._open: _Entry | None = None  # a segment that is still being written
        self._given = 0  # how many bytes of the lines `whole` and `more` have given
        self._map = ""  # in force after the last entry
        self._codec = ""
        self.has_gap = False

    @property
    def empty(self) -> bool:
        return not self._recent

    def add(self, part: Part, timescale: int, codec: str, prefix: str = "", lead_in: int = 0, init: str = "") -> None:
        """A part of a track in the folder `prefix` (with its slash); `lead_in` ticks before it count as its own.

        `init` is where its initialisation segment is if not in that folder.
        """
        self._open = None
        if not part.duration:
            return
        entry = self._entry(part, timescale, codec, prefix, lead_in, init)
        self._lines += "".join(line + "\n" for line in self._draw(entry)).encode()
        self._slide(entry)
        self._map = entry.init or self._map
        self.has_gap = self.has_gap or part.gap
        if not part.gap:
            self._codec = codec

    def begin(self, part: Part, timescale: int, codec: str, prefix: str = "", lead_in: int = 0, init: str = "") -> None:
        """The same of a part that is still being written, as far as it is: only sliding lists show it."""
        self._open = self._entry(part, timescale, codec, prefix, lead_in, init)

    def whole(self, ended: bool) -> str:
        """Everything from the beginning: EVENT, or VOD once ended."""
        lines = _head(self._target_s, 0, 0)
        lines.append(f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}")
        self._given = len(self._lines)
        return "\n".join(lines) + "\n" + self._lines.decode() + ("#EXT-X-ENDLIST\n" if ended else "")

    def more(self) -> str:
        """What has been added since it was last asked for."""
        fresh, self._given = self._lines[self._given :], len(self._lines)
        return fresh.decode()

    def window(self, ended: bool) -> str:
        """The last `WINDOW_S` seconds, three parts at least."""
        lines = _head(self._target_s, self._gone, self._gone_changes)
        lines[3:3] = _LOW_DELAY
        for index, entry in enumerate(self._recent):
            with_chunks = index >= len(self._recent) - _WITH_CHUNKS
            lines += self._draw(entry, first=not index, with_chunks=with_chunks)
        if ended:
            lines.append("#EXT-X-ENDLIST")
        elif self._open is not None:
            lines += self._draw(self._open, first=not self._recent, with_chunks=True)[:-2]  # without EXTINF and URI
        return "\n".join(lines) + "\n"

    def _slide(self, entry: _Entry) -> None:
        """Take an entry into the sliding list, and let go of those it needs no more."""
        recent = self._recent
        recent.append(entry)
        self._recent_s += entry.duration_s
        while len(recent) > 3 and self._recent_s - recent[0].duration_s >= WINDOW_S:
            gone = recent.popleft()
            self._recent_s -= gone.duration_s
            self._gone += 1
            self._gone_changes += gone.changed

    def _entry(self, part: Part, timescale: int, codec: str, prefix: str, lead_in: int, init: str) -> _Entry:
        joined = bool(self._recent) and not self._recent[-1].part.gap and not part.gap
        changed = not part.gap and self._codec not in ("", codec)
        init = (init or prefix + part.init) if part.init else ""
        return _Entry(part, timescale, prefix, lead_in, self._map, changed, joined, init)

    def _draw(self, entry: _Entry, first: bool = False, with_chunks: bool = False) -> list[str]:
        """An entry's lines; the `first` of a list says what others leave to those before them."""
        lines = []
        part = entry.part
        if entry.changed:
            lines.append("#EXT-X-DISCONTINUITY")
        in_force = entry.init or (entry.map_before if first else "")
        if in_force and (first or in_force != entry.map_before):
            lines.append(f'#EXT-X-MAP:URI="{in_force}"')
        if first or not entry.joined:
            start_us = self._epoch_us + (part.start - entry.lead_in) * 1_000_000 // entry.timescale
            at = datetime.fromtimestamp(start_us / 1e6, UTC)
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}")
        uri = entry.prefix + (part.file or GAP)
        if with_chunks:
            for chunk in part.chunks:
                key = ",INDEPENDENT=YES" if chunk.key else ""
                lines.append(
                    f'#EXT-X-PART:DURATION={chunk.duration / entry.timescale:.6f},URI="{uri}",'
                    f'BYTERANGE="{chunk.size}@{chunk.offset}"{key}'
                )
        if part.gap:
            lines.append("#EXT-X-GAP")
        lines += [f"#EXTINF:{entry.duration_s:.6f},", uri]
        return lines


@dataclass(frozen=True, slots=True)
class Variant:
    """A picture for the master playlist."""

    uri: str
    codecs: str  # all it has, with commas between them
    width: int
    height: int
    bandwidth: int  # bits per second at most


def master(variant: Variant | None, audio_uri: str | None) -> str:
    """A master playlist of a picture and a sound, or of either."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7"]
    if variant and audio_uri:
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="sound",DEFAULT=YES,AUTOSELECT=YES,URI="{audio_uri}"'
        )
    if variant:
        size = f",RESOLUTION={variant.width}x{variant.height}" if variant.width else ""
        codecs = f'"{variant.codecs},opus",AUDIO="sound"' if audio_uri else f'"{variant.codecs}"'
        lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={variant.bandwidth}{size},CODECS={codecs}", variant.uri]
    elif audio_uri:
        lines += ['#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="opus"', audio_uri]
    return "\n".join(lines) + "\n"


def _head(target_s: int, sequence: int, discontinuities: int) -> list[str]:
    lines = ["#EXTM3U", "#EXT-X-VERSION:8", f"#EXT-X-TARGETDURATION:{target_s}", f"#EXT-X-MEDIA-SEQUENCE:{sequence}"]
    if discontinuities:
        lines.append(f"#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}")
    return lines
