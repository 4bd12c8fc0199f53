"""Which packets of an incoming stream are missing, and when to ask for them (RFC 4585 section 6.2.1).

Asking at once would ask for what is only out of order: on the radio links of county schools a packet is often overtaken
by one or two. Waiting long would cost the jitter buffer. So a packet is asked for when it is 20 ms late or two later
ones have come, again after a round trip, and then ever more seldom until it is of no more use to anybody: some
publishers keep no sound to send again (FFmpeg), and asking them each round trip would be mere noise. A key frame makes
what came before it nearly useless: only a viewer with a long jitter buffer (400 ms) may still be about to show that.
"""

from __future__ import annotations

FOR_VIEWERS = 1.0  # seconds; who asks longer is recorded, and a recording wants every frame
LATE = 0.019  # seconds: a hair less than 20 ms, so that a tick 20 ms later is surely late enough
OVERTAKEN = 2  # packets
SHORTEST_REPEAT = 0.03  # seconds: the other side needs a moment on the fastest link, too
SLOWER = 1.5  # each wait for an answer is so much longer than the one before …
LONGEST_REPEAT = 0.5  # … but no longer than this, seconds
AFTER_KEY_FRAME = 0.3  # seconds to go on asking for what a key frame has made nearly useless
MAX_MISSING = 1000  # packets; who has lost more needs a key frame, not repairs


class _Missing:
    __slots__ = ("asked", "obsolete", "overtaken", "since", "wait")

    def __init__(self, since: float, overtaken: int) -> None:
        self.since = since
        self.overtaken = overtaken  # the count of packets in order with which it will have been overtaken often enough
        self.asked: float | None = None
        self.obsolete = False  # a key frame has come after it
        self.wait = 0.0  # seconds from that asking to the next; at least a round trip


class MissingPackets:
    """One incoming SSRC. Sequence numbers are the 16-bit ones, RTX already undone. Times are in seconds."""

    __slots__ = ("_count", "_highest", "_missing", "patience")

    def __init__(self, patience: float = FOR_VIEWERS) -> None:
        self.patience = patience  # how long to go on asking: 1 for viewers, 3 while recorded; may be changed any time
        self._count = 0  # packets that came in order
        self._highest = -1
        self._missing: dict[int, _Missing] = {}  # oldest first

    def __len__(self) -> int:
        """How many packets are missing now."""
        return len(self._missing)

    def receive(self, sequence: int, now: float) -> None:
        """A packet has come, in or out of order, original or retransmitted. Hot."""
        ahead = (sequence - self._highest) & 0xFFFF
        if ahead == 1 or self._highest < 0:
            self._highest = sequence
            self._count += 1
        elif ahead >= 0x8000 or ahead == 0:
            self._missing.pop(sequence, None)
        else:
            if ahead + len(self._missing) > MAX_MISSING:
                self._missing.clear()
            else:
                for behind in range(ahead - 1, 0, -1):
                    self._missing[sequence - behind & 0xFFFF] = _Missing(now, self._count + OVERTAKEN)
            self._highest = sequence
            self._count += 1

    def key_frame(self, sequence: int) -> None:
        """A key frame begins with this packet."""
        for missing, it in self._missing.items():
            if (sequence - missing) & 0xFFFF < 0x8000:
                it.obsolete = True

    def due(self, now: float, rtt: float) -> list[int]:
        """Sequence numbers to ask for now, ascending, in one NACK; `rtt` in seconds. Call it every 20 ms."""
        if not self._missing:
            return []
        repeat = max(rtt, SHORTEST_REPEAT)
        due = []
        obsolete = AFTER_KEY_FRAME if self.patience <= FOR_VIEWERS else self.patience
        for sequence, missing in list(self._missing.items()):
            if now - missing.since > (obsolete if missing.obsolete else self.patience):
                del self._missing[sequence]
            elif missing.asked is None:
                if self._count >= missing.overtaken or now - missing.since >= LATE:
                    missing.asked = now
                    due.append(sequence)
            elif now - missing.asked >= max(repeat, missing.wait):
                missing.wait = min(max(repeat, missing.wait) * SLOWER, LONGEST_REPEAT)
                missing.asked = now
                due.append(sequence)
        return due
