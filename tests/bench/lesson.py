"""One lesson as load: a publisher that replays its stream at real pace, and viewers that sample what reaches them.

Nearly every payload of the stream is unique, so a sampled packet tells by itself which published one it is: the
difference of the two times is what the server added, a gap among the sampled numbers or a jump against the published
ones is a drop.
"""

from __future__ import annotations

import asyncio
import struct
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain

import pylibsrtp

from server.demo import voice
from tests.bench import stream
from tests.bench.peer import SAMPLE, Peer

# Measured in Chromium 156 at this bit rate: the five to seven packets of a frame leave within 0.2 ms. Only what exceeds
# 40 ms of 2.5 times the bit rate, a key frame, waits. (Before bursts came, packets left two by two every 5 ms; then
# a worker finds less to do at each wake-up, and a packet costs more.)
PACER_TICK = 0.005  # seconds between looks at what is due
PACER_RATE = 2.5 * stream.BIT_RATE / 8  # bytes a second
PACER_BURST = 0.040 * PACER_RATE  # bytes that may leave at once
FEEDBACK_INTERVAL = 0.25  # seconds between a viewer's receiver reports, as Chromium sends REMB

_AUDIO_SSRC, _VIDEO_SSRC, _RTX_SSRC = 0x1001, 0x1002, 0x1003
_NTP_1970 = 2_208_988_800  # seconds from 1900 to 1970
_PSFB = 206  # RTCP packet type of payload-specific feedback
_HISTORY = 1 << 16


class Publisher:
    """A microphone and a camera of 720p, from `stream`."""

    ssrcs = (_AUDIO_SSRC, _VIDEO_SSRC, _RTX_SSRC)

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.packets = 0
        self.sent_at = {_AUDIO_SSRC: array("q", bytes(8 * _HISTORY)), _VIDEO_SSRC: array("q", bytes(8 * _HISTORY))}
        shared = [0]
        self._audio = stream.Source(
            _AUDIO_SSRC, stream.AUDIO_TYPE, (stream.AUDIO_LEVEL, stream.TRANSPORT_CC), transport_sequence=shared
        )
        self._video = stream.Source(
            _VIDEO_SSRC, stream.VIDEO_TYPE, (stream.ABS_SEND_TIME, stream.TRANSPORT_CC), transport_sequence=shared
        )
        self._wants_key_frame = False
        self.number_of: dict[bytes, int] = {}  # unique payload -> the number it was last sent with
        self._unique = _unique_payloads()
        peer.on_media = self._on_feedback

    async def run(self) -> None:
        """Publish until cancelled."""
        frames, sounds = stream.video_frames(), stream.audio_packets()
        start = time.monotonic()
        frame = tick = sound = shown = 0
        waiting: list[tuple[bytes, int, bool]] = []
        debt = 0.0  # bytes that left ahead of the pacer's rate
        while True:
            tick += 1
            await asyncio.sleep(max(0.0, start + tick * PACER_TICK - time.monotonic()))
            elapsed = time.monotonic() - start
            while elapsed >= sound * voice.PACKET:
                self._send(self._audio, sounds[sound % len(sounds)], sound * 960, sound == 0)
                sound += 1
            while elapsed >= frame / stream.RATE:
                if self._wants_key_frame:
                    self._wants_key_frame, shown = False, 0
                payloads = frames[shown % len(frames)]
                waiting += ((p, frame * 90_000 // stream.RATE, p is payloads[-1]) for p in payloads)
                frame, shown = frame + 1, shown + 1
            if frame % (5 * stream.RATE) == 1:
                self._report(elapsed)
            debt = max(0.0, debt - PACER_TICK * PACER_RATE)
            while waiting and debt < PACER_BURST:
                payload, timestamp, last = waiting.pop(0)
                debt += len(payload)
                self._send(self._video, payload, timestamp, last)

    def _send(self, source: stream.Source, payload: bytes, timestamp: int, marker: bool) -> None:
        sequence = source.sequence
        packet = source.packet(payload, timestamp, marker, time.time())
        self.sent_at[source.ssrc][sequence] = time.time_ns()
        if payload in self._unique:
            self.number_of[payload] = sequence
        self.peer.send_rtp(packet)
        self.packets += 1

    def _report(self, elapsed: float) -> None:
        """Sender reports, without which nobody can put picture and sound in step."""
        now = time.time() + _NTP_1970
        ntp = int(now) << 32 | int(now % 1 * (1 << 32))
        for source, rate in ((self._audio, 48_000), (self._video, 90_000)):
            timestamp = int(elapsed * rate) & 0xFFFFFFFF
            self.peer.send_rtcp(
                struct.pack("!BBHIQIII", 0x80, 200, 6, source.ssrc, ntp, timestamp, source.packets, source.octets)
            )

    def _on_feedback(self, packet: bytes, arrival: int) -> None:
        assert self.peer.inbound is not None
        if not 192 <= packet[1] < 224:
            return
        try:
            plain = self.peer.inbound.unprotect_rtcp(packet)
        except pylibsrtp.Error:
            return
        for kind, form in _rtcp(plain):
            if kind == _PSFB and form in (1, 4):  # PLI, FIR
                self._wants_key_frame = True


@dataclass(slots=True)
class Track:
    """What a viewer knows of one stream it receives."""

    ssrc: int  # the publisher's
    shift: int | None = None  # viewer's sequence number - publisher's
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
        self._tracks = {stream.AUDIO_TYPE: Track(_AUDIO_SSRC), stream.VIDEO_TYPE: Track(_VIDEO_SSRC)}
        self._publisher = publisher
        self._sampling = False
        self._timer: asyncio.TimerHandle | None = None
        peer.on_media = self._on_media

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
        payload = _payload(plain)
        sequence = int.from_bytes(plain[2:4], "big")
        published = self._publisher.number_of.get(payload)
        if published is not None:
            self.delays.append(arrival - self._publisher.sent_at[track.ssrc][published])
            shift = (sequence - published) & 0xFFFF
            if track.shift is not None:
                track.skipped += (track.shift - shift) & 0xFFFF
            track.shift = shift
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
        if track.ssrc == _VIDEO_SSRC and not self.key_frame.done() and stream.starts_key_frame(payload):
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
        video = self._tracks[stream.VIDEO_TYPE].ours
        # REMB: one SSRC, 10 Mb/s as exponent 6 and mantissa 156250
        remb = struct.pack("!BBHII4sII", 0x8F, _PSFB, 5, 1, 0, b"REMB", 1 << 24 | 6 << 18 | 156_250, video)
        self.peer.send_rtcp(report + remb)
        self._timer = asyncio.get_running_loop().call_later(FEEDBACK_INTERVAL, self._feed_back)


@cache
def _unique_payloads() -> frozenset[bytes]:
    """The payloads that occur once in the loop: silence and unchanged pictures repeat themselves."""
    counted = Counter(chain(stream.audio_packets(), chain.from_iterable(stream.video_frames())))
    return frozenset(payload for payload, count in counted.items() if count == 1)


def _payload(packet: bytes) -> bytes:
    """What follows the header, its contributing sources (none) and its extensions."""
    if not packet[0] & 0x10:
        return packet[12:]
    return packet[16 + 4 * int.from_bytes(packet[14:16], "big") :]


def _rtcp(compound: bytes) -> Iterator[tuple[int, int]]:
    """Type and format (or count) of each packet in a compound."""
    at = 0
    while at + 4 <= len(compound):
        yield compound[at + 1], compound[at] & 31
        at += 4 + 4 * int.from_bytes(compound[at + 2 : at + 4], "big")
