"""What the measured publisher sends: ten seconds of 720p H.264 at 1.5 Mb/s and of Opus, as RTP, made once and repeated.

The picture is a blackboard with a patch of noise beside it, so that the encoder has to spend what a camera would; the
packets are cut as browsers cut them (RFC 6184, packetization mode 1), and carry the header extensions browsers send.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import cache

import av

from server.demo import voice
from server.demo.blackboard import Blackboard

RATE = 30  # pictures a second
SECONDS = 10
MAX_PAYLOAD = 1100  # bytes; browsers leave about as much below 1200

VIDEO_TYPE, RTX_TYPE, AUDIO_TYPE = 102, 103, 111  # payload types of the offers (offers.py)
MID, ABS_SEND_TIME, TRANSPORT_CC, AUDIO_LEVEL, RID, REPAIRED_RID = (
    1,
    2,
    3,
    4,
    5,
    6,
)  # header extension ids of the offers

_STAP_A, _FU_A, _SPS, _PPS, _IDR = 24, 28, 7, 8, 5  # NAL unit types (RFC 6184 table 1)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the camera is encoded."""

    rid: str
    height: int  # pixels
    bit_rate: int  # bits a second


SINGLE = Encoding("", 720, 1_500_000)
SIMULCAST = (Encoding("f", 720, 1_500_000), Encoding("h", 360, 500_000), Encoding("q", 180, 120_000))


@cache
def video_frames(encoding: Encoding = SINGLE) -> tuple[tuple[bytes, ...], ...]:
    """Each frame as its RTP payloads. The first is a key frame, the only one."""
    width, height = encoding.height * 16 // 9, encoding.height
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(RATE), Fraction(1, RATE)
    encoder.bit_rate, encoder.gop_size = encoding.bit_rate, RATE * SECONDS
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "threads": "1"}
    frame = av.VideoFrame(width, height, "yuv420p")
    first, second, third = frame.planes
    board = Blackboard(width, height, (first.line_size, second.line_size, third.line_size))
    noise = height * 5 // 12
    chance = random.Random(1)
    frames = []
    for number in range(RATE * SECONDS):
        drawn = board.draw(number / RATE, datetime(2025, 9, 1, 8, 0, number // RATE))
        luma, stride = drawn.planes[0], drawn.strides[0]
        for row in range(height - noise - 20, height - 20):
            at = row * stride + width - noise - 20
            luma[at : at + noise] = chance.randbytes(noise)
        for plane, data in zip(frame.planes, drawn.planes, strict=True):
            plane.update(bytes(data))
        frame.pts = number
        for packet in encoder.encode(frame):
            frames.append(tuple(_payloads(bytes(packet))))
    return tuple(frames)


@cache
def audio_packets() -> tuple[bytes, ...]:
    """Opus, 20 ms each."""
    return tuple(voice.packets()[: int(SECONDS / voice.PACKET)])


def starts_key_frame(payload: bytes) -> bool:
    """Whether an H.264 RTP payload begins a key frame of ours: it does with its parameter sets."""
    return payload[0] & 31 == _STAP_A and payload[3] & 31 == _SPS


@dataclass(slots=True)
class Source:
    """One RTP stream: numbers its packets and writes their headers (RFC 3550 5.1)."""

    ssrc: int
    payload_type: int
    extensions: tuple[int, ...]
    sequence: int = 1000
    octets: int = 0
    packets: int = 0
    transport_sequence: list[int] = field(default_factory=lambda: [0])  # shared by the streams of one transport
    names: dict[int, bytes] = field(default_factory=dict)  # extension id -> value: the section and layer it belongs to

    def packet(self, payload: bytes, timestamp: int, marker: bool, seconds: float) -> bytes:
        """The plain packet; `seconds` is the time of sending for abs-send-time."""
        extension = b"".join(self._extension(number, seconds) for number in self.extensions)
        extension += b"".join(bytes((id << 4 | len(name) - 1,)) + name for id, name in self.names.items())
        extension += bytes(-len(extension) % 4)
        header = struct.pack(
            "!BBHIIHH",
            0x90,
            self.payload_type | marker << 7,
            self.sequence,
            timestamp & 0xFFFFFFFF,
            self.ssrc,
            0xBEDE,
            len(extension) // 4,
        )
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        return header + extension + payload

    def _extension(self, number: int, seconds: float) -> bytes:
        if number == ABS_SEND_TIME:  # 24 bits, 6.18 fixed point seconds
            return bytes((number << 4 | 2,)) + (int(seconds * (1 << 18)) & 0xFFFFFF).to_bytes(3, "big")
        if number == TRANSPORT_CC:
            self.transport_sequence[0] = (self.transport_sequence[0] + 1) & 0xFFFF
            return struct.pack("!BH", number << 4 | 1, self.transport_sequence[0])
        return bytes((number << 4, 0x80 | 30))  # audio level: voice, -30 dBov


def _payloads(access_unit: bytes) -> list[bytes]:
    """The RTP payloads of one Annex B access unit."""
    units = [unit for unit in _units(access_unit) if unit[0] & 31 in (1, _IDR, _SPS, _PPS)]
    sets = [unit for unit in units if unit[0] & 31 in (_SPS, _PPS)]
    payloads = []
    if sets:
        aggregated = b"".join(struct.pack("!H", len(unit)) + unit for unit in sets)
        payloads.append(bytes((sets[0][0] & 0x60 | _STAP_A,)) + aggregated)
    for unit in units:
        if unit in sets:
            continue
        if len(unit) <= MAX_PAYLOAD:
            payloads.append(unit)
            continue
        indicator, kind = unit[0] & 0xE0 | _FU_A, unit[0] & 31
        pieces = _about_equally(unit[1:], MAX_PAYLOAD)
        for number, piece in enumerate(pieces):
            bits = (number == 0) << 7 | (number == len(pieces) - 1) << 6
            payloads.append(bytes((indicator, kind | bits)) + piece)
    return payloads


def _about_equally(data: bytes, most: int) -> list[bytes]:
    """As few pieces as fit, of lengths that differ by one at most, the longer ones last: as libwebrtc cuts a frame."""
    count = -(-len(data) // most)
    short, longer = divmod(len(data), count)
    pieces, at = [], 0
    for number in range(count):
        size = short + (number >= count - longer)
        pieces.append(data[at : at + size])
        at += size
    return pieces


def _units(access_unit: bytes) -> list[bytes]:
    """NAL units between start codes."""
    return [unit.rstrip(b"\0") for unit in access_unit.split(b"\0\0\1") if unit.rstrip(b"\0")]
