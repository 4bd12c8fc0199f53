"""Tracks from the worker that has them to another worker of the same machine, framed, over a Unix socket.

The worker that wants a track connects to the one that has it (the origin) and pulls it; however many watch there, its
packets come once. Both ends are one user's processes in one run folder, so nothing is encrypted. A frame is
`length u32 | type u8 | handle u32 | payload`, big endian; `length` counts what follows it. Who pulls picks the handles;
one handle is one publication on one connection.

    origin -> who pulls
    TIME     payload: f64, seconds of CLOCK_MONOTONIC, which all processes of a machine share; handle 0. What follows,
             up to the next TIME, was handed over at this moment, however long the socket kept it
    TRACK    payload: JSON of `Track`              first frame of a handle, and again after a re-offer
    RTP      payload: layer u8 | RTP packet        plain, as published, RTX already undone; only of wanted layers
    REPORT   payload: layer u8 | SSRC u32 | NTP u64 | RTP timestamp u32              (RFC 3550 6.4.1)
    STATE    payload: for each layer: layer u8 | flows u8 | height u16 | bitrate f32, bit/s
    END      payload: empty                        the publication is no more, or never was

    who pulls -> origin
    PULL     payload: publication id, UTF-8        from now on; nothing comes before WANT but TRACK and STATE
    WANT     payload: one u8 for each layer that is wanted; all others stop
    KEYFRAME payload: layer u8                     somebody needs a key frame of it
    RELEASE  payload: empty                        the handle is free again
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from media import wire
from media.answer import NegotiatedSection

MAX_FRAME = 256 * 1024  # bytes of type, handle and payload; a longer one is a broken peer
MAX_LAYERS = 16  # of one publication

_HEAD = struct.Struct("!IBI")
_RTP_HEAD = struct.Struct("!IBIB")
_TIME = struct.Struct("!d")
_REPORT = struct.Struct("!BIQI")
_STATE = struct.Struct("!BBHf")


class FrameType(IntEnum):
    TIME = 1
    TRACK = 2
    RTP = 3
    REPORT = 4
    STATE = 5
    END = 6
    PULL = 16
    WANT = 17
    KEYFRAME = 18
    RELEASE = 19


class RelayError(ValueError):
    """The other side does not speak this protocol; close the connection."""


@dataclass(frozen=True, slots=True)
class Track:
    """What must be known of a publication to have it elsewhere."""

    transport_id: str  # tracks of one transport share a clock
    rids: tuple[str, ...]  # of its layers, by the numbers that the other frames give them; from the smallest
    section: NegotiatedSection


class Report(NamedTuple):
    """A publisher's sender report."""

    layer: int
    ssrc: int
    ntp: int  # 64-bit NTP time
    rtp: int  # 32-bit RTP timestamp


class LayerState(NamedTuple):
    """How a layer is at the origin."""

    layer: int
    flowing: bool
    height: int  # pixels, 0 unknown
    bitrate: float  # bit/s


class Frame(NamedTuple):
    type: int
    handle: int
    payload: bytes

    def time(self) -> float:
        """Seconds, monotonic. Raises RelayError, as all of these."""
        return float(_unpack(_TIME, self.payload)[0])

    def track(self) -> Track:
        try:
            track = wire.load({"Track": Track}, json.loads(self.payload))
        except (ValueError, AttributeError) as error:
            raise RelayError("a track that is none") from error
        assert isinstance(track, Track)
        return track

    def layer(self) -> int:
        """The layer an RTP or KEYFRAME frame is about."""
        if not self.payload or self.payload[0] >= MAX_LAYERS:
            raise RelayError("a frame of no layer")
        return self.payload[0]

    def layers(self) -> frozenset[int]:
        """The layers a WANT frame names."""
        if any(layer >= MAX_LAYERS for layer in self.payload):
            raise RelayError("a wish for a layer that cannot be")
        return frozenset(self.payload)

    def report(self) -> Report:
        return Report(*_unpack(_REPORT, self.payload))

    def state(self) -> list[LayerState]:
        try:
            return [
                LayerState(layer, bool(flowing), height, bitrate)
                for layer, flowing, height, bitrate in _STATE.iter_unpack(self.payload)
            ]
        except struct.error as error:
            raise RelayError("the state of half a layer") from error

    def publication_id(self) -> str:
        try:
            return self.payload.decode()
        except UnicodeDecodeError as error:
            raise RelayError("an id that is no text") from error


def pack(type: FrameType, handle: int, payload: bytes = b"") -> bytes:
    """One frame as bytes."""
    return _HEAD.pack(5 + len(payload), type, handle) + payload


def pack_time(now: float) -> bytes:
    return pack(FrameType.TIME, 0, _TIME.pack(now))


def pack_track(handle: int, track: Track) -> bytes:
    return pack(FrameType.TRACK, handle, json.dumps(wire.dump(track), separators=(",", ":")).encode())


def pack_rtp(handle: int, layer: int, packet: bytes) -> bytes:
    return _RTP_HEAD.pack(6 + len(packet), FrameType.RTP, handle, layer) + packet


def pack_report(handle: int, report: Report) -> bytes:
    return pack(FrameType.REPORT, handle, _REPORT.pack(*report))


def pack_state(handle: int, states: Iterable[LayerState]) -> bytes:
    return pack(FrameType.STATE, handle, b"".join(_STATE.pack(*state) for state in states))


def pack_pull(handle: int, publication_id: str) -> bytes:
    return pack(FrameType.PULL, handle, publication_id.encode())


def pack_want(handle: int, layers: Iterable[int]) -> bytes:
    return pack(FrameType.WANT, handle, bytes(sorted(layers)))


def pack_key_frame(handle: int, layer: int) -> bytes:
    return pack(FrameType.KEYFRAME, handle, bytes((layer,)))


class Reader:
    """Bytes in, frames out."""

    def __init__(self) -> None:
        self._rest = b""  # of a frame that is not complete

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete with `data`. Raises RelayError on one that cannot be."""
        if self._rest:
            data = self._rest + data
        frames = []
        at, size = 0, len(data)
        while size - at >= _HEAD.size:
            length, kind, handle = _HEAD.unpack_from(data, at)
            if not 5 <= length <= MAX_FRAME:
                raise RelayError(f"a frame of {length} bytes")
            end = at + 4 + length
            if end > size:
                break
            frames.append(Frame(kind, handle, data[at + _HEAD.size : end]))
            at = end
        self._rest = data[at:]
        return frames


def _unpack(form: struct.Struct, payload: bytes) -> tuple[int, ...]:
    try:
        return form.unpack(payload)
    except struct.error as error:
        raise RelayError(f"a frame of {len(payload)} bytes that has {form.size}") from error
