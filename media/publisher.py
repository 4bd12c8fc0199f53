"""A browser that sends: which publication a packet belongs to, and what we tell the browser about its packets.

Back to it go NACK for what is missing, transport-wide feedback for its congestion control, receiver reports with a
reference time (its round trip), and requests for key frames.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from media import red, rtcp, rtp
from media.answer import MID, REPAIRED_RID, RID, TRANSPORT_WIDE_CC, NegotiatedSection, random_ssrc
from media.feedback import TransportWideFeedback, ceiling
from media.layers import Layer
from media.publication import Publication
from media.reports import RoundTrip
from media.sender_clock import SenderClock

MAX_ANNOUNCED = 8  # SSRCs of one section; a browser names one, or three with old-style simulcast
MAX_LIMITED = 64  # SSRCs named in a REMB, the latest that offers have named; it has room for 255
MAX_UNANNOUNCED = 48  # SSRCs that an offer did not name; a browser needs six for each simulcast section

# What one publisher may send, bit/s: a camera in three layers and a screen in two take 5 Mb/s, of which congestion
# control may try three times as much for a moment. Sound has an allowance of its own, so that it goes on beside
# pictures that have gone wild. Each may be used up for a second at once, which a starved process finds waiting.
MOST_PICTURES = 20_000_000
MOST_SOUND = 1_000_000

SendRtcp = Callable[[Iterable[rtcp.Packet]], None]


class Publisher:
    """The sending half of a transport. Times: `now` monotonic seconds, `wall` seconds since 1970."""

    def __init__(
        self,
        transport_id: str,
        send: SendRtcp,
        counters: Counter[str],
        flowing: Callable[[Publication, str], None],
        layers_wanted: Callable[[Publication, tuple[str, ...]], None] = lambda *_: None,
    ) -> None:
        self.publications: dict[str, Publication] = {}  # by mid
        self.round_trip = RoundTrip()
        self._transport_id = transport_id
        self._send = send
        self._counters = counters
        self._flowing = flowing
        self._layers_wanted = layers_wanted
        self._clock = SenderClock()
        self._ssrc = random_ssrc()  # ours, in reports
        self._sources: dict[int, tuple[Publication, Layer]] = {}
        # RTX SSRC -> what it repairs, and the SSRC of that if it is known
        self._repairs: dict[int, tuple[Publication, Layer, int | None]] = {}
        self._announced: set[int] = set()  # SSRCs named by the last offer
        self._unannounced = 0
        self._dirty: dict[Publication, None] = {}
        self._feedback = TransportWideFeedback(self._ssrc)
        self._feedback_id = 0  # header extension of the transport-wide number; 0: not negotiated
        self._mid_id = self._rid_id = self._repaired_rid_id = 0
        self._limited: dict[int, None] = {}  # SSRCs that understand REMB
        self._fir_sequence: Counter[int] = Counter()
        self._allowed = {"audio": MOST_SOUND / 8, "video": MOST_PICTURES / 8}  # bytes that may come now
        self._allowed_at = 0.0

    def negotiated(self, sections: Sequence[NegotiatedSection]) -> list[Publication]:
        """Take the sections of an answer; returns those publications that are new."""
        new = []
        self._forget_announced()
        for section in sections:
            publication = self.publications.get(section.mid)
            if publication is None:
                publication = Publication(
                    self._transport_id, section, self._clock, self._ask_key_frame, self._flowing, self._layers_wanted
                )
                self.publications[section.mid] = publication
                new.append(publication)
            else:
                publication.renegotiated(section)
            self._announce(publication, section)
            self._feedback_id = section.extensions.get(TRANSPORT_WIDE_CC, self._feedback_id)
            self._mid_id = section.extensions.get(MID, self._mid_id)
            self._rid_id = section.extensions.get(RID, self._rid_id)
            self._repaired_rid_id = section.extensions.get(REPAIRED_RID, self._repaired_rid_id)
            if any("goog-remb" in codec.feedback for codec in section.codecs):
                self._limited.update(dict.fromkeys(source.ssrc for source in section.remote[:MAX_ANNOUNCED]))
                while len(self._limited) > MAX_LIMITED:  # by re-offers with ever new ones
                    del self._limited[next(iter(self._limited))]
        return new

    # ── packets ───────────────────────────────────────────────────────────────────────────────────────────────────

    def receive_rtp(self, packet: rtp.Packet, now: float) -> None:
        """Take a packet to its publication; `flush` forwards it.

        `now` is when it came to this machine: before it was taken in, if we were late.
        """
        ssrc = packet.ssrc
        source = self._sources.get(ssrc)
        allowed = self._allowed
        kind = source[0].section.kind if source is not None else "video"
        left = allowed[kind] = allowed[kind] - len(packet.data)
        if left < 0.0:  # not told as arrived either, so that a browser gives way
            self._counters["dropped_publisher_flood"] += 1
            return
        if self._feedback_id:
            number = packet.extensions.get(self._feedback_id)
            if number is not None and len(number) == 2:
                self._feedback.arrived(number[0] << 8 | number[1], ssrc, now)
        if source is None and ssrc not in self._repairs:
            if not self._learn(packet):
                self._counters["dropped_unknown_source"] += 1
                return
            source = self._sources.get(ssrc)
        if source is not None:
            self._take(source[0], source[1], packet, now)
        else:
            self._take_repair(*self._repairs[ssrc], packet, now)

    def flush(self, now: float) -> None:
        """Forward what came since the last time, sound first."""
        if self._dirty:
            dirty, self._dirty = self._dirty, {}
            for kind in ("audio", "video"):
                for publication in dirty:
                    if publication.section.kind == kind and (old := publication.flush(now)):
                        self._counters["dropped_behind"] += old

    def receive_rtcp(self, packets: Sequence[rtcp.Packet], now: float, wall: float) -> None:
        for packet in packets:
            if isinstance(packet, rtcp.SenderReport):
                source = self._sources.get(packet.ssrc)
                if source is not None:
                    source[0].sender_report(packet, now, wall, self.round_trip.seconds)
            elif isinstance(packet, rtcp.LastReceiverReference):
                self.round_trip.from_dlrr(packet, wall)

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now: float) -> None:
        """Every 20 ms: ask for what is missing, and tell how packets arrive."""
        passed, self._allowed_at = now - self._allowed_at, now
        for kind, most in (("audio", MOST_SOUND / 8), ("video", MOST_PICTURES / 8)):
            self._allowed[kind] = min(most, max(0.0, self._allowed[kind]) + passed * most)
        for publication in self.publications.values():
            publication.tick(now)
            for layer in publication.layers:
                stream = layer.stream
                if stream is None or not stream.asks_again:
                    continue
                lost = stream.missing.due(now, self.round_trip.assumed)
                if lost:
                    layer.tally.nacked += len(lost)
                    self._counters["nacked_upstream"] += len(lost)
                    # Each in a datagram of its own (RFC 5506): FFmpeg's WHIP muxer reads a NACK only when it is alone.
                    self._send((rtcp.Nack(self._ssrc, stream.ssrc, tuple(lost)),))
        if self._feedback_id:
            for feedback in self._feedback.build(now):
                self._counters["feedbacks_out"] += 1
                self._send((feedback,))

    def report(self, now: float, wall: float) -> None:
        """Every second: receiver reports, and for those without transport-wide feedback how much they may send."""
        blocks = []
        for publication in self.publications.values():
            for stream in publication.streams:
                block = stream.reception.block(now)
                if block is not None:
                    blocks.append(block)
        if not blocks:
            return
        packets: list[rtcp.Packet] = [
            rtcp.ReceiverReport(self._ssrc, tuple(blocks[at : at + rtcp.MAX_COUNT]))
            for at in range(0, len(blocks), rtcp.MAX_COUNT)
        ]
        # Whether rtcp-xr was offered or not: RFC 3611 does not ask for it, who does not know the block passes it over,
        # and Firefox answers without ever offering. It costs 20 bytes.
        packets.append(self.round_trip.reference_time(self._ssrc, wall))
        if not self._feedback_id and self._limited:
            packets.append(ceiling(self._ssrc, tuple(self._limited)))
        self._send(packets)

    def close(self) -> None:
        for publication in self.publications.values():
            publication.close()

    def _forget_announced(self) -> None:
        """A new offer names them all again; streams that go on under an old one keep it."""
        flowing = {stream.ssrc for publication in self.publications.values() for stream in publication.streams}
        for ssrc in self._announced - flowing:
            self._sources.pop(ssrc, None)
            self._repairs.pop(ssrc, None)
        self._announced &= flowing

    def _announce(self, publication: Publication, section: NegotiatedSection) -> None:
        """Note the SSRCs that the offer names. One that two sections claim stays with the first."""
        layer = publication.layers[0]
        for source in section.remote[:MAX_ANNOUNCED]:
            if self._sources.get(source.ssrc, (publication, layer))[0] is not publication:
                self._counters["dropped_ssrc_collision"] += 1
                continue
            self._announced.add(source.ssrc)
            self._sources[source.ssrc] = publication, layer
            if source.rtx_ssrc is not None and source.rtx_ssrc not in self._sources:
                self._announced.add(source.rtx_ssrc)
                self._repairs[source.rtx_ssrc] = publication, layer, source.ssrc

    def _take(
        self, publication: Publication, layer: Layer, packet: rtp.Packet, now: float, repaired: bool = False
    ) -> bool:
        """False if it was of no use."""
        stream = layer.stream
        if (stream is None or packet.payload_type != stream.codec.payload_type) and publication.section.kind == "audio":
            self._undo_redundancy(publication, layer, packet, now)
        if publication.receive(packet, now, repaired, layer):
            self._dirty[publication] = None
            return True
        self._counters["dropped_repeated"] += 1
        return False

    def _undo_redundancy(self, publication: Publication, layer: Layer, packet: rtp.Packet, now: float) -> None:
        """Make a packet with redundancy (red.py) plain, and take before it what it carries of those that were lost."""
        kind = packet.payload_type
        codec = next((it for it in publication.section.codecs if it.red_payload_type == kind), None)
        blocks = red.undo(packet, codec.payload_type) if codec is not None else None
        stream = layer.stream
        if not blocks or stream is None or stream.ssrc != packet.ssrc:
            return
        for block in blocks:
            if stream.lacks(packet.sequence - block.back, packet.timestamp - block.offset):
                self._counters["recovered_by_redundancy"] += 1
                publication.receive(red.carried(packet, block), now, repaired=True, layer=layer)

    def _take_repair(
        self, publication: Publication, layer: Layer, ssrc: int | None, packet: rtp.Packet, now: float
    ) -> None:
        stream = layer.stream
        if stream is None:
            return  # Chromium probes the path with these before it has anything to show
        codec = next((c for c in publication.section.codecs if c.rtx_payload_type == packet.payload_type), None)
        original = packet.without_rtx(codec.payload_type, ssrc if ssrc is not None else stream.ssrc) if codec else None
        if original is None:
            self._counters["padding_in"] += 1
            return
        if original.ssrc != stream.ssrc or original.payload_type != stream.codec.payload_type:
            return
        # What was not lost comes again, too: Chromium pads with it while its pictures are dull.
        if self._take(publication, layer, original, now, repaired=True):
            self._counters["repaired_upstream"] += 1

    def _learn(self, packet: rtp.Packet) -> bool:
        """Find out whose an SSRC is that the offer did not name: by its mid, else by a payload type only one uses.

        With simulcast, its rid says the layer, or a retransmission's the layer that it repairs (RFC 8852).
        """
        if self._unannounced >= MAX_UNANNOUNCED:
            return False
        mid = packet.extensions.get(self._mid_id)
        if mid is not None:
            publication = self.publications.get(mid.decode("ascii", "replace"))
            candidates = [publication] if publication is not None else []
        else:
            candidates = list(self.publications.values())
        plain, repairs = [], []
        for publication in candidates:
            for codec in publication.section.codecs:
                if packet.payload_type in (codec.payload_type, codec.red_payload_type):
                    plain.append(publication)
                elif codec.rtx_payload_type == packet.payload_type:
                    repairs.append(publication)
        if len(plain) == 1:
            layer = _layer(plain[0], packet.extensions.get(self._rid_id))
            if layer is None:
                return False
            self._sources[packet.ssrc] = plain[0], layer
        elif not plain and len(set(repairs)) == 1:
            layer = _layer(repairs[0], packet.extensions.get(self._repaired_rid_id))
            if layer is None:
                return False
            self._repairs[packet.ssrc] = repairs[0], layer, None
        else:
            return False
        self._unannounced += 1
        return True

    def _ask_key_frame(self, layer: Layer) -> None:
        stream = layer.stream
        if stream is None:
            return
        ssrc = stream.ssrc
        self._counters["key_frames_asked"] += 1
        layer.tally.key_frames_asked += 1
        if "nack pli" in stream.codec.feedback or "ccm fir" not in stream.codec.feedback:
            self._send((rtcp.PictureLoss(self._ssrc, ssrc),))
        else:
            self._fir_sequence[ssrc] = (self._fir_sequence[ssrc] + 1) & 0xFF
            self._send((rtcp.FullIntraRequest(self._ssrc, ((ssrc, self._fir_sequence[ssrc]),)),))


def _layer(publication: Publication, rid: bytes | None) -> Layer | None:
    """The layer that a packet says it is of; there is no need to say it where there is only one."""
    if len(publication.layers) == 1:
        return publication.layers[0]
    return publication.layer(rid.decode("ascii", "replace")) if rid is not None else None
