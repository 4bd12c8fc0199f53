"""HLS playlists (RFC 8216bis) as text, drawn from parts.

While a lesson lasts a media playlist is of type EVENT and only grows; afterwards it is VOD. A sliding one shows the
last seconds. Parts carry lesson time, so an EXT-X-PROGRAM-DATE-TIME (the lesson clock's zero plus that time) stands
wherever media begin: it is what puts playlists of different tracks on one clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from recorder.parts import Part

TARGET_S = 6  # EXT-X-TARGETDURATION; no part is longer than half a second more
WINDOW_S = 30  # of a sliding playlist


@dataclass(frozen=True, slots=True)
class _Entry:
    duration_s: float
    uri: str
    map_uri: str
    start_us: int  # since 1970
    gap: bool
    changed: bool  # another codec than before: players must begin anew
    joined: bool  # media before it end where it begins


class MediaPlaylist:
    """The playlist of one track, or of several of one lesson that follow each other."""

    def __init__(self, epoch_us: int) -> None:
        self._epoch_us = epoch_us
        self._entries: list[_Entry] = []
        self._lines: list[str] = []  # all entries as text
        self._given = 0  # how many of them `whole` and `more` have given
        self._map = ""  # in force after the last line
        self._codec = ""

    @property
    def empty(self) -> bool:
        return not self._entries

    def add(self, part: Part, timescale: int, codec: str, prefix: str = "", lead_in: int = 0) -> None:
        """A part of a track in the folder `prefix` (with its slash); `lead_in` ticks before it count as its own."""
        if not part.duration:
            return
        entry = _Entry(
            (part.duration + lead_in) / timescale,
            prefix + (part.file or "gap"),
            prefix + part.init if part.init else "",
            self._epoch_us + (part.start - lead_in) * 1_000_000 // timescale,
            part.gap,
            not part.gap and self._codec not in ("", codec),
            bool(self._entries) and not self._entries[-1].gap and not part.gap,
        )
        if not part.gap:
            self._codec = codec
        self._entries.append(entry)
        self._lines += _draw(entry, self._map)
        self._map = entry.map_uri or self._map

    def whole(self, ended: bool) -> str:
        """Everything from the beginning: EVENT, or VOD once ended."""
        lines = _head(TARGET_S, 0, 0)
        lines.append(f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}")
        lines += self._lines
        self._given = len(self._lines)
        if ended:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"

    def more(self) -> str:
        """What has been added since it was last asked for."""
        lines, self._given = self._lines[self._given :], len(self._lines)
        return "".join(line + "\n" for line in lines)

    def window(self, ended: bool) -> str:
        """The last `WINDOW_S` seconds, three parts at least."""
        first, seconds = len(self._entries), 0.0
        while first and (seconds < WINDOW_S or len(self._entries) - first < 3):
            first -= 1
            seconds += self._entries[first].duration_s
        shown = self._entries[first:]
        changes = sum(entry.changed for entry in self._entries[:first])
        # Shorter when the parts are, though the standard wants it constant: players read it again each time, and
        # someone who watches by HTTP should not wait 6 s for parts of 2.
        target = max((round(entry.duration_s) for entry in shown), default=TARGET_S)
        lines = _head(max(1, target), first, changes)
        in_force = ""
        for index, entry in enumerate(shown):
            lines += _draw(entry, in_force, dated=not index)
            in_force = entry.map_uri or in_force
        if ended:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Variant:
    """A picture for the master playlist."""

    uri: str
    codecs: str
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


def _draw(entry: _Entry, map_in_force: str, dated: bool = False) -> list[str]:
    lines = []
    if entry.changed:
        lines.append("#EXT-X-DISCONTINUITY")
    if entry.map_uri and entry.map_uri != map_in_force:
        lines.append(f'#EXT-X-MAP:URI="{entry.map_uri}"')
    if dated or not entry.joined:
        at = datetime.fromtimestamp(entry.start_us / 1e6, UTC)
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}")
    if entry.gap:
        lines.append("#EXT-X-GAP")
    lines += [f"#EXTINF:{entry.duration_s:.6f},", entry.uri]
    return lines
