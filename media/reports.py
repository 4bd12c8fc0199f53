"""Reception reports and the round trip: what came in and how long the way is (RFC 3550 section 6.4, RFC 3611).

Sender reports are made where the packets are sent from (stream.py, subscription.py), in our own time, so that what
comes back in report blocks can be compared with our own clock.
"""

from __future__ import annotations

from media import ntp
from media.rtcp import LastReceiverReference, ReceiverReferenceTime, ReceiverReport, ReportBlock, SenderReport

UNKNOWN = 0.1  # seconds of round trip to reckon with until a report has said
LONGEST = 10.0  # seconds of round trip; anything above is a stale echo or nonsense
_SMOOTHING = 1 / 8  # as in TCP (RFC 6298)


class Inbound:
    """The reception of one SSRC (RFC 3550 appendix A). Times are seconds, monotonic."""

    __slots__ = (
        "_arrived",
        "_base",
        "_clock_rate",
        "_highest",
        "_jitter",
        "_last_sr",
        "_prior_expected",
        "_prior_received",
        "_received",
        "_ssrc",
        "_timestamp",
    )

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        self._ssrc = ssrc
        self._clock_rate = clock_rate
        self._base = -1  # extended sequence numbers
        self._highest = -1
        self._received = 0
        self._prior_expected = 0
        self._prior_received = 0
        self._jitter = 0.0
        self._timestamp = 0
        self._arrived = 0.0
        self._last_sr: tuple[int, float] | None = None  # middle 32 bits of its NTP time, and when it came

    def receive(self, sequence: int, timestamp: int, now: float) -> None:
        """A packet came; hot. Packets that came by RTX are not to be shown here: they would count as jitter."""
        if self._highest < 0:
            self._base = self._highest = sequence
            self._timestamp, self._arrived = timestamp, now
            self._received = 1
            return
        self._received += 1
        ahead = (sequence - self._highest + 0x8000 & 0xFFFF) - 0x8000
        if ahead <= 0:
            return
        self._highest += ahead
        if timestamp != self._timestamp:  # a frame's packets leave in a burst: only its first one is on time
            elapsed = (timestamp - self._timestamp + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
            deviation = abs((now - self._arrived) * self._clock_rate - elapsed)
            self._jitter += (min(deviation, self._clock_rate) - self._jitter) / 16
            self._timestamp, self._arrived = timestamp, now

    @property
    def expected(self) -> int:
        """Packets, from the first to the highest number."""
        return self._highest - self._base + 1 if self._highest >= 0 else 0

    @property
    def received(self) -> int:
        """Packets, repairs left out."""
        return self._received

    @property
    def jitter(self) -> float:
        """Seconds."""
        return self._jitter / self._clock_rate

    def sender_report(self, report: SenderReport, now: float) -> None:
        """The sender's own report has come; the next block says how long ago."""
        self._last_sr = ntp.middle(report.ntp), now

    def block(self, now: float) -> ReportBlock | None:
        """The report block since the last call; None before the first packet."""
        if self._highest < 0:
            return None
        expected = self._highest - self._base + 1
        lost = expected - self._received
        expected_since, received_since = expected - self._prior_expected, self._received - self._prior_received
        self._prior_expected, self._prior_received = expected, self._received
        lost_since = expected_since - received_since
        fraction = min(255, (lost_since << 8) // expected_since) if expected_since > 0 and lost_since > 0 else 0
        last_sr, delay = 0, 0
        if self._last_sr is not None:
            last_sr, delay = self._last_sr[0], min(int((now - self._last_sr[1]) * 65536), 0xFFFF_FFFF)
        return ReportBlock(
            self._ssrc,
            fraction,
            max(-0x80_0000, min(lost, 0x7F_FFFF)),
            self._highest & 0xFFFF_FFFF,
            int(self._jitter),
            last_sr,
            delay,
        )


class RoundTrip:
    """Our round trip to one peer: from its report blocks where we send, from XR where we only receive.

    `wall` is seconds since 1970; the NTP times we send must come from the same clock.
    """

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        self.seconds: float | None = None  # smoothed; None while unknown

    @property
    def assumed(self) -> float:
        """In seconds; a guess while it is unknown."""
        return UNKNOWN if self.seconds is None else self.seconds

    def reference_time(self, ssrc: int, wall: float) -> ReceiverReferenceTime:
        """To send with our receiver reports, for the peer to answer."""
        return ReceiverReferenceTime(ssrc, ntp.from_wall(wall))

    def from_receiver_report(self, report: ReceiverReport | SenderReport, wall: float) -> None:
        """The peer has reported about what we send; its blocks echo our sender reports."""
        for block in report.blocks:
            self._echoed(block.last_sr, block.delay_since_last_sr, wall)

    def from_dlrr(self, packet: LastReceiverReference, wall: float) -> None:
        """The peer has answered our reference time."""
        for _, reference, delay in packet.blocks:
            self._echoed(reference, delay, wall)

    def _echoed(self, reference: int, delay: int, wall: float) -> None:
        """RFC 3550 section 6.4.1, in 1/65536 s modulo 2^32."""
        if reference == 0:
            return  # it has not had one of ours
        elapsed = (ntp.middle(ntp.from_wall(wall)) - reference - delay + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
        seconds = elapsed / 65536
        if not -0.01 <= seconds <= LONGEST:
            return
        seconds = max(seconds, 0.0)  # the peer rounds, so a fast link may come out below zero
        self.seconds = seconds if self.seconds is None else self.seconds + (seconds - self.seconds) * _SMOOTHING
