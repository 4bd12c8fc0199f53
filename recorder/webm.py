"""WebM (EBML, RFC 8794, Matroska, RFC 9559) for VP8, which has no home in MP4: one video track, one growing file.

The header has a fixed length, so that what is only known at the end (length, duration, where the cues are) is patched
in; until then those places are Void and the file plays as far as it goes. Clusters are whole when written: after a
crash a torn one is cut and writing goes on.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_EBML, _SEGMENT, _SEEK_HEAD, _SEEK, _SEEK_ID, _SEEK_POSITION = (
    0x1A45DFA3,
    0x18538067,
    0x114D9B74,
    0x4DBB,
    0x53AB,
    0x53AC,
)
_INFO, _TRACKS, _CLUSTER, _CUES, _VOID = 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B, 0xEC
_CLUSTER_HEAD = struct.Struct("!IQ BBI")  # id, size in 8 bytes, timestamp in 4 bytes
_BLOCK_HEAD = struct.Struct("!BI BhB")  # id, size in 4 bytes, track, relative time, flags
_SIZE_8, _SIZE_4 = 1 << 56, 1 << 28
_UNKNOWN_SIZE = (1 << 57) - 1


def element(identifier: int, *payload: bytes) -> bytes:
    """An element with the shortest size field."""
    body = b"".join(payload)
    size = len(body)
    width = next(width for width in range(1, 9) if size < (1 << 7 * width) - 1)
    return _id(identifier) + (1 << 7 * width | size).to_bytes(width, "big") + body


def header(width: int, height: int) -> bytes:
    """The beginning of a file whose end is not known yet."""
    return _header(width, height, _UNKNOWN_SIZE, _void(_SEEK_HEAD_SIZE), _void(_DURATION_SIZE))


def finished_header(width: int, height: int, file_size: int, cues_at: int, duration_ms: int) -> bytes:
    """The beginning of a finished file; as long as `header` of the same picture, and written over it."""
    begin = _SEGMENT_DATA
    seek = _seek_head(cues_at - begin)
    duration = element(0x4489, struct.pack("!d", float(duration_ms)))
    return _header(width, height, _SIZE_8 | file_size - begin, seek, duration)


def picture_size(head: bytes) -> tuple[int, int]:
    """Width and height of the picture, from a whole header: they are its last elements."""
    return int.from_bytes(head[-6:-4], "big"), int.from_bytes(head[-2:], "big")


def cluster(start_ms: int, times_ms: Sequence[int], frames: Sequence[bytes], keys: Sequence[bool]) -> bytes:
    """One cluster: frames at times counted from the file's zero; `start_ms` is the first one's."""
    pieces = [b""]
    size = 6
    for time_ms, frame, key in zip(times_ms, frames, keys, strict=True):
        pieces.append(_BLOCK_HEAD.pack(0xA3, _SIZE_4 | 4 + len(frame), 0x81, time_ms - start_ms, 0x80 if key else 0))
        pieces.append(frame)
        size += _BLOCK_HEAD.size + len(frame)
    pieces[0] = _CLUSTER_HEAD.pack(_CLUSTER, _SIZE_8 | size, 0xE7, 0x84, start_ms)
    return b"".join(pieces)


def cues(entries: Sequence[tuple[int, int]]) -> bytes:
    """An index: for each cluster that begins with a key frame its time in ms and its place in the file."""
    return element(
        _CUES,
        *(
            element(
                0xBB,
                element(0xB3, struct.pack("!I", time_ms)),
                element(0xB7, element(0xF7, b"\x01"), element(0xF1, struct.pack("!Q", place - _SEGMENT_DATA))),
            )
            for time_ms, place in entries
        ),
    )


@dataclass(frozen=True, slots=True)
class ClusterSpan:
    """Where a whole cluster lies, and the times of its first and last frame in ms from the file's zero."""

    offset: int
    size: int
    first_ms: int
    last_ms: int
    key: bool  # begins with a key frame


def clusters(data: bytes, at: int) -> Iterator[ClusterSpan]:
    """The whole clusters from `at` on; a torn one at the end, as a crash leaves it, is not given."""
    while at + _CLUSTER_HEAD.size + _BLOCK_HEAD.size <= len(data):
        identifier, size, _, _, start = _CLUSTER_HEAD.unpack_from(data, at)
        end = at + 12 + (size ^ _SIZE_8)
        if identifier != _CLUSTER or end > len(data):
            return
        block = at + _CLUSTER_HEAD.size
        key = bool(data[block + 8] & 0x80)
        last = 0
        while block < end:
            _, block_size, _, last, _ = _BLOCK_HEAD.unpack_from(data, block)
            block += 5 + (block_size ^ _SIZE_4)
        yield ClusterSpan(at, end - at, start, start + last, key)
        at = end


@dataclass(frozen=True, slots=True)
class BlockSpan:
    """Where a frame lies, and its time in ms from the file's zero."""

    offset: int
    size: int
    at_ms: int
    key: bool


def blocks(data: bytes, cluster: ClusterSpan) -> Iterator[BlockSpan]:
    """The frames of a whole cluster."""
    at, end = cluster.offset + _CLUSTER_HEAD.size, cluster.offset + cluster.size
    while at < end:
        _, block_size, _, relative, flags = _BLOCK_HEAD.unpack_from(data, at)
        following = at + 5 + (block_size ^ _SIZE_4)
        frame = at + _BLOCK_HEAD.size
        yield BlockSpan(frame, following - frame, cluster.first_ms + relative, bool(flags & 0x80))
        at = following


def _id(identifier: int) -> bytes:
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big")


def _void(size: int) -> bytes:
    return element(_VOID, bytes(size - 2))


def _seek_head(cues_at: int) -> bytes:
    position = element(_SEEK_POSITION, struct.pack("!Q", cues_at))
    return element(_SEEK_HEAD, element(_SEEK, element(_SEEK_ID, _id(_CUES)), position))


def _header(width: int, height: int, segment_size: int, seek_head: bytes, duration: bytes) -> bytes:
    video = element(0xE0, element(0xB0, struct.pack("!H", width)), element(0xBA, struct.pack("!H", height)))
    track = element(
        0xAE,
        element(0xD7, b"\x01"),  # number
        element(0x73C5, b"\x01"),  # unique id
        element(0x83, b"\x01"),  # video
        element(0x9C, b"\0"),  # no lacing
        element(0x86, b"V_VP8"),
        video,
    )
    info = element(_INFO, element(0x2AD7B1, struct.pack("!I", 1_000_000)), duration, _NAMES)  # times in ms
    return b"".join((_PREFIX, segment_size.to_bytes(8, "big"), seek_head, info, element(_TRACKS, track)))


_NAMES = element(0x4D80, b"tongke") + element(0x5741, b"tongke")  # muxing and writing application
_PREFIX = element(
    _EBML,
    element(0x4286, b"\x01"),
    element(0x42F7, b"\x01"),
    element(0x42F2, b"\x04"),
    element(0x42F3, b"\x08"),
    element(0x4282, b"webm"),
    element(0x4287, b"\x04"),
    element(0x4285, b"\x02"),
) + _id(_SEGMENT)
_SEGMENT_DATA = len(_PREFIX) + 8  # cue and seek positions count from here
_SEEK_HEAD_SIZE = len(_seek_head(0))
_DURATION_SIZE = 11
