"""Framed RTP from a media worker to the recorder over a Unix socket, and key frame requests back.

A frame is `length u32 | type u8 | handle u32 | payload`, big endian; `length` counts what follows it. The worker picks
the handles; one handle is one publication on one connection. After a reconnect the worker announces its tracks again.

    TRACK    payload: JSON of `Track`               first frame of a handle, and again when the codec changes
    RTP      payload: arrival u64 us since 1970 | RTP packet, plain, as published (RTX already undone); of its header
             extensions only the audio level (RFC 6464) is left, where there is one, in one-byte form with id 1
    REPORT   payload: arrival u64 us | NTP u64 | RTP timestamp u32 | RTT u32 us | SSRC u32     (RFC 3550 6.4.1)
    END      payload: empty                         the publication has ended
    KEYFRAME payload: empty                         recorder -> worker: ask the publisher for a key frame
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from enum import IntEnum

MAX_FRAME = 64 * 1024  # bytes of type, handle and payload; a longer one is a broken peer

_HEAD = struct.Struct("!IBI")
_ARRIVAL = struct.Struct("!Q")
_REPORT = struct.Struct("!QQIII")


class FrameType(IntEnum):
    TRACK = 1
    RTP = 2
    REPORT = 3
    END = 4
    KEYFRAME = 16


class LinkError(ValueError):
    """The other side does not speak this protocol; close the connection."""


@dataclass(frozen=True, slots=True)
class Track:
    """What the recorder must know to record a publication."""

    lesson_id: str
    publication_id: str
    participant: str
    kind: str  # audio, video
    source: str  # camera, microphone, screen, document_camera, second_microphone
    lead: bool
    epoch_us: int  # the lesson clock's zero, microseconds since 1970
    codec: str  # "H264", "VP8", "VP9", "AV1", "opus"
    payload_type: int
    clock_rate: int  # Hz
    channels: int  # 0 for video
    fmtp: str  # the format parameters as in SDP, "" if none


@dataclass(frozen=True, slots=True)
class Report:
    """A sender report: the sender's wall clock and RTP timestamp of one instant."""

    arrival_us: int
    ntp: int  # 64-bit NTP time
    rtp: int  # 32-bit RTP timestamp
    rtt_us: int  # round trip to the sender, 0 while unknown
    ssrc: int = 0  # the stream it is of, which may be about to begin; 0: the one that flows


@dataclass(frozen=True, slots=True)
class Frame:
    type: FrameType
    handle: int
    payload: bytes

    def track(self) -> Track:
        """The track a TRACK frame announces. Raises LinkError."""
        try:
            return Track(**json.loads(self.payload))
        except (TypeError, ValueError) as error:
            raise LinkError("a track announcement that is none") from error

    def rtp(self) -> tuple[int, bytes]:
        """Arrival time in us since 1970 and the packet of an RTP frame."""
        if len(self.payload) < _ARRIVAL.size + 12:
            raise LinkError("an RTP frame without a packet")
        return _ARRIVAL.unpack_from(self.payload)[0], self.payload[_ARRIVAL.size :]

    def report(self) -> Report:
        """The sender report of a REPORT frame."""
        try:
            return Report(*_REPORT.unpack(self.payload))
        except struct.error as error:
            raise LinkError("a report of the wrong length") from error


def pack(type: FrameType, handle: int, payload: bytes = b"") -> bytes:
    """One frame as bytes."""
    return _HEAD.pack(5 + len(payload), type, handle) + payload


def pack_track(handle: int, track: Track) -> bytes:
    return pack(FrameType.TRACK, handle, json.dumps(asdict(track)).encode())


def pack_rtp(handle: int, arrival_us: int, packet: bytes | memoryview) -> bytes:
    return b"".join((_HEAD.pack(13 + len(packet), FrameType.RTP, handle), _ARRIVAL.pack(arrival_us), packet))


def pack_report(handle: int, report: Report) -> bytes:
    described = _REPORT.pack(report.arrival_us, report.ntp, report.rtp, report.rtt_us, report.ssrc)
    return pack(FrameType.REPORT, handle, described)


class Reader:
    """Bytes in, frames out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete with `data`. Raises LinkError on a frame that cannot be one."""
        buffer = self._buffer
        buffer += data
        frames = []
        at = 0
        while len(buffer) - at >= _HEAD.size:
            length, kind, handle = _HEAD.unpack_from(buffer, at)
            if not 5 <= length <= MAX_FRAME:
                raise LinkError(f"a frame of {length} bytes")
            end = at + 4 + length
            if end > len(buffer):
                break
            try:
                frames.append(Frame(FrameType(kind), handle, bytes(buffer[at + _HEAD.size : end])))
            except ValueError as error:
                raise LinkError(f"a frame of type {kind}") from error
            at = end
        del buffer[:at]
        return frames
