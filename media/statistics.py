"""Statistics of every transport, publication and slot, counted where things happen and looked at every other second.

Nothing here is in the hot path: bitrates and losses are differences of totals that are kept anyway. Looking at two
hundred viewers takes some milliseconds, in which nothing is forwarded; so whoever looks may name a few transports at a
time (messages.Survey).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from media import accelerator
from media.messages import LayerStatistics, PublicationStatistics, SlotStatistics, TransportStatistics
from media.rtcp import ReportBlock

if TYPE_CHECKING:
    from media.layers import Layer
    from media.publication import Publication
    from media.sendmmsg import Batch
    from media.subscription import Slot
    from media.transport import Transport

SHORTEST = 0.5  # seconds between looks that are looks of their own: two who ask at once see the same


class Flow:
    """Bitrate and loss since the last look, from totals. Times are seconds, monotonic."""

    __slots__ = ("_at", "_expected", "_lost", "_octets", "bitrate", "loss")

    def __init__(self) -> None:
        self.bitrate = 0.0  # bit/s
        self.loss = 0.0  # share of packets
        self._at: float | None = None
        self._octets = 0
        self._expected = 0
        self._lost = 0

    def look(self, now: float, octets: int, expected: int, lost: int) -> None:
        """Totals at `now`. Ones that run backwards are of another stream: then one look is left out."""
        if self._at is not None:
            elapsed = now - self._at
            if elapsed < SHORTEST:
                return
            self.bitrate = max(0.0, (octets - self._octets) * 8 / elapsed)
            if octets == self._octets:
                self.loss = 0.0
            elif expected > self._expected:  # else nothing was reported since: sound is, every five seconds
                self.loss = min(1.0, max(0.0, (lost - self._lost) / (expected - self._expected)))
        self._at, self._octets, self._expected, self._lost = now, octets, expected, lost


class LayerTally:
    """What happened to one layer of a publication."""

    __slots__ = ("flow", "key_frames_asked", "nacked")

    def __init__(self) -> None:
        self.nacked = 0  # packets asked for again
        self.key_frames_asked = 0
        self.flow = Flow()


class SlotTally:
    """What happened in one slot, and what its viewer last said of it."""

    __slots__ = ("_block", "_first", "flow", "nacked", "pictures_lost", "repeated")

    def __init__(self) -> None:
        self.nacked = 0  # packets asked for again
        self.repeated = 0  # of which were sent
        self.pictures_lost = 0  # PLI and FIR
        self.flow = Flow()
        self._block: ReportBlock | None = None
        self._first = 0

    def reported(self, block: ReportBlock) -> None:
        """The viewer's report about the slot's SSRC."""
        if self._block is None:
            self._first = block.highest_sequence
        self._block = block

    def look(self, now: float, octets: int) -> None:
        block = self._block
        if block is None:
            self.flow.look(now, octets, 0, 0)
        else:
            self.flow.look(now, octets, block.highest_sequence - self._first, block.cumulative_lost)

    @property
    def lost(self) -> tuple[int, int]:
        """How many packets of how many the viewer says it has lost since the first report."""
        block = self._block
        return (0, 0) if block is None else (block.cumulative_lost, block.highest_sequence - self._first)

    @property
    def jitter(self) -> int:
        """In units of the stream's clock."""
        return self._block.jitter if self._block is not None else 0


def measure(
    counters: Mapping[str, int],
    batches: Iterable[Batch],
    transports: Collection[Transport],
    publications: Collection[Publication],
    pulled: Collection[Publication],
) -> dict[str, float]:
    """What there is to count of a whole worker, by name; `pulled` are the publications of others that it forwards."""
    viewers = [it.viewer for it in transports if it.viewer is not None]
    sieves = [sieve for it in (*publications, *pulled) for stream in it.streams for sieve in stream.sieves]
    batches = list(batches)
    return {
        **{name: float(value) for name, value in counters.items()},
        "packets_out": float(sum(batch.sent for batch in batches)),
        "dropped_socket_full": float(sum(batch.dropped for batch in batches)),
        "send_errors": float(sum(batch.failed for batch in batches)),
        "transports": float(len(transports)),
        "transports_connected": float(sum(it.connected for it in transports)),
        "publications": float(len(publications)),
        "publications_recorded": float(sum(it.recording is not None for it in publications)),
        "slots": float(sum(len(viewer.slots) for viewer in viewers)),
        "slots_flowing": float(sum(slot.flowing for viewer in viewers for slot in viewer.slots.values())),
        "accelerated": float(accelerator.hot is not None),
        "srtp_refused": float(sum(sieve.fanout.refused for sieve in sieves)),
    }


def survey(transport: Transport, now: float) -> TransportStatistics:
    """All there is to say of one transport."""
    publisher, viewer = transport.publisher, transport.viewer
    publications: tuple[PublicationStatistics, ...] = ()
    slots: tuple[SlotStatistics, ...] = ()
    rtt = estimate = None
    if publisher is not None:
        publications = tuple(_publication(publication, now) for publication in transport.publications)
        rtt = publisher.round_trip.seconds
    if viewer is not None:
        here = [slot for slot in viewer.slots.values() if slot.publication is not None]
        slots = tuple(_slot(slot, viewer.bandwidth.pauses(slot), now) for slot in here)
        rtt = viewer.round_trip.seconds
        estimate = viewer.estimate
    bitrate = sum(layer.bitrate for publication in publications for layer in publication.layers)
    bitrate += sum(slot.bitrate for slot in slots)
    return TransportStatistics(
        transport.transport_id,
        transport.direction,
        transport.connected,
        transport.protocol,
        None if rtt is None else round(rtt * 1000, 1),
        None if estimate is None else float(round(estimate)),
        bitrate,
        publications,
        slots,
    )


def _publication(publication: Publication, now: float) -> PublicationStatistics:
    layers = tuple(_layer(layer, now) for layer in publication.layers if layer.stream is not None)
    return PublicationStatistics(publication.publication_id, layers)


def _layer(layer: Layer, now: float) -> LayerStatistics:
    stream, tally = layer.stream, layer.tally
    assert stream is not None
    reception = stream.reception
    tally.flow.look(now, layer.octets, reception.expected, reception.expected - reception.received)
    return LayerStatistics(
        layer.rid,
        stream.codec.name,
        layer.height,
        float(round(tally.flow.bitrate)),
        round(tally.flow.loss, 4),
        round(reception.jitter * 1000, 1),
        tally.nacked,
        tally.key_frames_asked,
    )


def _slot(slot: Slot, paused: bool, now: float) -> SlotStatistics:
    tally, layer, codec = slot.tally, slot.layer, slot.codec
    tally.look(now, slot.octets)
    return SlotStatistics(
        slot.mid,
        None if slot.publication is None else slot.publication.publication_id,
        None if layer is None else layer.rid,
        0 if layer is None else layer.height,
        paused,
        float(round(tally.flow.bitrate)),
        round(tally.flow.loss, 4),
        round(tally.jitter * 1000 / codec.clock_rate, 1) if codec is not None else 0.0,
        tally.nacked,
        tally.repeated,
        tally.pictures_lost,
    )
