"""What a file that claims to be a picture says of itself: its kind, its size, which way up it is. Bytes in, facts out.

Only the head is read, so that a picture that would fill the memory is refused before anything decodes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Codec = Literal["mjpeg", "png", "webp"]

_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # JPEG markers of a size: baseline, extended, progressive
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # JPEG markers without a length
_ORIENTATION = 0x0112  # EXIF tag


class NoPictureError(ValueError):
    """The bytes are no picture of a kind we take."""


@dataclass(frozen=True, slots=True)
class PictureFile:
    codec: Codec
    width: int
    height: int
    orientation: int = 1  # as EXIF counts, 1 … 8; 1 is upright

    @classmethod
    def of(cls, data: bytes) -> PictureFile:
        """Raises NoPictureError."""
        try:
            if data.startswith(b"\xff\xd8\xff"):
                return _jpeg(data)
            if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
                return cls("png", int.from_bytes(data[16:20]), int.from_bytes(data[20:24]))
            if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
                return _webp(data)
        except IndexError:
            pass
        raise NoPictureError("neither JPEG, PNG nor WebP")


def _jpeg(data: bytes) -> PictureFile:
    orientation, at = 1, 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4])
        if marker in _FRAMES:
            height, width = (int.from_bytes(data[at + n : at + n + 2]) for n in (5, 7))
            return PictureFile("mjpeg", width, height, orientation)
        if length < 2 or marker == 0xDA:
            break
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            orientation = _orientation(data[at + 10 : at + 2 + length])
        at += 2 + length
    raise NoPictureError("a JPEG without a size")


def _orientation(tiff: bytes) -> int:
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], order)

    start = number(4, 4)
    for entry in range(start + 2, start + 2 + 12 * min(number(start, 2), 200), 12):
        if number(entry, 2) == _ORIENTATION:
            value = number(entry + 8, 2)
            return value if 1 <= value <= 8 else 1
    return 1


def _webp(data: bytes) -> PictureFile:
    chunk = data[12:16]
    if chunk == b"VP8X":
        return PictureFile("webp", 1 + _little(data[24:27]), 1 + _little(data[27:30]))
    if chunk == b"VP8L" and data[20] == 0x2F:
        bits = _little(data[21:25])
        return PictureFile("webp", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if chunk == b"VP8 ":
        return PictureFile("webp", _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF)
    raise NoPictureError("a WebP of an unknown kind")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
