"""A track someone sends: it stays while its streams come and go, and knows the slots that it was placed in.

Packets are taken in as they come (`receive`) and leave when the socket has been drained (`flush`), so that the packets
of one picture go out together. A slot that was placed waits here until it may start: sound with the next packet, a
picture with the next key frame, which is asked for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Protocol

from media import rtp
from media.answer import AUDIO_LEVEL, NegotiatedSection
from media.codecs import Codec
from media.keyframes import KeyFrameRequests
from media.messages import PublicationInfo
from media.rtcp import SenderReport
from media.sender_clock import SenderClock
from media.stream import Order, Stream
from media.subscription import Slot

PATIENCE = 1.0  # seconds to ask for a lost packet
PATIENCE_RECORDED = 3.0  # the recorder can wait longer than a viewer
REPLACED_AFTER = 1.0  # seconds of silence after which another SSRC may take a publication over
STILL_WAITING = 2.0  # seconds: packets flow, somebody waits, and nobody has asked for so long

_PLAIN_MID = re.compile(r"[A-Za-z0-9_]{1,32}")


class Recording(Protocol):
    """What a recorded publication tells (recorder_feed.py)."""

    def announce(self, codec: Codec, level_id: int) -> None: ...

    def packet(self, packet: rtp.Packet, now: float) -> None: ...

    def report(self, report: SenderReport, now: float, rtt: float | None) -> None: ...

    def end(self) -> None: ...


class Publication:
    """See above. `flowing` is called with the codec's name when a stream begins."""

    def __init__(
        self,
        transport_id: str,
        section: NegotiatedSection,
        clock: SenderClock,
        ask_key_frame: Callable[[int], None],
        flowing: Callable[[Publication, str], None],
    ) -> None:
        self.publication_id = publication_id(transport_id, section.mid)
        self.transport_id = transport_id
        self.section = section
        self.stream: Stream | None = None
        self.recording: Recording | None = None
        self._clock = clock
        self._ask_key_frame = ask_key_frame  # takes the SSRC
        self._flowing = flowing
        self._requests = KeyFrameRequests()
        self._slots: dict[Slot, None] = {}  # all that we were placed in
        self._waiting: dict[Slot, None] = {}  # those that wait for a packet to start with
        self._awaited_at = 0.0
        self._fresh: list[rtp.Packet] = []
        self._late: list[rtp.Packet] = []

    @property
    def info(self) -> PublicationInfo:
        section = self.section
        return PublicationInfo(
            self.publication_id,
            self.transport_id,
            section.mid,
            section.kind,
            tuple(dict.fromkeys(codec.name for codec in section.codecs)),
            section.flow == "recvonly",
        )

    def renegotiated(self, section: NegotiatedSection) -> None:
        """A re-offer may make it inactive or active, or change its codecs and SSRCs."""
        self.section = section

    # ── from the publisher ────────────────────────────────────────────────────────────────────────────────────────

    def receive(self, packet: rtp.Packet, now: float, *, repaired: bool = False) -> bool:
        """Take a packet, RTX undone. False if it was of no use."""
        stream = self.stream
        if stream is None or packet.ssrc != stream.ssrc or packet.payload_type != stream.codec.payload_type:
            stream = self._change_stream(packet, now)
            if stream is None:
                return False
        order = stream.receive(packet, now, repaired=repaired)
        if order is Order.REPEATED:
            return False
        if self.recording is not None:
            self.recording.packet(packet, now)
        if order is Order.NEXT:
            self._fresh.append(packet)
        elif order is Order.LATE:
            self._late.append(packet)
        return True

    def flush(self, now: float) -> None:
        """Forward what was received."""
        stream, fresh, late = self.stream, self._fresh, self._late
        if stream is None or not (fresh or late):
            return
        self._fresh, self._late = [], []
        if stream.kind == "video" or self._waiting:
            at = next((n for n, packet in enumerate(fresh) if stream.starts_key_frame(packet)), None)
            if at is not None:
                self._requests.arrived(now)
                if self._waiting:
                    if at:
                        stream.forward(fresh[:at], now)
                    self._start_waiting(stream, fresh[at], now)
                    fresh = fresh[at:]
            elif self._waiting and now - self._awaited_at > STILL_WAITING:
                self.awaited(now)
        if fresh:
            stream.forward(fresh, now)
        for packet in late:
            stream.forward_late(packet, now)

    def sender_report(self, report: SenderReport, now: float, wall: float, rtt: float | None) -> None:
        """The publisher's report about our stream; `rtt` to it in seconds."""
        stream = self.stream
        if stream is None or report.ssrc != stream.ssrc:
            return
        stream.sender_report(report, now, wall)
        if self.recording is not None:
            self.recording.report(report, now, rtt)

    # ── from viewers and the recorder ─────────────────────────────────────────────────────────────────────────────

    def place(self, slot: Slot, now: float) -> None:
        """The slot carries this publication from its next key frame on."""
        slot.publication = self
        self._slots[slot] = None
        self._waiting[slot] = None
        self.awaited(now)

    def remove(self, slot: Slot) -> None:
        """The slot carries nothing any more."""
        slot.stop()
        slot.publication = None
        self._slots.pop(slot, None)
        self._waiting.pop(slot, None)

    def awaited(self, now: float) -> None:
        """Ask for a key frame if a slot waits that could show it."""
        stream = self.stream
        self._awaited_at = now
        if stream is None or stream.kind == "audio" or not self._waiting:
            return
        if any(slot.outlet.open and slot.match(stream.codec) for slot in self._waiting):
            self.request_key_frame(now)

    def request_key_frame(self, now: float, *, loss: bool = False) -> None:
        """Somebody needs a key frame: to start with, or because of `loss`. Requests are coalesced."""
        stream = self.stream
        if stream is not None and stream.kind == "video" and self._requests.ask(now, loss=loss):
            self._ask_key_frame(stream.ssrc)

    def record(self, recording: Recording | None, now: float) -> None:
        """Start, relabel or (None) stop feeding the recorder."""
        if self.recording is not None:
            self.recording.end()
        self.recording = recording
        if self.stream is not None:
            self._set_patience(self.stream)
            if recording is not None:
                self._announce(self.stream)
                self.request_key_frame(now)

    # ── time, and the end ─────────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now: float) -> None:
        """Every 20 ms: a key frame request that had to wait."""
        if self._requests.due(now) and self.stream is not None:
            self._ask_key_frame(self.stream.ssrc)

    def close(self) -> None:
        """The publisher is gone. Closing twice is harmless."""
        for slot in list(self._slots):
            self.remove(slot)
        if self.recording is not None:
            self.recording.end()
            self.recording = None
        self.stream = None

    def _start_waiting(self, stream: Stream, packet: rtp.Packet, now: float) -> None:
        for slot in list(self._waiting):
            if slot.outlet.open and slot.start(stream, packet, now):
                del self._waiting[slot]

    def _change_stream(self, packet: rtp.Packet, now: float) -> Stream | None:
        """The stream a packet of an unknown kind begins; None if it may not."""
        former = self.stream
        codec = next((c for c in self.section.codecs if c.payload_type == packet.payload_type), None)
        if codec is None:
            return None
        stream = Stream(packet.ssrc, self.section.kind, codec, self.section.extensions, self._clock)
        if former is not None:
            if packet.ssrc == former.ssrc:
                # A codec changes with a key frame. Anything else is an old packet that comes late.
                if not stream.starts_key_frame(packet):
                    return None
            elif former.silent_for(now) < REPLACED_AFTER and not self._announced(packet.ssrc):
                return None
            self.flush(now)
            for slot in list(former.fanout):
                slot.stop()
                self._waiting[slot] = None
        self.stream = stream
        self._set_patience(stream)
        self._announce(stream)
        self._flowing(self, codec.name)
        if self._waiting and not stream.starts_key_frame(packet):
            self.awaited(now)
        return stream

    def _announce(self, stream: Stream) -> None:
        if self.recording is not None:
            self.recording.announce(stream.codec, stream.extensions.get(AUDIO_LEVEL, 0))

    def _announced(self, ssrc: int) -> bool:
        return any(source.ssrc == ssrc for source in self.section.remote)

    def _set_patience(self, stream: Stream) -> None:
        stream.missing.patience = PATIENCE if self.recording is None else PATIENCE_RECORDED


def publication_id(transport_id: str, mid: str) -> str:
    """The id of a transport's section. It stands in paths and URLs, and a mid may be any token of any length."""
    plain = _PLAIN_MID.fullmatch(mid)
    return f"{transport_id}-{mid if plain else 'x' + hashlib.sha256(mid.encode()).hexdigest()[:16]}"
