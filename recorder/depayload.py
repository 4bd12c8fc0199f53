"""Frames out of RTP payloads that come in order: H.264 (RFC 6184). The others are in vpx.py and av1.py.

aiortc's depayloaders give pieces, not frames, know no VP9, and copy each packet several times. These keep a list of
slices and join it once per frame. Whoever feeds them says where packets are missing (`lost`); the frame around the
hole is dropped. Bytes that are no such payload are dropped too: the frame they belong to is not given.
"""

from __future__ import annotations

import base64
import contextlib
import struct

from recorder import formats
from recorder.av1 import Av1
from recorder.formats import Format, FormatError
from recorder.frame import MAX_FRAME, Depayloader, Frame
from recorder.vpx import Vp8, Vp9

_LENGTH = struct.Struct("!I")


def for_codec(codec: str, fmtp: str) -> Depayloader:
    """The depayloader for a video codec; `fmtp` as in SDP, which may hold H.264's parameter sets."""
    if codec == "VP8":
        return Vp8()
    if codec == "VP9":
        return Vp9()
    if codec == "AV1":
        return Av1()
    sets = []
    for parameter in fmtp.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "sprop-parameter-sets":
            for text in value.split(","):
                with contextlib.suppress(ValueError):
                    sets.append(base64.b64decode(text, validate=True))
    return H264(tuple(unit for unit in sets if len(unit) > 1))


class H264:
    """NAL units into length-prefixed samples; parameter sets stand before each key frame, all that are in force."""

    def __init__(self, sprop_parameter_sets: tuple[bytes, ...] = ()) -> None:
        self.failed = False
        self._sequence_sets: dict[bytes, bytes] = {}
        self._picture_sets: dict[bytes, bytes] = {}
        self._format: Format | None = None
        self._sets = b""  # what the format was made of, as it stands before a key frame
        self._pieces: list[bytes] = []
        self._size = 0
        self._timestamp = -1
        self._key = False
        self._unit_at = -1  # where in _pieces the length of the unit being joined belongs
        self._unit_size = 0
        self._parameter = b""  # a parameter set being joined from fragments
        self._sliced = False
        self._broken = False
        for unit in sprop_parameter_sets:
            self._unit(unit)

    def push(self, timestamp: int, marker: bool, payload: bytes) -> Frame | None:
        done = None
        if timestamp != self._timestamp:
            # A frame whose marker never came: some senders leave it out.
            if self._pieces and self._timestamp >= 0:
                done = self._finish()
            self._begin(timestamp)
        if len(payload) > 1:
            kind = payload[0] & 0x1F
            if kind == 28:
                self._fragment(payload)
            elif kind == 24:
                self._aggregate(payload)
            elif 1 <= kind <= 23:
                self._unit(payload)
            else:
                self._broken = True  # interleaved modes (25 to 27, 29) are never negotiated
        if self._size > MAX_FRAME:
            self._broken = True
            self._pieces.clear()
            self._size = 0
        if marker and done is None and self._pieces:
            done = self._finish()
            self._begin(timestamp)
        return done

    def lost(self) -> None:
        self._begin(-1)
        self._broken = True
        self.failed = False

    def _begin(self, timestamp: int) -> None:
        self._timestamp = timestamp
        self._pieces = []
        self._size = 0
        self._key = False
        self._unit_at = -1
        self._parameter = b""
        self._sliced = False
        self._broken = False

    def _fragment(self, payload: bytes) -> None:
        head = payload[1]
        kind = head & 0x1F
        if head & 0x80:
            if kind in (7, 8):
                self._parameter = bytes([payload[0] & 0xE0 | kind]) + payload[2:]
                return
            self._picture(kind, payload[2:3])
            self._unit_at = len(self._pieces)
            self._unit_size = len(payload) - 1
            self._pieces.append(b"")
            self._pieces.append(bytes([payload[0] & 0xE0 | kind]))
            self._pieces.append(payload[2:])
        elif self._unit_at >= 0:
            self._pieces.append(payload[2:])
            self._unit_size += len(payload) - 2
        elif self._parameter:
            self._parameter += payload[2:]
            if head & 0x40:
                self._unit(self._parameter)
                self._parameter = b""
            return
        else:
            self._broken = True
            return
        if head & 0x40:
            self._pieces[self._unit_at] = _LENGTH.pack(self._unit_size)
            self._size += self._unit_size
            self._unit_at = -1

    def _picture(self, kind: int, slice_head: bytes) -> None:
        if kind in (1, 5) and not self._sliced:
            # A picture's first slice begins with macroblock 0, an Exp-Golomb "1"; else slices before it are missing.
            self._sliced = True
            self._broken = self._broken or slice_head < b"\x80"
        self._key = self._key or kind == 5

    def _aggregate(self, payload: bytes) -> None:
        at = 1
        while at + 2 <= len(payload):
            size = payload[at] << 8 | payload[at + 1]
            at += 2
            if not size or at + size > len(payload):
                self._broken = True
                return
            self._unit(payload[at : at + size])
            at += size

    def _unit(self, unit: bytes) -> None:
        kind = unit[0] & 0x1F
        if kind in (7, 8):
            self._parameter_set(kind, unit)
        elif kind != 9 and kind != 12:  # delimiters and filler say nothing
            self._picture(kind, unit[1:2])
            self._pieces.append(_LENGTH.pack(len(unit)))
            self._pieces.append(unit)
            self._size += len(unit)

    def _parameter_set(self, kind: int, unit: bytes) -> None:
        # Keyed by the first bytes, which hold the set's id; ours come few and small.
        sets, key = (self._sequence_sets, unit[4:5]) if kind == 7 else (self._picture_sets, unit[1:2])
        if sets.get(key) != unit:
            if kind == 7:
                sets.clear()  # an encoder that reconfigures itself begins anew
                self._picture_sets.clear()
            elif len(sets) >= 16:
                sets.clear()
            sets[key] = unit
            self._format = None

    def _finish(self) -> Frame | None:
        if self._broken or self._unit_at >= 0:
            self.failed = True
            return None
        if not self._key:
            return Frame(self._timestamp, False, b"".join(self._pieces), None)
        if self._format is None:
            sequence_sets, picture_sets = tuple(self._sequence_sets.values()), tuple(self._picture_sets.values())
            try:
                self._format = formats.h264(sequence_sets, picture_sets)
            except FormatError:
                self.failed = True
                return None
            self._sets = b"".join(_LENGTH.pack(len(unit)) + unit for unit in (*sequence_sets, *picture_sets))
        return Frame(self._timestamp, True, b"".join((self._sets, *self._pieces)), self._format)
