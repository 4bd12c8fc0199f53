"""What tells a publisher's congestion control how the path is: transport-wide feedback, else REMB."""

from __future__ import annotations


class TransportWideFeedback:
    """Arrivals in, feedback out about every 100 ms (draft-holmer-rmcat-transport-wide-cc-extensions-01)."""

    INTERVAL = 0.1  # seconds

    def __init__(self, ssrc: int) -> None:
        """`ssrc` is ours, the sender of the feedback."""
        raise NotImplementedError

    def arrived(self, sequence: int, media_ssrc: int, now: float) -> None:
        """A packet with this transport-wide sequence number has come; hot."""
        raise NotImplementedError

    def build(self, now: float) -> list[bytes]:
        """The RTCP packets to send now, usually one; none before the interval is over or with nothing to tell."""
        raise NotImplementedError
