"""What an H.264 encoder gives (a byte stream, H.264 annex B) as the archive keeps it: samples and their format."""

from __future__ import annotations

from recorder import formats
from recorder.formats import Format

_SLICE, _IDR, _SPS, _PPS = 1, 5, 7, 8


def to_sample(data: bytes) -> tuple[Format | None, bytes]:
    """An access unit's parameter sets and slices, each with its length before it, and the format if it has the sets.

    Raises FormatError.
    """
    sets: dict[int, list[bytes]] = {_SPS: [], _PPS: []}
    slices = []
    for unit in data.split(b"\0\0\1")[1:]:
        unit = unit.rstrip(b"\0")  # the first byte of a start code of four
        kind = unit[0] & 31 if unit else 0
        if kind in sets:
            sets[kind].append(unit)
        elif _SLICE <= kind <= _IDR:
            slices.append(unit)
    format = formats.h264(tuple(sets[_SPS]), tuple(sets[_PPS])) if sets[_SPS] else None
    units = [*sets[_SPS], *sets[_PPS], *slices] if slices else []
    return format, b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
