"""Key frames: does this packet start one, and when to ask a publisher for one."""

from __future__ import annotations

from collections.abc import Callable

AFTER_JOIN = 0.5  # seconds between requests because somebody joined: two hundred classes at once make one or two
AFTER_LOSS = 2.0  # seconds between requests because of loss: a key frame is ten times a frame and causes more loss
UNANSWERED = 0.5  # seconds until an unanswered request is repeated, doubling: it may itself have been lost
GIVE_UP = 30.0  # seconds without any key frame after which we stop repeating; the publisher has its camera off

_H264_SPS, _H264_STAP_A, _H264_FU_A = 7, 24, 28


def starts_key_frame(codec: str, payload: bytes | memoryview) -> bool:
    """Whether this RTP payload (no header, no padding) starts a key frame of H264, VP8, VP9 or AV1. Never raises.

    In H.264 it is the sequence parameter set that counts: an IDR slice without it shows nothing to somebody new, and
    encoders send it before every slice that was asked for.
    """
    reader = _READERS.get(codec)
    try:
        return reader is not None and reader(payload)
    except IndexError:
        return False


class KeyFrameRequests:
    """One publication's requests, coalesced: for joins at most one per 500 ms, for loss at most one per 2 s.

    Times are in seconds, monotonic.
    """

    __slots__ = ("_due", "_first", "_sent", "_wait")

    def __init__(self) -> None:
        self._sent = float("-inf")  # when the last request went out
        self._due: float | None = None  # when the next has to, if none arrives before
        self._first = 0.0  # since when nobody has answered
        self._wait = UNANSWERED

    def ask(self, now: float, *, loss: bool = False) -> bool:
        """Somebody wants one; True: send a PLI now. False: it is remembered, and `due` will say so if still needed."""
        allowed = self._sent + (AFTER_LOSS if loss else AFTER_JOIN)
        if self._due is None:
            self._first = now
            self._wait = UNANSWERED
        if now < allowed:
            self._due = allowed if self._due is None else min(self._due, allowed)
            return False
        self._send(now)
        return True

    def due(self, now: float) -> bool:
        """True: a request that had to wait, or that nobody answered, is to be sent now."""
        if self._due is None or now < self._due:
            return False
        if now - self._first > GIVE_UP:
            self._due = None
            return False
        self._send(now)
        return True

    def arrived(self, now: float) -> None:
        """A key frame has started: whoever was waiting has it."""
        self._due = None

    def _send(self, now: float) -> None:
        self._sent = now
        self._due = now + self._wait
        self._wait = min(self._wait * 2, AFTER_LOSS)


class OneViewersLosses:
    """How often one viewer's lost pictures (PLI, FIR) are heeded: a key frame costs the whole class bandwidth.

    Browsers say it every 200 ms while they wait, which is one loss. A broken or hostile viewer, who loses without end,
    has a few key frames and then one in eight seconds. Times are in seconds, monotonic.
    """

    AT_ONCE = 4
    EVERY = 8.0
    SAME = 1.0

    __slots__ = ("_at", "_credit", "_heeded")

    def __init__(self) -> None:
        self._credit = float(self.AT_ONCE)
        self._at = float("-inf")
        self._heeded = float("-inf")

    def heed(self, now: float) -> bool:
        """The viewer says that it has lost a picture; False: it is not listened to."""
        if now - self._heeded < self.SAME:
            return True
        self._credit = min(self.AT_ONCE, self._credit + (now - self._at) / self.EVERY)
        self._at = now
        if self._credit < 1:
            return False
        self._credit -= 1
        self._heeded = now
        return True


# ── readers of the first payload bytes; may raise IndexError ──────────────────────────────────────────────────────────


def _h264(payload: bytes | memoryview) -> bool:
    """RFC 6184: a single NAL unit, an aggregation (STAP-A) or the first fragment (FU-A)."""
    kind = payload[0] & 31
    if kind == _H264_FU_A:
        return bool(payload[1] & 0x80) and payload[1] & 31 == _H264_SPS
    if kind == _H264_STAP_A:
        at = 1
        while at + 2 < len(payload):
            if payload[at + 2] & 31 == _H264_SPS:
                return True
            at += 2 + (payload[at] << 8 | payload[at + 1])
        return False
    return kind == _H264_SPS


def vp8_frame_at(payload: bytes | memoryview) -> int:
    """Where the VP8 frame begins, behind the payload descriptor (RFC 7741 section 4.2). Raises IndexError."""
    at = 1
    if payload[0] & 0x80:  # X
        flags = payload[1]
        at = 2
        if flags & 0x80:  # I: picture id of one or two bytes
            at += 2 if payload[at] & 0x80 else 1
        if flags & 0x40:  # L: TL0PICIDX
            at += 1
        if flags & 0x30:  # T or K: one byte for both
            at += 1
    return at


def _vp8(payload: bytes | memoryview) -> bool:
    """The start of the first partition, and in it the inverse key frame bit."""
    if payload[0] & 0x17 != 0x10:  # S set, partition index 0
        return False
    return payload[vp8_frame_at(payload)] & 1 == 0


def vp9_descriptor_end(payload: bytes | memoryview) -> int:
    """Where the scalability structure or, without one, the frame begins (RFC 9628 section 4.2). Raises IndexError."""
    flags = payload[0]
    at = 1
    if flags & 0x80:  # I: picture id
        at += 2 if payload[at] & 0x80 else 1
    if flags & 0x20:  # L: layer indices, and TL0PICIDX when not in flexible mode
        at += 1 if flags & 0x10 else 2
    if flags & 0x50 == 0x50:  # F and P: up to three reference indices
        while payload[at] & 1:
            at += 1
        at += 1
    return at


def _vp9(payload: bytes | memoryview) -> bool:
    """Not predicted from another picture, the beginning of a frame, of the lowest spatial layer."""
    flags = payload[0]
    if flags & 0x48 != 0x08:  # P clear, B set
        return False
    at = 1
    if flags & 0x80:
        at += 2 if payload[at] & 0x80 else 1
    if flags & 0x20:
        return payload[at] >> 1 & 7 == 0
    return True


def _av1(payload: bytes | memoryview) -> bool:
    """AV1 RTP specification 4.4: N says that a coded video sequence starts here."""
    return bool(payload[0] & 0x08)


_READERS: dict[str, Callable[[bytes | memoryview], bool]] = {"H264": _h264, "VP8": _vp8, "VP9": _vp9, "AV1": _av1}
