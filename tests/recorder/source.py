"""Real media as a worker would send it: encoded by PyAV, packetised here, framed for the recorder's socket.

The picture's brightness and the sound's loudness say what time it is, so that a test can check where it ended up.
"""

from __future__ import annotations

import fractions
import functools
import math
import os
import struct
import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import av

from media import recording_link
from media.recording_link import Report, Track
from recorder.av1 import leb128

MTU = 1200
FRAME_RATE = 20


@dataclass(frozen=True)
class Sample:
    """An encoded frame or sound packet, `at_us` after the source began."""

    at_us: int
    data: bytes
    key: bool


@functools.cache
def picture(codec: str, seconds: int, width: int = 320, height: int = 180, key_every_s: int = 2) -> list[Sample]:
    """An encoded picture that is bright in the first half of each second."""
    os.environ.setdefault("SVT_LOG", "1")  # else its encoder tells all its settings
    encoder = {"H264": "libx264", "VP8": "libvpx", "VP9": "libvpx-vp9", "AV1": "libsvtav1"}[codec]
    options = {
        "H264": {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"},
        "VP8": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
        "VP9": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
        "AV1": {"preset": "12", "svtav1-params": "pred-struct=1:rc=2:lp=1:scd=0"},  # low delay
    }[codec]
    context = typing.cast(av.VideoCodecContext, av.CodecContext.create(encoder, "w"))
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = fractions.Fraction(1, FRAME_RATE), fractions.Fraction(FRAME_RATE)
    context.bit_rate, context.gop_size, context.options = 500_000, key_every_s * FRAME_RATE, options
    samples = []
    policy = os.sched_getscheduler(0)
    for number in range(seconds * FRAME_RATE):
        frame = av.VideoFrame(width, height, "yuv420p")
        bright = number % FRAME_RATE < FRAME_RATE // 2
        for plane, level in zip(frame.planes, (220 if bright else 40, 128, 128), strict=True):
            plane.update(bytes([level + number % 8 if level != 128 else level]) * plane.buffer_size)
        frame.pts = number
        samples += [_sample(packet, FRAME_RATE) for packet in context.encode(frame)]
    samples += [_sample(packet, FRAME_RATE) for packet in context.encode(None)]
    if policy != os.sched_getscheduler(0):
        # For root SVT-AV1 makes its caller a real-time process, with all that this starts from then on: a browser
        # which spins then leaves nothing of the machine to anybody.
        os.sched_setscheduler(0, policy, os.sched_param(0))
    return samples


@functools.cache
def sound(seconds: int) -> list[Sample]:
    """An encoded tone that is on in the first half of each second."""
    context = av.AudioCodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48000, "mono", "s16"
    context.bit_rate = 32_000
    samples = []
    for number in range(seconds * 50):
        frame = av.AudioFrame("s16", "mono", 960)
        loud = number % 50 < 25
        frame.planes[0].update(
            struct.pack(
                "<960h",
                *(int(8000 * math.sin(2 * math.pi * 440 * (number * 960 + i) / 48000)) * loud for i in range(960)),
            )
        )
        frame.sample_rate, frame.pts = 48000, number * 960
        samples += [_sample(packet, 48000) for packet in context.encode(frame)]
    return [replace(sample, at_us=index * 20_000) for index, sample in enumerate(samples)]


def _sample(packet: av.Packet[typing.Any], rate: int) -> Sample:
    assert packet.pts is not None
    return Sample(packet.pts * 1_000_000 // rate, bytes(packet), packet.is_keyframe)


def payloads(codec: str, sample: Sample, mtu: int = MTU) -> list[bytes]:
    """An encoded sample as RTP payloads."""
    if codec == "opus":
        return [sample.data]
    if codec == "H264":
        return _h264(sample.data, mtu)
    if codec == "AV1":
        return _av1(sample, mtu)
    pieces = [sample.data[at : at + mtu] for at in range(0, len(sample.data), mtu)]
    if codec == "VP8":  # with a 15-bit picture id
        return [bytes([0x90 if not at else 0x80, 0x80, 0x80, 1]) + piece for at, piece in enumerate(pieces)]
    described = []
    for at, piece in enumerate(pieces):
        flags = 0x80 | (0x08 if not at else 0) | (0x04 if at == len(pieces) - 1 else 0)
        flags |= 0 if sample.key else 0x40
        described.append(bytes([flags, 0x80, 1]) + piece)
    return described


def _h264(data: bytes, mtu: int) -> list[bytes]:
    units = [unit.rstrip(b"\0") for unit in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]
    parameters = [unit for unit in units if unit[0] & 31 in (7, 8)]
    made = []
    if parameters:  # as browsers do: one STAP-A before the picture
        made.append(b"\x78" + b"".join(struct.pack("!H", len(unit)) + unit for unit in parameters))
    for unit in units:
        if unit in parameters or unit[0] & 31 == 6:
            continue
        if len(unit) <= mtu:
            made.append(unit)
            continue
        pieces = [unit[at : at + mtu] for at in range(1, len(unit), mtu)]
        for at, piece in enumerate(pieces):
            head = unit[0] & 31 | (0x80 if not at else 0) | (0x40 if at == len(pieces) - 1 else 0)
            made.append(bytes([unit[0] & 0xE0 | 28, head]) + piece)
    return made


def obus(data: bytes) -> list[bytes]:
    """The OBUs of an AV1 temporal unit without their sizes, as they go into packets; delimiters are left out."""
    found, at = [], 0
    while at < len(data):
        body = at + (2 if data[at] & 4 else 1)
        head = bytes([data[at] & ~2]) + data[at + 1 : body]
        size, body = leb128(data, body)
        if head[0] >> 3 != 2:
            found.append(head + data[body : body + size])
        at = body + size
    return found


def _av1(sample: Sample, mtu: int) -> list[bytes]:
    """Two elements to a packet at most; the first says its size, the last does not."""
    made: list[bytes] = []
    rest = obus(sample.data)
    continues = False
    while rest:
        first, *rest = rest
        room = mtu - 3
        elements = [first[:room]]
        continued = len(first) > room
        if continued:
            rest.insert(0, first[room:])
        elif rest and room - len(first) > 8:
            room -= len(first)
            second, *rest = rest
            elements.append(second[:room])
            continued = len(second) > room
            if continued:
                rest.insert(0, second[room:])
        head = continues << 7 | continued << 6 | len(elements) << 4 | (sample.key and not made) << 3
        size = len(elements[0])
        lead = bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])
        made.append(bytes([head]) + (lead if len(elements) == 2 else b"") + b"".join(elements))
        continues = continued
    return made


@dataclass(frozen=True)
class Timed:
    """Bytes for the socket, `at_us` after the source began."""

    at_us: int
    data: bytes


@dataclass
class Publication:
    """One track of a publisher; counters go on from one `stream` to the next, as a browser's do."""

    track: Track
    handle: int
    ssrc: int = 0x1234
    sequence: int = 65_500  # wraps soon
    timestamp_offset: int = 4_294_900_000  # wraps soon

    def announce(self) -> bytes:
        return recording_link.pack_track(self.handle, self.track)

    def end(self) -> bytes:
        return recording_link.pack(recording_link.FrameType.END, self.handle)

    def stream(
        self, samples: Iterable[Sample], begin_us: int, delay_us: int = 0, report_every_us: int = 1_000_000
    ) -> Iterator[Timed]:
        """RTP and sender reports of `samples`, captured from `begin_us` (since 1970) on, `delay_us` under way."""
        rate = self.track.clock_rate
        reported = -report_every_us
        for sample in samples:
            timestamp = (self.timestamp_offset + sample.at_us * rate // 1_000_000) & 0xFFFFFFFF
            arrival = begin_us + sample.at_us + delay_us
            made = payloads(self.track.codec, sample)
            for at, payload in enumerate(made):
                marker = 0x80 if at == len(made) - 1 and self.track.kind == "video" else 0
                head = struct.pack(
                    "!BBHII", 0x90, marker | self.track.payload_type, self.sequence, timestamp, self.ssrc
                )
                level = sample.at_us % 1_000_000 // 10_000
                extension = bytes.fromhex("bede0001 10") + bytes([level, 0, 0])
                self.sequence = (self.sequence + 1) & 0xFFFF
                yield Timed(sample.at_us, recording_link.pack_rtp(self.handle, arrival, head + extension + payload))
            if sample.at_us - reported >= report_every_us:
                reported = sample.at_us
                # The sender's wall clock is an hour off, as they are.
                sent_us = begin_us + sample.at_us + 3_600_000_000
                ntp = ((sent_us // 1_000_000 + 2_208_988_800) << 32) | (sent_us % 1_000_000 << 32) // 1_000_000
                report = Report(arrival, ntp, timestamp, 0)
                yield Timed(sample.at_us, recording_link.pack_report(self.handle, report))


def publication(
    lesson_id: str,
    name: str,
    codec: str,
    epoch_us: int,
    source: str = "camera",
    lead: bool = True,
    handle: int = 1,
    participant: str = "t-1",
) -> Publication:
    kind, rate, channels = ("audio", 48000, 2) if codec == "opus" else ("video", 90000, 0)
    track = Track(lesson_id, name, participant, kind, source, lead, epoch_us, codec, 96, rate, channels, "")
    return Publication(track, handle, ssrc=0x1000 + handle)


def later(samples: Iterable[Sample], by_us: int) -> list[Sample]:
    """The same samples after some time."""
    return [replace(sample, at_us=sample.at_us + by_us) for sample in samples]


def together(*streams: Iterable[Timed]) -> list[Timed]:
    """Several streams as one, in the order of time."""
    return sorted((timed for stream in streams for timed in stream), key=lambda timed: timed.at_us)


def lead_on_air(camera: Publication, microphone: Publication, begin_us: int, seconds: int) -> list[bytes]:
    """A lead teacher's H.264 camera and microphone, announced and sent for `seconds`, and not ended."""
    media = together(camera.stream(picture("H264", seconds), begin_us), microphone.stream(sound(seconds), begin_us))
    return [camera.announce(), microphone.announce(), *(timed.data for timed in media)]


def lead_that_comes_back(lesson_id: str, epoch_us: int, begin_us: int) -> list[bytes]:
    """A lead teacher sends for 12 s, is away for 10, and sends for 12 more under new ids."""
    sent = []
    for name, handle, at in (("a", 1, begin_us), ("b", 3, begin_us + 22_000_000)):
        camera = publication(lesson_id, f"{name}-0", "H264", epoch_us, handle=handle)
        microphone = publication(lesson_id, f"{name}-1", "opus", epoch_us, "microphone", handle=handle + 1)
        sent += [*lead_on_air(camera, microphone, at, 12), camera.end(), microphone.end()]
    return sent
