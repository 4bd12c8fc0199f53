"""What one viewer is given of what is published for it: estimate, probes and allocation, put to work on its slots.

Looked at once a second, at once when the path has become narrower, and every 20 ms while a probe is under way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from media import rtcp
from media.allocator import Demand, allocate
from media.answer import TRANSPORT_WIDE_CC
from media.estimate import Estimate
from media.messages import SlotChanged
from media.probe import Probe

if TYPE_CHECKING:
    from media.subscription import Slot

PACKET = 60  # bytes around a payload: RTP with two extensions, SRTP's tag, UDP, IP
DRASTIC = 0.6  # of what is sent: below this the old layer stops at once, or its queue would hold the new one up
BEHIND = 0.15  # seconds in our own queue: a key frame takes less on any line that carries a picture
SHARE_OF_REPEATS = 0.5  # of the estimate that repetitions may take
PACKET_BITS = 9600  # of a picture's packet
FEWEST_REPEATS = 30  # a second, however narrow the path is
MOST_REPEATS = 250  # a second: a 1.5 Mb/s picture and its sound, entirely
ROOM_FOR_TWICE = 300_000.0  # bit/s: the smallest picture, and sound of 64 kb/s twice, with all headers

_SAMPLED = 0.1  # seconds
_KEPT = 1.2
_RECENTLY = 0.5
_AFTERMATH = 1.0  # seconds after a probe in which REMB still speaks of it


class Bandwidth:
    """See above. Rates are bit/s with all headers, times monotonic seconds."""

    def __init__(
        self, slots: Mapping[str, Slot], now: float, behind: Callable[[float], float] = lambda now: 0.0
    ) -> None:
        """`behind` says how many seconds what we send has waited already in a queue of our own: that of TCP."""
        self.estimate = Estimate(now)
        self._slots = slots
        self._behind = behind
        self._wanted: float | None = None
        self._probe: Probe | None = None
        self._unprobed = 0.0  # what was sent before that
        self._probed = float("-inf")  # when the last one ended
        self._number = 0  # transport-wide, of the next numbered packet
        self._padding = 0  # bytes sent so far
        self._samples: deque[tuple[float, int]] = deque()
        self._ticked_octets = 0
        self._paused: set[str] = set()  # mids
        self._told: dict[str, SlotChanged] = {}

    # ── what the viewer says ──────────────────────────────────────────────────────────────────────────────────────

    def receive(self, packet: rtcp.Packet, now: float) -> None:
        """Take a report or feedback."""
        estimate, fell = self.estimate, False
        estimate.heard(now)
        if isinstance(packet, rtcp.Remb):
            # It is made of what came within a second: what has just begun is not in it yet.
            sent = min(self.sent(now, _RECENTLY), self.sent(now, 1.0))
            if self._probe is not None or now - self._probed < _AFTERMATH:
                sent = min(sent, self._unprobed)  # our padding makes it fall: how far says nothing of what was there
            fell = estimate.remb(packet.bitrate, sent, now)
        elif isinstance(packet, rtcp.ReceiverReport | rtcp.SenderReport):
            fell = estimate.report(packet.blocks, self.sent(now, 1.0), now)
        elif isinstance(packet, rtcp.TransportFeedback) and self._probe is not None:
            self._probe.feedback(packet, now)
        if fell:
            self._probe = None
        if fell or self._behind(now) > BEHIND:
            self.allocate(now)

    # ── what it is given ──────────────────────────────────────────────────────────────────────────────────────────

    def allocate(self, now: float) -> None:
        """Choose for every slot."""
        estimate = self.estimate
        if self._behind(now) > BEHIND and estimate.behind(self.sent(now, 1.0), now):
            self._probe = None
        slots = [slot for slot in self._slots.values() if slot.publication is not None]
        if not any(slot.flowing for slot in slots):
            estimate.heard(now)  # who gets nothing has nothing to report
        demands = []
        for slot in slots:
            assert slot.publication is not None
            options = slot.publication.options(now)[: 1 if slot.smallest else None]
            demands.append(Demand(slot.kind, slot.rank, options, slot.max_height, slot.chosen))
        silent = estimate.silent(now)
        allocation = allocate(
            demands,
            0.0 if silent else estimate.bitrate,
            pause=estimate.certain and not silent,
            starved=bool(self._paused) or estimate.starved(now),
        )
        self._wanted = allocation.wanted
        self._paused = {slot.mid for slot, paused in zip(slots, allocation.paused, strict=True) if paused}
        drastic = estimate.bitrate < DRASTIC * self.sent(now, _RECENTLY)
        for slot, demand, choice in zip(slots, demands, allocation.choices, strict=True):
            if slot.kind == "audio" or not demand.options:
                continue
            if drastic and choice is not None and slot.carried is not None and choice.layer < slot.carried.layer:
                slot.choose(None, now)
            slot.choose(choice, now)

    def pauses(self, slot: Slot) -> bool:
        """Whether its picture stands still for want of bandwidth; one that is not shown does not."""
        return slot.publication is not None and slot.mid in self._paused

    def changes(self) -> list[SlotChanged]:
        """What pictures' slots carry now, where it has changed since it was last told."""
        changed = []
        for slot in self._slots.values():
            if slot.kind == "audio":
                continue
            layer = slot.layer
            told = SlotChanged(
                slot.transport_id,
                slot.mid,
                None if layer is None else layer.rid,
                0 if layer is None else layer.height,
                self.pauses(slot),
            )
            known = self._told.get(slot.mid)
            if told != known and (known is not None or layer is not None or told.paused):
                self._told[slot.mid] = told
                changed.append(told)
        return changed

    @property
    def repeats_per_second(self) -> float:
        """How many packets may be sent again: on a narrow path they must not crowd out what they repair."""
        if not self.estimate.certain:
            return MOST_REPEATS
        return max(FEWEST_REPEATS, min(MOST_REPEATS, SHARE_OF_REPEATS * self.estimate.bitrate / PACKET_BITS))

    @property
    def narrow(self) -> bool:
        """Whether redundancy would crowd out the sound it is to save: what is lost there is lost to a full queue."""
        return self.estimate.certain and self.estimate.bitrate < ROOM_FOR_TWICE

    # ── probes ────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def probing(self) -> bool:
        """Whether `tick` has something to do."""
        return self._probe is not None

    def begin_probe(self, now: float) -> None:
        """Try whether more can be carried, if anybody could use it and the path has been quiet for long enough."""
        wanted, estimate = self._wanted, self.estimate
        if self._probe is not None or wanted is None or wanted <= estimate.bitrate or not estimate.may_try(now):
            return
        carrier = self._carrier()
        if carrier is None:
            return
        estimate.numbered = TRANSPORT_WIDE_CC in carrier.section.extensions and carrier.repeats.can_pad
        if estimate.numbered:
            self._unprobed = self.sent(now, 1.0)
            self._probe = Probe(self._unprobed, wanted, now)
            self._ticked_octets = self._octets()

    def tick(self, now: float) -> None:
        """Every 20 ms while `probing`."""
        probe, carrier = self._probe, self._carrier()
        if probe is None:
            return
        octets = self._octets()
        due = probe.due(octets - self._ticked_octets, now)
        if due is not None and carrier is not None:
            if carrier.repeats.pad(self._number, now):
                probe.numbered(self._number, now)
                self._number = (self._number + 1) & 0xFFFF
            while due > PACKET_BITS / 16 and (size := carrier.repeats.pad(None, now)):
                size += PACKET
                probe.padded(size)
                self._padding += size
                due -= size
        self._ticked_octets = self._octets() if carrier is None else octets
        verdict = probe.verdict(now)
        if verdict is None:
            return
        self._probe, self._probed = None, now
        if verdict.carried:
            self.estimate.proven(probe.target, now)
        else:
            self.estimate.disproved(verdict.rate, now)
        self.allocate(now)
        self.begin_probe(now)

    def _carrier(self) -> Slot | None:
        """A slot whose retransmissions can pad."""
        return next((slot for slot in self._slots.values() if slot.kind == "video" and slot.repeats.can_pad), None)

    # ── what is sent ──────────────────────────────────────────────────────────────────────────────────────────────

    def sent(self, now: float, seconds: float) -> float:
        """What goes out to the viewer, repetitions and padding included, over the last so many seconds."""
        samples, total = self._samples, self._octets() + self._padding
        if not samples or now - samples[-1][0] >= _SAMPLED:
            samples.append((now, total))
            while len(samples) > 1 and now - samples[1][0] > _KEPT:
                samples.popleft()
        # Reports are what makes us look, so the last look may be longer ago.
        since, before = next((it for it in reversed(samples) if now - it[0] >= seconds - _SAMPLED / 2), samples[0])
        return (total - before) * 8 / max(now - since, 0.2)

    def _octets(self) -> int:
        return sum(
            slot.octets + slot.repeats.octets + PACKET * (slot.packets + slot.tally.repeated)
            for slot in self._slots.values()
        )
