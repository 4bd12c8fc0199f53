"""Frames of AV1 out of RTP payloads that come in order (AV1 RTP specification, section 4).

A packet holds elements: OBUs, or pieces of one that did not fit. Put together they are a temporal unit, which is the
sample of an MP4 file (AV1 in ISOBMFF, section 2.4): every OBU says its size there, and delimiters and padding are left
out. All spatial layers of one moment are one sample; a player shows the largest.
"""

from __future__ import annotations

from media.bits import BitsError
from recorder import formats
from recorder.formats import Format, FormatError
from recorder.frame import MAX_FRAME, Frame

_SEQUENCE_HEADER, _TEMPORAL_DELIMITER, _FRAME_HEADER, _FRAME, _TILE_LIST, _PADDING = 1, 2, 3, 6, 8, 15
_LEFT_OUT = (_TEMPORAL_DELIMITER, _TILE_LIST, _PADDING)

# The aggregation header.
_CONTINUES, _CONTINUED, _BEGINS_SEQUENCE = 0x80, 0x40, 0x08


class Av1:
    """A `Depayloader`.

    No packet says that a temporal unit begins with it, but for the first of a coded video sequence. So after a loss
    nothing is given before that: no picture could be shown before it anyway.
    """

    def __init__(self) -> None:
        self.failed = False
        self._units: list[bytes] = []  # whole OBUs of the temporal unit, each with its size
        self._piece: list[bytes] | None = None  # of an OBU that goes on in the next packet
        self._size = 0
        self._timestamp = -1
        self._key = False
        self._typed = False  # a frame has said whether it is a key frame
        self._in_step = False  # nothing is missing since a sequence began
        self._sequence = b""
        self._format: Format | None = None

    def push(self, timestamp: int, marker: bool, payload: bytes) -> Frame | None:
        done = None
        if timestamp != self._timestamp:
            if self._units:  # its marker never came; nothing was lost, or `lost` would have been called
                done = self._finish()
            self._begin(timestamp)
        if len(payload) > 1:
            head = payload[0]
            if head & _BEGINS_SEQUENCE and not head & _CONTINUES and not self._units:
                self._in_step = True
            if self._in_step:
                try:
                    self._take(head, payload)
                except (IndexError, BitsError, FormatError):
                    self._fail()
        if marker and done is None:
            if self._units and self._in_step:
                done = self._finish()
            self._begin(timestamp)
        return done

    def lost(self) -> None:
        self._in_step = self.failed = False
        self._begin(-1)

    def _fail(self) -> None:
        self.lost()
        self.failed = True

    def _begin(self, timestamp: int) -> None:
        self._timestamp = timestamp
        self._units = []
        self._piece = None
        self._size = 0
        self._key = self._typed = False

    def _take(self, head: int, payload: bytes) -> None:
        """Take a packet's elements. Raises IndexError, BitsError and FormatError."""
        if bool(head & _CONTINUES) != (self._piece is not None):
            raise FormatError("a piece of an OBU that does not follow its beginning")
        self._size += len(payload)
        if self._size > MAX_FRAME:
            raise FormatError("a temporal unit that never ends")
        count, at, number = head >> 4 & 3, 1, 0
        while at < len(payload):
            number += 1
            if count and number == count:
                size = len(payload) - at  # the last one says no size
            else:
                size, at = leb128(payload, at)
            element = payload[at : at + size]
            if len(element) != size:
                raise FormatError("an element longer than its packet")
            at += size
            if self._piece is not None:
                self._piece.append(element)
                element = b"".join(self._piece) if at < len(payload) or not head & _CONTINUED else b""
            elif at >= len(payload) and head & _CONTINUED:
                self._piece = [element]
                return
            if element:
                self._piece = None
                self._unit(element)

    def _unit(self, unit: bytes) -> None:
        """Take a whole OBU. Raises IndexError, BitsError and FormatError."""
        head = unit[0]
        kind = head >> 3 & 15
        at = 2 if head & 4 else 1
        body = at
        size = len(unit) - at
        if head & 2:
            size, body = leb128(unit, at)
        if head & 0x80 or size > len(unit) - body:
            raise FormatError("an OBU that is none")
        if kind in _LEFT_OUT:
            return
        payload = unit[body : body + size]
        if kind == _SEQUENCE_HEADER and payload != self._sequence:
            self._format = formats.av1(payload)
            self._sequence = payload
        elif kind in (_FRAME, _FRAME_HEADER) and not self._typed:
            self._typed = True
            # show_existing_frame 0, frame_type KEY_FRAME, show_frame 1 (section 5.9.2)
            self._key = payload[0] & 0xF0 == 0x10
        self._units.append(bytes((head | 2,)) + unit[1:at] + _leb128_of(size) + payload)

    def _finish(self) -> Frame | None:
        if self._piece is not None or not self._typed or (self._key and self._format is None):
            self._fail()
            return None
        return Frame(self._timestamp, self._key, b"".join(self._units), self._format if self._key else None)


def leb128(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first (AV1 section 4.10.5), and where it ends.

    Raises IndexError and FormatError.
    """
    value = 0
    for place in range(8):
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise FormatError("a number that never ends")


def _leb128_of(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
