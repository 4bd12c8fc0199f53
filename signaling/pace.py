"""How fast a client may speak, and how far behind it may fall: both bounded, both without a clock or socket."""

from __future__ import annotations

from collections import deque
from enum import Enum

MESSAGES = 50  # a client may send in any WINDOW
DRAWING = 200  # who may draw: twenty pieces of strokes a second, and as much again when a line that stood goes on
WINDOW = 5.0  # seconds
FORGIVEN = 60.0  # seconds after which a warning is forgotten
MAX_WAITING = 1000  # messages for a client that does not read
MAX_WAITING_BYTES = 1024 * 1024


class Verdict(Enum):
    FINE = "fine"
    WARN = "warn"  # do not carry the message out
    CLOSE = "close"


class Pace:
    """Warns at the first message too many and begins to count anew; ends it at the second."""

    def __init__(self, messages: int = MESSAGES) -> None:
        self._messages = messages
        self._recent: deque[float] = deque(maxlen=messages)
        self._warned_at: float | None = None

    def received(self, now: float) -> Verdict:
        """What to do with a message that came at `now` (seconds, monotonic)."""
        if len(self._recent) < self._messages or now - self._recent[0] >= WINDOW:
            self._recent.append(now)
            return Verdict.FINE
        if self._warned_at is not None and now - self._warned_at < FORGIVEN:
            return Verdict.CLOSE
        self._warned_at = now
        self._recent.clear()
        return Verdict.WARN


class Outbox:
    """Text on its way to a client. Once it overflows it stays shut: the gap cannot be mended on this socket.

    What waits behind the first is bounded, not the first itself: a welcome to a lesson full of drawings is large, and
    without it nobody comes in.
    """

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._bytes = 0  # behind the first
        self.overflowed = False

    def put(self, text: str) -> bool:
        """Queue a text; False when the client is too far behind."""
        size = len(text.encode()) if self._waiting else 0
        if self.overflowed or len(self._waiting) >= MAX_WAITING or self._bytes + size > MAX_WAITING_BYTES:
            self.overflowed = True
            self._waiting.clear()
            self._bytes = 0
            return False
        self._waiting.append(text)
        self._bytes += size
        return True

    def take(self) -> str | None:
        """The next text to send, or None."""
        if not self._waiting:
            return None
        text = self._waiting.popleft()
        if self._waiting:
            self._bytes -= len(self._waiting[0].encode())
        return text
