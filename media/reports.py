"""Sender and receiver reports: what came in, what went out, and how long the way is (RFC 3550 section 6.4, RFC 3611)."""

from __future__ import annotations

from media.rtcp import LastReceiverReference, ReceiverReferenceTime, ReceiverReport, ReportBlock, SenderReport


class Inbound:
    """The reception of one SSRC (RFC 3550 appendix A)."""

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        raise NotImplementedError

    def receive(self, sequence: int, timestamp: int, now: float) -> None:
        """A packet came; hot. Retransmitted packets are not to be shown here (they are not on time)."""
        raise NotImplementedError

    def sender_report(self, report: SenderReport, now: float) -> None:
        raise NotImplementedError

    def block(self, now: float) -> ReportBlock | None:
        """The report block since the last call; None before the first packet."""
        raise NotImplementedError


class RoundTrip:
    """Our round trip to one peer: from its report blocks where we send, from XR where we only receive."""

    def __init__(self) -> None:
        self.seconds: float | None  # smoothed; None while unknown
        raise NotImplementedError

    def reference_time(self, ssrc: int, wall: float) -> ReceiverReferenceTime:
        """To send with our receiver reports; `wall` is seconds since 1970."""
        raise NotImplementedError

    def from_receiver_report(self, report: ReceiverReport | SenderReport, wall: float) -> None:
        raise NotImplementedError

    def from_dlrr(self, packet: LastReceiverReference, wall: float) -> None:
        raise NotImplementedError


def rewritten(report: SenderReport, ssrc: int, rtp_offset: int, packets: int, octets: int) -> SenderReport:
    """A publisher's sender report as a slot sends it on: same instant, the slot's SSRC, timestamp and counts."""
    raise NotImplementedError
