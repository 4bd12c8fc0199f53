"""Frames of VP8 (RFC 7741) and VP9 (RFC 9628) out of RTP payloads that come in order."""

from __future__ import annotations

from itertools import pairwise

from recorder import formats
from recorder.formats import Format, FormatError
from recorder.frame import MAX_FRAME, Frame


class _Whole:
    """What both have in common: a descriptor, then the frame's bytes; the last packet of a picture is marked."""

    def __init__(self) -> None:
        self.failed = False
        self._pieces: list[bytes] = []
        self._starts: list[int] = []  # where in _pieces frames begin; a scalable picture has one for each layer
        self._timestamp = -1
        self._size = 0
        self._broken = True  # until a frame begins

    def push(self, timestamp: int, marker: bool, payload: bytes) -> Frame | None:
        if timestamp != self._timestamp:
            self._begin(timestamp)
        if payload and not self._broken:
            try:
                begins, at = self._describe(payload)
            except IndexError:
                self._fail()
                return None
            if begins:
                self._starts.append(len(self._pieces))
            elif not self._pieces:
                self._fail()
                return None
            self._pieces.append(payload[at:])
            self._size += len(payload)
            if self._size > MAX_FRAME:
                self._fail()
        if not marker or self._broken or not self._pieces:
            return None
        pieces, starts = self._pieces, self._starts
        self._begin(timestamp)
        if len(starts) == 1:
            frames = [b"".join(pieces)]
        else:
            frames = [b"".join(pieces[a:b]) for a, b in pairwise([*starts, len(pieces)])]
        try:
            key = self._is_key(frames[0])
            return Frame(timestamp, key, self._together(frames), self._format(frames[0]) if key else None)
        except FormatError:
            self._fail()
            return None

    def lost(self) -> None:
        self._begin(-1)
        self._broken = True
        self.failed = False

    def _begin(self, timestamp: int) -> None:
        self._timestamp = timestamp
        self._pieces = []
        self._starts = []
        self._size = 0
        self._broken = False

    def _fail(self) -> None:
        self._pieces = []
        self._broken = self.failed = True

    def _describe(self, payload: bytes) -> tuple[bool, int]:
        """Whether a frame begins here, and where its bytes do. Raises IndexError."""
        raise NotImplementedError

    def _is_key(self, frame: bytes) -> bool:
        """Whether the picture that begins with this frame needs no other. Raises FormatError."""
        raise NotImplementedError

    def _format(self, frame: bytes) -> Format:
        """Of a key frame. Raises FormatError."""
        raise NotImplementedError

    def _together(self, frames: list[bytes]) -> bytes:
        return b"".join(frames)


class Vp8(_Whole):
    def _describe(self, payload: bytes) -> tuple[bool, int]:
        first = payload[0]
        at = 1
        if first & 0x80:
            extensions = payload[1]
            at = 2
            if extensions & 0x80:
                at += 2 if payload[2] & 0x80 else 1
            if extensions & 0x40:
                at += 1
            if extensions & 0x30:
                at += 1
        if at >= len(payload):
            raise IndexError
        return first & 0x17 == 0x10, at

    def _is_key(self, frame: bytes) -> bool:
        return not frame[0] & 1

    def _format(self, frame: bytes) -> Format:
        return formats.vp8(frame)


class Vp9(_Whole):
    def __init__(self) -> None:
        super().__init__()
        self._key = False
        self._largest = 0, 0  # of the layers, as the last scalability structure has them

    def _describe(self, payload: bytes) -> tuple[bool, int]:
        first = payload[0]
        begins = bool(first & 0x08)
        at = 1
        if first & 0x80:
            at += 2 if payload[1] & 0x80 else 1
        if first & 0x20:
            at += 1 if first & 0x10 else 2
        if first & 0x10 and first & 0x40:
            while payload[at] & 1:
                at += 1
            at += 1
        if first & 0x02:
            at = self._read_structure(payload, at)
        if at >= len(payload):
            raise IndexError
        if begins and not self._pieces:
            self._key = not first & 0x40
        return begins, at

    def _read_structure(self, payload: bytes, at: int) -> int:
        head = payload[at]
        at += 1
        self._largest = 0, 0
        if head & 0x10:
            for _ in range((head >> 5) + 1):
                size = payload[at] << 8 | payload[at + 1], payload[at + 2] << 8 | payload[at + 3]
                self._largest = max(self._largest, size)
                at += 4
        if head & 0x08:
            count = payload[at]
            at += 1
            for _ in range(count):
                at += 1 + (payload[at] >> 2 & 3)
        return at

    def _is_key(self, frame: bytes) -> bool:
        return self._key

    def _format(self, frame: bytes) -> Format:
        return formats.vp9(frame, self._largest)

    def _together(self, frames: list[bytes]) -> bytes:
        """Layers of one picture are a superframe, whose index at the end tells a decoder their sizes (VP9 annex B)."""
        if len(frames) == 1:
            return frames[0]
        if len(frames) > 8:
            raise FormatError("a VP9 picture of more than eight layers")
        marker = bytes((0xD8 | len(frames) - 1,))  # sizes of four bytes
        return b"".join((*frames, marker, *(len(frame).to_bytes(4, "little") for frame in frames), marker))
