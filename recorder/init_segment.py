"""What an initialisation segment says of its track, read back from the bytes `boxes.py` and `formats.py` made."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InitSegment:
    codec: str  # as in the manifest: "H264", "VP9", "AV1", "opus"
    codecs: str  # as players name it (RFC 6381)
    timescale: int  # ticks per second
    width: int = 0
    height: int = 0

    @classmethod
    def read(cls, data: bytes) -> InitSegment | None:
        """What `data` says, None if it is not whole or of a codec we do not record."""
        if len(data) < 8 or not _whole(data):
            return None
        try:
            (timescale,) = struct.unpack_from("!I", data, data.index(b"mdhd") + 16)
            at = data.index(b"stsd") + 12  # the only sample entry
            kind = data[at + 4 : at + 8]
            if kind == b"Opus":
                return cls("opus", "opus", timescale)
            width, height = struct.unpack_from("!HH", data, at + 32)
            codec, codecs = _video(kind, data)
        except (ValueError, IndexError, struct.error):
            return None
        return cls(codec, codecs, timescale, width, height) if timescale else None


def essence(data: bytes) -> bytes:
    """What of an initialisation segment key frames do not bring themselves.

    Those that agree in it may stand for each other: they differ in the size of the picture, and in what follows from
    that.
    """
    read = InitSegment.read(data)
    if read is None:
        return data
    kind = sample_entry(data).encode()
    if kind == b"avc3":
        at = data.index(b"avcC") + 4
        constant = data[at + 1 : at + 2]  # profile
    elif kind == b"vp09":
        at = data.index(b"vpcC") + 8
        constant = data[at : at + 1] + data[at + 2 : at + 6]  # all but the level
    elif kind == b"av01":
        at = data.index(b"av1C") + 4
        constant = bytes((data[at + 1] >> 5, data[at + 2]))  # profile, depth, colours
    else:
        return data
    return b"%b %d %b" % (kind, read.timescale, constant)


def sample_entry(data: bytes) -> str:
    """The name of its sample entry, such as "avc3"; empty if it has none."""
    at = data.find(b"stsd")
    return data[at + 16 : at + 20].decode("ascii", "replace") if at >= 0 else ""


def _whole(data: bytes) -> bool:
    """Whether `data` is whole boxes, moov among them."""
    at, kinds = 0, set()
    while at + 8 <= len(data):
        size, kind = struct.unpack_from("!I4s", data, at)
        if size < 8:
            return False
        kinds.add(kind)
        at += size
    return at == len(data) and b"moov" in kinds


def _video(kind: bytes, data: bytes) -> tuple[str, str]:
    if kind in (b"avc1", b"avc3"):  # parameter sets here only, or before each key frame too
        at = data.index(b"avcC") + 4
        return "H264", f"{kind.decode()}.{data[at + 1 : at + 4].hex()}"
    if kind == b"vp09":
        at = data.index(b"vpcC") + 8
        return "VP9", f"vp09.{data[at]:02}.{data[at + 1]:02}.{data[at + 2] >> 4:02}"
    if kind == b"av01":
        at = data.index(b"av1C") + 4
        shape = data[at + 2]
        depth = 12 if shape & 0x20 else 10 if shape & 0x40 else 8
        return "AV1", f"av01.{data[at + 1] >> 5}.{data[at + 1] & 0x1F:02}{'H' if shape & 0x80 else 'M'}.{depth:02}"
    raise ValueError(kind)
