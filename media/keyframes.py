"""Key frames: does this packet start one, and when to ask a publisher for one."""

from __future__ import annotations


def starts_key_frame(codec: str, payload: bytes | memoryview) -> bool:
    """Whether this RTP payload (no header, no padding) starts a key frame of H264, VP8, VP9 or AV1. Never raises."""
    raise NotImplementedError


class KeyFrameRequests:
    """One publication's requests, coalesced: for joins at most one per 500 ms, for loss at most one per 2 s."""

    def ask(self, now: float, *, loss: bool = False) -> bool:
        """Somebody wants one; True: send a PLI now. False: it is remembered and `due` will say so, if still needed."""
        raise NotImplementedError

    def due(self, now: float) -> bool:
        """True: a request that had to wait is to be sent now."""
        raise NotImplementedError

    def arrived(self, now: float) -> None:
        """A key frame has started: whoever was waiting has it."""
        raise NotImplementedError
