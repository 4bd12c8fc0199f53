"""Picture numbers in VP8 and VP9 payloads (RFC 7741 section 4.2, RFC 9628 section 4.2), and frame numbers of AV1.

A decoder orders frames by them, so a slot that changes from one camera to another must keep them going like its
sequence numbers. H.264 has none; AV1 has its own in the dependency descriptor, a header extension.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Numbers:
    """Where a payload or a dependency descriptor has its numbers, counted from its start, and what they are."""

    picture_at: int
    picture: int
    wide: bool  # 15 bits, not 7
    layer_zero_at: int  # of TL0PICIDX; 0 if the payload has none
    layer_zero: int
    described: bool = False  # in the dependency descriptor, 16 bits


@dataclass(frozen=True, slots=True)
class Shift:
    """What a slot adds to the numbers of the publication it carries."""

    picture: int = 0
    layer_zero: int = 0

    def write(self, memory: memoryview, at: int, numbers: Numbers) -> None:
        """Change the payload or descriptor that starts at `at` of `memory`."""
        position = at + numbers.picture_at
        if numbers.wide:
            picture = (numbers.picture + self.picture) & 0x7FFF
            memory[position] = 0x80 | picture >> 8
            memory[position + 1] = picture & 0xFF
        elif numbers.described:
            picture = (numbers.picture + self.picture) & 0xFFFF
            memory[position] = picture >> 8
            memory[position + 1] = picture & 0xFF
        else:
            memory[position] = (numbers.picture + self.picture) & 0x7F
        if numbers.layer_zero_at:
            memory[at + numbers.layer_zero_at] = (numbers.layer_zero + self.layer_zero) & 0xFF


def numbers(codec: str, payload: bytes) -> Numbers | None:
    """The numbers in a payload; None for other codecs, without a picture id, or for broken bytes. Never raises."""
    try:
        if codec == "VP8":
            return _vp8(payload)
        if codec == "VP9":
            return _vp9(payload)
    except IndexError:
        pass
    return None


def described(descriptor: bytes | None) -> Numbers | None:
    """The frame number in a dependency descriptor (AV1 RTP specification, A.8.2)."""
    if descriptor is None or len(descriptor) < 3:
        return None
    return Numbers(1, descriptor[1] << 8 | descriptor[2], False, 0, 0, True)


def _vp8(payload: bytes) -> Numbers | None:
    if not payload[0] & 0x80 or not payload[1] & 0x80:
        return None
    picture, wide, at = _picture(payload, 2)
    if payload[1] & 0x40:
        return Numbers(2, picture, wide, at, payload[at])
    return Numbers(2, picture, wide, 0, 0)


def _vp9(payload: bytes) -> Numbers | None:
    first = payload[0]
    if not first & 0x80:
        return None
    picture, wide, at = _picture(payload, 1)
    if first & 0x20 and not first & 0x10:  # layer indices, and not in flexible mode: TL0PICIDX follows them
        return Numbers(1, picture, wide, at + 1, payload[at + 1])
    return Numbers(1, picture, wide, 0, 0)


def _picture(payload: bytes, at: int) -> tuple[int, bool, int]:
    """A picture id, whether it is wide, and where the next field starts."""
    if payload[at] & 0x80:
        return (payload[at] & 0x7F) << 8 | payload[at + 1], True, at + 2
    return payload[at], False, at + 1
