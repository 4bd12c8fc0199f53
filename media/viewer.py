"""A browser that watches: its slots, and what it tells us about what it gets.

NACKs are answered within a budget, so that a broken or hostile viewer cannot make us send more than the lesson itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from media import ntp, red, rtcp
from media.answer import NegotiatedSection, random_ssrc
from media.bandwidth import MOST_REPEATS, Bandwidth
from media.fanout import Outlet
from media.overdue import Overdue
from media.publisher import SendRtcp
from media.reports import RoundTrip
from media.silence import LOSSY, Silence
from media.subscription import Slot
from media.tcp import Connection
from media.unasked import ReportedLosses

REPEATS_AT_ONCE = 250  # packets a viewer may have again; how many a second says bandwidth.py
ATTENTION = 2000  # lost packets a second that are looked up: one datagram can ask for 6000, which costs milliseconds


class Viewer:
    """The receiving half of a transport. Times: `now` monotonic seconds, `wall` seconds since 1970."""

    def __init__(self, transport_id: str, outlet: Outlet, cname: str, send: SendRtcp, counters: Counter[str]) -> None:
        self.slots: dict[str, Slot] = {}  # by mid
        self.round_trip = RoundTrip()
        self.bandwidth = Bandwidth(self.slots, 0.0, self._behind)
        self._transport_id = transport_id
        self._outlet = outlet
        self._cname = cname
        self._send = send
        self._counters = counters
        self._ssrc = random_ssrc()
        self._by_ssrc: dict[int, Slot] = {}
        self._budget = float(REPEATS_AT_ONCE)
        self._budget_at = 0.0
        self._attention = float(ATTENTION)
        self._attention_at = 0.0
        self._redundancy = red.Need()
        self._twice = red.Need(remains=0.05)  # of 5 % lost, when both are lost alike
        self._overdue: dict[Slot, Overdue] = {}
        self._reported_losses: dict[Slot, ReportedLosses] = {}
        self._silences: dict[Slot, Silence] = {}
        self._heard = 0.0  # when a report came
        self._lossy_until = 0.0
        self._reference: tuple[int, int, float] | None = None  # ssrc, middle 32 bits and arrival of an XR reference

    def negotiated(self, sections: Sequence[NegotiatedSection]) -> None:
        """Take the sections of an answer; known slots keep what they carry."""
        for section in sections:
            slot = self.slots.get(section.mid)
            if slot is None:
                slot = self.slots[section.mid] = Slot(self._transport_id, section, self._outlet)
                self._by_ssrc[slot.ssrc] = slot
            else:
                slot.section = section

    def connected(self, now: float) -> None:
        """Packets may go out: slots that were placed before may start."""
        self.bandwidth.estimate.heard(now)
        self.bandwidth.allocate(now)
        for slot in self.slots.values():
            if slot.publication is not None:
                slot.publication.awaited(now)

    @property
    def estimate(self) -> float:
        """Bit/s we believe the path carries."""
        return self.bandwidth.estimate.bitrate

    def rerouted(self) -> None:
        """The outlet leads somewhere else now."""
        for slot in self.slots.values():
            slot.rerouted()

    def loses(self, now: float) -> bool:
        """Whether the line has lost something of a picture lately, so that `tick` has something to do."""
        return now < self._lossy_until

    def tick(self, now: float) -> None:
        """Every 20 ms while it `loses`."""
        rtt = self.round_trip.assumed
        for slot in self.slots.values():
            highest = slot.highest if slot.kind == "video" else None
            if highest is None:
                continue
            slot.repeats.repeat_later(now)
            unheard = self._silences.setdefault(slot, Silence()).due(highest, self._heard, rtt, now)
            if unheard and not self.bandwidth.narrow:
                self._counters["repeated_unheard"] += len(unheard)
                self._again(slot, unheard, now)

    def receive_rtcp(self, packets: Sequence[rtcp.Packet], now: float, wall: float) -> None:
        self._heard = now
        for packet in packets:
            self.bandwidth.receive(packet, now)
            if isinstance(packet, rtcp.Nack):
                self._repeat(packet, now)
            elif isinstance(packet, rtcp.ReceiverReport | rtcp.SenderReport):
                self.round_trip.from_receiver_report(packet, wall)
                for block in packet.blocks:
                    if (reported := self._by_ssrc.get(block.ssrc)) is not None:
                        reported.tally.reported(block)
                        self._repeat_unasked(reported, block, now)
            elif isinstance(packet, rtcp.PictureLoss):
                self._picture_lost(packet.media_ssrc, now)
            elif isinstance(packet, rtcp.FullIntraRequest):
                for ssrc, _ in packet.requests:
                    self._picture_lost(ssrc, now)
            elif isinstance(packet, rtcp.ReceiverReferenceTime):
                self._reference = packet.ssrc, ntp.middle(packet.ntp), now

    def report(self, now: float, wall: float) -> None:
        """Every second: sender reports of the slots that carry something, and a look at how all of it arrives."""
        self._look_at_sound(now)
        self.bandwidth.allocate(now)
        reports: list[rtcp.Packet] = []
        for slot in self.slots.values():
            report = slot.report(wall)
            if report is not None:
                reports.append(report)
        senders = [report.ssrc for report in reports if isinstance(report, rtcp.SenderReport)]
        if self._reference is not None:
            if not reports:
                reports.append(rtcp.ReceiverReport(self._ssrc))  # a compound packet starts with a report
            reports += [self._answer(self._reference, ssrc, now) for ssrc in senders or [self._ssrc]]
            self._reference = None
        for at in range(0, len(senders), rtcp.MAX_COUNT):
            names = tuple((ssrc, self._cname) for ssrc in senders[at : at + rtcp.MAX_COUNT])
            reports.append(rtcp.SourceDescription(names))
        if reports:
            self._send(reports)

    def close(self) -> None:
        for slot in self.slots.values():
            if slot.publication is not None:
                slot.publication.remove(slot)

    def _behind(self, now: float) -> float:
        """How many seconds what we send waits for a TCP connection."""
        name = self._outlet.name
        return name.backlog.behind(now) if isinstance(name, Connection) else 0.0

    def _answer(self, reference: tuple[int, int, float], ssrc: int, now: float) -> rtcp.LastReceiverReference:
        """How long ago its reference time came. `ssrc` is a stream's: Chromium keeps a round trip for each."""
        theirs, middle, arrival = reference
        return rtcp.LastReceiverReference(ssrc, ((theirs, middle, int((now - arrival) * 65536)),))

    def _look_at_sound(self, now: float) -> None:
        """Give sound with redundancy while the line loses, or where the browser knows none (Firefox), twice.

        Where there is no room for twice as much it stays single, and NACK has to do.
        """
        room = not self.bandwidth.narrow
        sound = [slot for slot in self.slots.values() if slot.kind == "audio"]
        redundant = [slot for slot in sound if slot.takes_redundancy]
        if redundant:
            asked = sum(slot.tally.nacked for slot in redundant)
            needed = self._redundancy.look(sum(slot.packets for slot in redundant), asked, now)
            for slot in redundant:
                slot.set_redundancy(needed and room)
        plain = [slot for slot in sound if not slot.takes_redundancy]
        if plain:
            losses = [slot.tally.lost for slot in plain]
            needed = self._twice.look(sum(sent for _, sent in losses), sum(lost for lost, _ in losses), now)
            for slot in plain:
                slot.set_twice(needed and room)

    def _picture_lost(self, ssrc: int, now: float) -> None:
        slot = self._by_ssrc.get(ssrc)
        if slot is not None and slot.publication is not None and slot.flowing:
            self._counters["pictures_lost"] += 1
            slot.tally.pictures_lost += 1
            if slot.losses.heed(now):
                slot.picture_lost(now)
            else:
                self._counters["dropped_picture_loss_flood"] += 1

    def _repeat(self, nack: rtcp.Nack, now: float) -> None:
        slot = self._by_ssrc.get(nack.media_ssrc)
        if slot is None:
            return
        lost = self._heeded(nack.lost, now)
        if slot.kind == "video":
            self._lossy_until = now + LOSSY
        self._counters["nacked_downstream"] += len(lost)
        slot.tally.nacked += len(lost)
        self._unasked(slot).asked(lost)
        if slot.kind == "video":
            needed = tuple(sequence for sequence in lost if slot.needs(sequence))
            if self._overdue.setdefault(slot, Overdue()).asked(needed, self.round_trip.assumed, now):
                self._picture_lost(nack.media_ssrc, now)
            if self.bandwidth.estimate.narrowed(now):
                lost = needed  # the line is full: nothing goes out that nobody will show
        self._again(slot, lost, now)

    def _heeded(self, lost: tuple[int, ...], now: float) -> tuple[int, ...]:
        """As much of it as may be looked up."""
        self._attention = min(ATTENTION, self._attention + (now - self._attention_at) * ATTENTION)
        self._attention_at = now
        heeded = lost[: int(self._attention)]
        self._attention -= len(heeded)
        if len(heeded) < len(lost):
            self._counters["dropped_nack_flood"] += len(lost) - len(heeded)
        return heeded

    def _unasked(self, slot: Slot) -> ReportedLosses:
        return self._reported_losses.setdefault(slot, ReportedLosses())

    def _repeat_unasked(self, slot: Slot, block: rtcp.ReportBlock, now: float) -> None:
        """Make good what a viewer says it lost and could not ask for."""
        if slot.codec is None or slot.codec.rtx_payload_type is None or "nack" not in slot.codec.feedback:
            return
        losses = self._unasked(slot)
        losses.reported(block.highest_sequence, block.cumulative_lost, now)
        unasked = losses.due(now, self.round_trip.assumed)
        if unasked is None:
            return
        self._counters["losses_unasked"] += 1
        if unasked.sequences:
            self._again(slot, unasked.sequences, now)
        elif slot.losses.heed(now):
            slot.picture_lost(now)

    def _again(self, slot: Slot, sequences: tuple[int, ...], now: float) -> None:
        """Send again what the viewer's budget allows."""
        a_second = self.bandwidth.repeats_per_second
        most = REPEATS_AT_ONCE if a_second >= MOST_REPEATS else a_second  # on a narrow path no more than its share
        self._budget = min(most, self._budget + (now - self._budget_at) * a_second)
        self._budget_at = now
        allowed = sequences[: int(self._budget)]
        if len(allowed) < len(sequences):
            self._counters["dropped_nack_flood"] += len(sequences) - len(allowed)
        sent = slot.repeats.repeat(allowed, self.round_trip.assumed, now)
        # What was asked in vain costs us a look-up, so it costs the viewer something too.
        self._budget -= sent + (len(allowed) - sent) / 8
        self._counters["repeated_downstream"] += sent
        slot.tally.repeated += sent
