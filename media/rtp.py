"""RTP packets (RFC 3550 section 5, header extensions RFC 8285): read once on arrival, written once per profile.

`Packet` keeps the bytes as they came and says where things are in them. Sequence numbers are compared modulo 2**16;
`Unwrapper` turns them into an index that never wraps, so that the rest of the house can simply compare and subtract.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from media.descriptors import Sub
from media.pictures import Numbers

if TYPE_CHECKING:
    from media.red import Block

MAX_EXTENSIONS = 16  # a browser sends six; more than this is somebody playing
HEADER = struct.Struct("!BBHII")  # flags, marker and payload type, sequence number, timestamp, SSRC
_EXTENSION = struct.Struct("!HH")  # the profile, and how many words follow
MAX_SHORT = 16  # bytes of a header extension in one-byte form (RFC 8285 section 4.2)
_ONE_BYTE = 0xBEDE
_TWO_BYTE = 0x1000


class Packet:
    """One RTP packet in plain text. `data` is never changed."""

    __slots__ = (
        "arrival",
        "data",
        "end",
        "extensions",
        "index",
        "marker",
        "numbers",
        "older",
        "padding",
        "payload_type",
        "send_time",
        "sequence",
        "ssrc",
        "start",
        "sub",
        "timestamp",
    )

    def __init__(self, data: bytes, start: int, end: int, extensions: dict[int, bytes]) -> None:
        _, second, self.sequence, self.timestamp, self.ssrc = HEADER.unpack_from(data)
        self.marker = second >> 7
        self.payload_type = second & 0x7F
        self.data = data
        self.start = start  # of the payload
        self.end = end  # of the payload, padding left out
        self.extensions = extensions  # id -> value
        self.index: int = self.sequence  # the sequence number unwrapped, once the track is known
        self.arrival = 0.0  # seconds, monotonic
        self.numbers: Numbers | None = None  # of its picture, for codecs that have them
        self.sub: Sub | None = None  # which sub-layer it belongs to, for scalable streams
        self.older: tuple[Block, ...] = ()  # sound before it, for those with redundancy; set once, like `send_time`
        self.padding = -1  # bytes it is forwarded with, see fanout.level(); -1 while not decided; kept like `send_time`
        self.send_time = b""  # abs-send-time it was forwarded with; kept, so that a repetition is the same

    @property
    def payload(self) -> bytes:
        return self.data[self.start : self.end]

    def as_number(self, index: int, marker: int, end: int) -> Packet:
        """The same packet under another index, with this marker, its payload ending here."""
        packet = Packet(self.data, self.start, end, self.extensions)
        packet.index, packet.marker = index, marker
        packet.arrival, packet.numbers, packet.sub = self.arrival, self.numbers, self.sub
        packet.timestamp = self.timestamp
        return packet

    def without_rtx(self, payload_type: int, ssrc: int) -> Packet | None:
        """The packet that this retransmission carries (RFC 4588 section 4), or None if it only pads."""
        if self.end - self.start < 2:
            return None
        head = HEADER.pack(0x80, self.marker << 7 | payload_type, 0, self.timestamp, ssrc)
        original = b"".join((head[:2], self.data[self.start : self.start + 2], head[4:],
                             self.data[self.start + 2 : self.end]))  # fmt: skip
        packet = Packet(original, HEADER.size, len(original), self.extensions)
        packet.arrival = self.arrival
        return packet

    def plain(self, extensions: Sequence[tuple[int, bytes]] = ()) -> bytes:
        """The packet without contributing sources and padding, and with these header extensions for its own."""
        if self.start == HEADER.size and self.end == len(self.data) and not extensions:
            return self.data
        head = bytearray(header(self.marker, self.payload_type, extensions))
        HEADER.pack_into(head, 0, head[0], head[1], self.sequence, self.timestamp, self.ssrc)
        return bytes(head) + self.data[self.start : self.end]


def parse(data: bytes) -> Packet | None:
    """The packet in `data`, or None if there is none. Never raises."""
    size = len(data)
    if size < 12:
        return None
    first = data[0]
    if first >> 6 != 2:
        return None
    start = 12 + 4 * (first & 0x0F)
    extensions: dict[int, bytes] = {}
    if first & 0x10:
        if size < start + 4:
            return None
        profile, words = _EXTENSION.unpack_from(data, start)
        end = start + 4 + 4 * words
        if end > size:
            return None
        if profile == _ONE_BYTE:
            extensions = _one_byte_extensions(data, start + 4, end)
        elif profile & 0xFFF0 == _TWO_BYTE:
            extensions = _two_byte_extensions(data, start + 4, end)
        start = end
    end = size
    if first & 0x20:
        end -= data[-1]
        if data[-1] == 0:
            return None
    return Packet(data, start, end, extensions) if start <= end else None


def is_rtcp(data: bytes) -> bool:
    """Whether a multiplexed datagram is RTCP (RFC 5761 section 4). It has two bytes at least."""
    return 192 <= data[1] <= 223


def header(marker: int, payload_type: int, extensions: Sequence[tuple[int, bytes]]) -> bytes:
    """A header with sequence number, timestamp and SSRC still zero. Ids are 1 to 14.

    A value of more than 16 bytes takes the form with two bytes for all, which not everybody understands.
    """
    if not extensions:
        return HEADER.pack(0x80, marker << 7 | payload_type, 0, 0, 0)
    if all(len(value) <= MAX_SHORT for _, value in extensions):
        form = _ONE_BYTE
        block = b"".join(bytes((id << 4 | len(value) - 1,)) + value for id, value in extensions)
    else:
        form = _TWO_BYTE
        block = b"".join(bytes((id, len(value))) + value for id, value in extensions)
    words = (len(block) + 3) // 4
    return HEADER.pack(0x90, marker << 7 | payload_type, 0, 0, 0) + struct.pack(f"!HH{words * 4}s", form, words, block)


def first_value_at(head: bytes) -> int:
    """Where the value of the first extension is in a header that `header` has made."""
    return HEADER.size + 4 + (1 if head[HEADER.size] == _ONE_BYTE >> 8 else 2)


def abs_send_time(now: float) -> bytes:
    """The abs-send-time value: 24 bits of seconds with 18 of them behind the point."""
    return (int(now * (1 << 18)) & 0xFFFFFF).to_bytes(3, "big")


class Unwrapper:
    """Sequence numbers in, indices out that do not wrap. Starts at 2**16 so that what came before is not negative."""

    __slots__ = ("highest",)

    def __init__(self) -> None:
        self.highest = -1

    def index(self, sequence: int) -> int:
        """The index nearest to the highest seen. `highest` follows."""
        if self.highest < 0:
            self.highest = 0x10000 + sequence
            return self.highest
        index = self.highest + ((sequence - self.highest + 0x8000) & 0xFFFF) - 0x8000
        if index > self.highest:
            self.highest = index
        return index


def _one_byte_extensions(data: bytes, at: int, end: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while at < end:
        head = data[at]
        at += 1
        if head == 0:
            continue
        after = at + 1 + (head & 0x0F)
        if head >= 0xF0 or after > end or len(found) == MAX_EXTENSIONS:
            break  # RFC 8285 section 4.2: id 15 ends the reading
        found[head >> 4] = data[at:after]
        at = after
    return found


def _two_byte_extensions(data: bytes, at: int, end: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while at + 1 < end:
        id, length = data[at], data[at + 1]
        if id == 0:
            at += 1
            continue
        if at + 2 + length > end or len(found) == MAX_EXTENSIONS:
            break
        found[id] = data[at + 2 : at + 2 + length]
        at += 2 + length
    return found
