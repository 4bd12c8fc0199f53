"""One lesson as load: a publisher that replays its stream at real pace, and viewers that sample what reaches them.

Nearly every payload of the stream is unique, so a sampled packet tells by itself which published one it is: the
difference of the two times is what the server added, a gap among the sampled numbers or a jump against the published
ones is a drop.
"""

from __future__ import annotations

import asyncio
import random
import struct
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Literal, NamedTuple

import pylibsrtp

from server.demo import voice
from tests.bench import offers, stream
from tests.bench.peer import SAMPLE, Peer

# Measured in Chromium 156 at this bit rate: the five to seven packets of a frame leave within 0.2 ms. Only what exceeds
# 40 ms of 2.5 times the bit rate, a key frame, waits. (Before bursts came, packets left two by two every 5 ms; then
# a worker finds less to do at each wake-up, and a packet costs more.)
PACER_TICK = 0.005  # seconds between looks at what is due, while something waits
PACER_FACTOR = 2.5
PACER_BURST = 0.040  # seconds at the pacer's rate that may leave at once
FEEDBACK_INTERVAL = 0.25  # seconds between a viewer's receiver reports, as Chromium sends REMB
REPORT_INTERVAL = 5.0  # seconds between sender reports
NAMED_PACKETS = 200  # how many packets of a layer carry its name; browsers stop when the first report says it is known

_AUDIO_SSRC, _VIDEO_SSRC, _RTX_SSRC = 0x1001, 0x1002, 0x1003
_NTP_1970 = 2_208_988_800  # seconds from 1900 to 1970
_PSFB = 206  # RTCP packet type of payload-specific feedback


class Sent(NamedTuple):
    """When a payload left, and as what."""

    ssrc: int
    number: int
    at: int  # ns since 1970


class _Layer:
    """One encoding of the camera."""

    def __init__(self, source: stream.Source, frames: tuple[tuple[bytes, ...], ...]) -> None:
        self.source = source
        self.frames = frames
        self.shown = 0
        self.wants_key_frame = False

    def next_frame(self) -> tuple[bytes, ...]:
        if self.wants_key_frame:
            self.wants_key_frame, self.shown = False, 0
        self.shown += 1
        return self.frames[(self.shown - 1) % len(self.frames)]


class Publisher:
    """A microphone and a camera from `stream`: one picture of 720p, or simulcast of these encodings, highest first."""

    ssrcs = (_AUDIO_SSRC, _VIDEO_SSRC, _RTX_SSRC)

    def __init__(self, peer: Peer, simulcast: Sequence[stream.Encoding] = ()) -> None:
        self.peer = peer
        self.packets = 0
        self.simulcast = tuple(simulcast)
        self.sent: dict[bytes, Sent] = {}  # of each payload that tells by itself which it is, the last time
        self._unique = _unique_payloads(self.simulcast)
        shared = [0]
        self._audio = stream.Source(
            _AUDIO_SSRC, stream.AUDIO_TYPE, (stream.AUDIO_LEVEL, stream.TRANSPORT_CC), transport_sequence=shared
        )
        own = (stream.ABS_SEND_TIME, stream.TRANSPORT_CC)
        self._layers = [
            _Layer(
                stream.Source(
                    _VIDEO_SSRC + 16 * number, stream.VIDEO_TYPE, own, transport_sequence=shared,
                    names={stream.MID: b"1", stream.RID: each.rid.encode()} if each.rid else {},
                ),
                stream.video_frames(each),
            )
            for number, each in enumerate(self.simulcast or (stream.SINGLE,))
        ]  # fmt: skip
        self._rate = PACER_FACTOR / 8 * sum(each.bit_rate for each in self.simulcast or (stream.SINGLE,))  # bytes/s
        peer.on_media = self._on_feedback

    def offer(self) -> str:
        if self.simulcast:
            return offers.simulcasting(self.peer.credentials, _AUDIO_SSRC, [each.rid for each in self.simulcast])
        return offers.publishing(self.peer.credentials, *self.ssrcs)

    async def run(self) -> None:
        """Publish until cancelled."""
        sounds = stream.audio_packets()
        await asyncio.sleep(random.random() / stream.RATE)  # lessons do not show their pictures in step
        start = paid = time.monotonic()
        frame = sound = 0
        reported = -REPORT_INTERVAL
        waiting: deque[tuple[_Layer, bytes, int, bool]] = deque()
        debt = 0.0  # bytes that left ahead of the pacer's rate
        while True:
            due = start + min(sound * voice.PACKET, frame / stream.RATE)
            if waiting:
                due = min(due, paid + PACER_TICK)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            elapsed = now - start
            while elapsed >= sound * voice.PACKET:
                self._send(self._audio, sounds[sound % len(sounds)], sound * 960, sound == 0)
                sound += 1
            while elapsed >= frame / stream.RATE:
                timestamp = frame * 90_000 // stream.RATE
                for layer in reversed(self._layers):  # libwebrtc encodes the smallest first
                    payloads = layer.next_frame()
                    waiting += ((layer, p, timestamp, p is payloads[-1]) for p in payloads)
                frame += 1
            if elapsed >= reported + REPORT_INTERVAL:
                self._report(elapsed)
                reported = elapsed
            debt, paid = max(0.0, debt - (now - paid) * self._rate), now
            while waiting and debt < PACER_BURST * self._rate:
                layer, payload, timestamp, last = waiting.popleft()
                debt += len(payload)
                self._send(layer.source, payload, timestamp, last)

    def _send(self, source: stream.Source, payload: bytes, timestamp: int, marker: bool) -> None:
        sequence = source.sequence
        packet = source.packet(payload, timestamp, marker, time.time())
        if payload in self._unique:
            self.sent[payload] = Sent(source.ssrc, sequence, time.time_ns())
        if source.names and source.packets == NAMED_PACKETS:
            source.names = {}
        self.peer.send_rtp(packet)
        self.packets += 1

    def _report(self, elapsed: float) -> None:
        """Sender reports, without which nobody can put picture and sound in step."""
        now = time.time() + _NTP_1970
        ntp = int(now) << 32 | int(now % 1 * (1 << 32))
        for source, rate in ((self._audio, 48_000), *((layer.source, 90_000) for layer in self._layers)):
            timestamp = int(elapsed * rate) & 0xFFFFFFFF
            self.peer.send_rtcp(
                struct.pack("!BBHIQIII", 0x80, 200, 6, source.ssrc, ntp, timestamp, source.packets, source.octets)
            )

    def _on_feedback(self, packet: bytes, arrival: int) -> None:
        if self.peer.inbound is None or not 192 <= packet[1] < 224:
            return  # a server may report before we have seen its last flight
        try:
            plain = self.peer.inbound.unprotect_rtcp(packet)
        except pylibsrtp.Error:
            return
        for kind, form, body in _rtcp(plain):
            if kind == _PSFB and form in (1, 4):  # PLI names the source in its header, FIR behind it
                ssrc = int.from_bytes(body[4:8] if form == 1 else body[8:12], "big")
                for layer in self._layers:
                    if layer.source.ssrc == ssrc:
                        layer.wants_key_frame = True


@dataclass(slots=True)
class Track:
    """What a viewer knows of one stream it receives."""

    kind: Literal["audio", "video"]
    shift: int | None = None  # viewer's sequence number - publisher's
    layer: int = 0  # the SSRC that the publisher sends it with
    last: int | None = None  # viewer's sequence number
    ours: int = 0  # the SSRC it comes with
    seen: int = 0  # sampled packets
    missed: int = 0  # sampled packets that did not come
    skipped: int = 0  # packets that the server left out and numbered over


class Viewer:
    """One receiving peer."""

    def __init__(self, peer: Peer, publisher: Publisher) -> None:
        self.peer = peer
        self.delays = array("q")  # ns, of all sampled packets
        self.key_frame: asyncio.Future[int] = asyncio.get_running_loop().create_future()  # its arrival, ns
        self.bad = 0  # packets that do not authenticate
        self._tracks = {stream.AUDIO_TYPE: Track("audio"), stream.VIDEO_TYPE: Track("video")}
        self._publisher = publisher
        self._sampling = False
        self._timer: asyncio.TimerHandle | None = None
        peer.on_media = self._on_media

    def expect(self, audio_type: int, video_type: int) -> None:
        """Payload types that the server chose, where it is the one that offers."""
        audio, video = self._tracks.values()
        self._tracks = {audio_type: audio, video_type: video}

    @property
    def seen(self) -> int:
        """Sampled packets since `measure`."""
        return sum(track.seen for track in self._tracks.values())

    @property
    def dropped(self) -> int:
        """Packets, of all and not only the sampled ones, that did not come since `measure`; an estimate."""
        return sum(track.missed * SAMPLE + track.skipped for track in self._tracks.values())

    def measure(self) -> None:
        """Forget what was seen, and begin to count."""
        del self.delays[:]
        for track in self._tracks.values():
            track.seen = track.missed = track.skipped = 0
            track.last = None

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.peer.close()

    def _on_media(self, packet: bytes, arrival: int) -> None:
        track = self._tracks.get(packet[1] & 127)
        if track is None or self.peer.inbound is None:
            return  # RTCP, RTX
        try:
            plain = self.peer.inbound.unprotect(packet)
        except pylibsrtp.Error:
            self.bad += 1
            return
        payload = payload_of(plain)
        sequence = int.from_bytes(plain[2:4], "big")
        sent = self._publisher.sent.get(payload)
        if sent is not None:
            self.delays.append(arrival - sent.at)
            shift = (sequence - sent.number) & 0xFFFF
            if track.shift is not None and track.layer == sent.ssrc:
                track.skipped += (track.shift - shift) & 0xFFFF
            track.shift, track.layer = shift, sent.ssrc
        if self._sampling:
            if track.last is not None:
                track.missed += max(0, ((sequence - track.last) & 0xFFFF) // SAMPLE - 1)
            track.seen += 1
            track.last = sequence
        else:
            self._join(track, plain, payload, arrival)

    def _join(self, track: Track, plain: bytes, payload: bytes, arrival: int) -> None:
        """Until a key frame and sound have come, every packet is looked at."""
        track.ours = int.from_bytes(plain[8:12], "big")
        if track.kind == "video" and not self.key_frame.done() and stream.starts_key_frame(payload):
            self.key_frame.set_result(arrival)
        if self.key_frame.done() and all(each.ours for each in self._tracks.values()):
            self._sampling = True
            self.peer.sample()
            self._feed_back()

    def _feed_back(self) -> None:
        """A receiver report with REMB, as a browser that receives well sends it."""
        blocks = b"".join(
            struct.pack("!IIIIII", track.ours, 0, track.last or 0, 20, 0, 0) for track in self._tracks.values()
        )
        report = struct.pack("!BBHI", 0x82, 201, 13, 1) + blocks
        *_, video = (track.ours for track in self._tracks.values())
        # REMB: one SSRC, 10 Mb/s as exponent 6 and mantissa 156250
        remb = struct.pack("!BBHII4sII", 0x8F, _PSFB, 5, 1, 0, b"REMB", 1 << 24 | 6 << 18 | 156_250, video)
        self.peer.send_rtcp(report + remb)
        self._timer = asyncio.get_running_loop().call_later(FEEDBACK_INTERVAL, self._feed_back)


@cache
def _unique_payloads(simulcast: tuple[stream.Encoding, ...] = ()) -> frozenset[bytes]:
    """The payloads that occur once in the loop: silence and unchanged pictures repeat themselves."""
    pictures = (chain.from_iterable(stream.video_frames(each)) for each in simulcast or (stream.SINGLE,))
    counted = Counter(chain(stream.audio_packets(), *pictures))
    return frozenset(payload for payload, count in counted.items() if count == 1)


def payload_of(packet: bytes) -> bytes:
    """What follows the header, its contributing sources (none) and its extensions."""
    if not packet[0] & 0x10:
        return packet[12:]
    return packet[16 + 4 * int.from_bytes(packet[14:16], "big") :]


def _rtcp(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, format (or count) and body of each packet in a compound."""
    at = 0
    while at + 4 <= len(compound):
        end = at + 4 + 4 * int.from_bytes(compound[at + 2 : at + 4], "big")
        yield compound[at + 1], compound[at] & 31, compound[at + 4 : end]
        at = end
