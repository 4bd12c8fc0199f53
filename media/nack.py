"""Which packets of an incoming stream are missing, and when to ask for them (RFC 4585)."""

from __future__ import annotations


class MissingPackets:
    """One incoming SSRC. Sequence numbers are the 16-bit ones, RTX already undone."""

    def __init__(self, patience: float = 1.0) -> None:
        self.patience = patience  # seconds to go on asking: 1 for viewers, 3 while recorded; may be changed any time
        raise NotImplementedError

    def receive(self, sequence: int, now: float) -> None:
        """A packet has come, in or out of order, original or retransmitted."""
        raise NotImplementedError

    def due(self, now: float, rtt: float) -> list[int]:
        """Sequence numbers to ask for now; `rtt` in seconds. Call it after a batch and every 20 ms."""
        raise NotImplementedError
