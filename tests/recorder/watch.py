"""Looks at an archive as a player does: reads playlists, fetches what they name, decodes it."""

from __future__ import annotations

import io
import itertools
import re
import struct
from dataclasses import dataclass
from pathlib import Path

import av


@dataclass(frozen=True)
class Heard:
    at_s: float  # lesson time
    level: float  # mean brightness of a picture, mean loudness of a sound


@dataclass(frozen=True)
class Listed:
    """One entry of a media playlist."""

    uri: str
    init: str
    duration_s: float
    gap: bool


def entries(playlist: Path) -> list[Listed]:
    """What a media playlist lists."""
    found: list[Listed] = []
    init, duration, gap = "", 0.0, False
    for line in playlist.read_text().splitlines():
        if match := re.match(r'#EXT-X-MAP:URI="(.*)"', line):
            init = match[1]
        elif line.startswith("#EXTINF:"):
            duration = float(line[8:].rstrip(","))
        elif line == "#EXT-X-GAP":
            gap = True
        elif line and not line.startswith("#"):
            found.append(Listed(line, init, duration, gap))
            gap = False
    return found


def decode(playlist: Path) -> list[Heard]:
    """Every frame a media playlist's segments hold, decoded, in order; decoders go on from segment to segment."""
    streams: list[tuple[str, bytes]] = []
    for entry in entries(playlist):
        if entry.gap:
            continue
        data = (playlist.parent / entry.uri).read_bytes()
        if streams and streams[-1][0] == entry.init:
            streams[-1] = (entry.init, streams[-1][1] + data)
        else:
            streams.append((entry.init, data))
    heard = []
    for init, data in streams:
        heard += decode_bytes((playlist.parent / init).read_bytes() + data)
    return heard


def decode_bytes(data: bytes) -> list[Heard]:
    """Every frame of a file's first stream."""
    return decode_file(io.BytesIO(data), 0)


def decode_file(file: Path | io.BytesIO, stream: int) -> list[Heard]:
    """Every frame of one stream of a file."""
    heard = []
    with av.open(file, "r") as container:
        for frame in container.decode(container.streams[stream]):
            assert isinstance(frame, av.VideoFrame | av.AudioFrame)
            assert frame.pts is not None
            assert frame.time_base is not None
            at = float(frame.pts * frame.time_base)
            if isinstance(frame, av.VideoFrame):
                plane = frame.planes[0]
                middle = bytes(plane)[plane.line_size * (frame.height // 2) :][: frame.width]
                heard.append(Heard(at, sum(middle) / len(middle)))
            else:
                assert isinstance(frame, av.AudioFrame)
                raw = bytes(frame.planes[0])[: frame.samples * 4]
                values = struct.unpack(f"<{len(raw) // 4}f", raw)
                heard.append(Heard(at, sum(map(abs, values)) / max(1, len(values))))
    return heard


def risings(heard: list[Heard], threshold: float) -> list[float]:
    """When the level rose over the threshold."""
    return [b.at_s for a, b in itertools.pairwise(heard) if a.level <= threshold < b.level]
