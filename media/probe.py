"""Probes: does a viewer's path carry more than it is given? We send more, as RTX, and look when it arrives.

What is sent is what the viewer has had already, or padding, so it may be lost; and it goes on top of what the viewer
gets, from that rate up to the wanted one, doubling every 0.6 s. Every 20 ms a small packet among them carries a
transport-wide sequence number, which browsers answer with its time of arrival
(draft-holmer-rmcat-transport-wide-cc-extensions-01). Only the small ones, because what is numbered is left out of the
browser's own estimate, which then takes our rate for the path's. A queue shows within a round trip and ends the probe
before it has become long: seen on 400 kb/s: at most 160 ms.
"""

from __future__ import annotations

from typing import NamedTuple

from media.rtcp import TransportFeedback

DOUBLING = 0.6  # seconds
HOLD = 0.3  # seconds at the wanted rate before it counts as carried
UNANSWERED = 1.0  # seconds after the last packet until a probe that nobody answers is given up
OVERTAKEN = 0.3  # seconds by which an answer to a later packet is ahead: then this one's feedback was lost
LONGEST = 5.0  # seconds
STEEP = 0.8  # of the last rate that did not seem to wait: what doubles in 0.6 s is past the path before a queue shows

_QUEUE = 0.03  # seconds that every packet of the last _WINDOW has waited: then a queue stands
_WINDOW = 0.1  # seconds; a key frame makes a queue too, which passes
_LOST = 0.2  # of the numbered packets: then the queue is full
_BEHIND = 0.04  # seconds of the rate that may be sent at once after a late tick


class Verdict(NamedTuple):
    carried: bool
    rate: float | None  # bit/s that came through without waiting; None if nobody answered


class Probe:
    """One try. Rates are bit/s with all headers, times monotonic seconds."""

    __slots__ = ("_answered", "_arrived", "_budget", "_clear", "_ended", "_first", "_least", "_lost",
                 "_newest", "_numbers", "_recent", "_start", "_ticked", "_zero", "target")  # fmt: skip

    def __init__(self, first: float, target: float, now: float) -> None:
        """`first` is what the viewer gets now."""
        self.target = target
        self._first = min(max(first, 100_000.0), target)
        self._start = self._ticked = self._answered = now
        self._budget = 0.0  # bits
        self._numbers: dict[int, tuple[float, float]] = {}  # number -> when it left, and the rate then
        self._newest = now  # when the last packet left of those that were answered
        self._zero: int | None = None  # reference time of the first feedback, in its units
        self._least = float("inf")  # shortest way, with an unknown constant in it
        self._recent: list[tuple[float, float]] = []  # (arrival, wait) of the last _WINDOW
        self._clear = 0.0  # the highest rate at which a packet did not wait
        self._arrived = self._lost = 0
        self._ended: float | None = None

    def rate(self, now: float) -> float:
        """What should go out at this time, media and padding together."""
        return min(self.target, self._first * 2 ** ((now - self._start) / DOUBLING))

    def due(self, sent: float, now: float) -> float | None:
        """Bytes of padding to send now, every 20 ms or so; `sent` is the bytes of media since the last time.

        None: no padding any more and no numbers, only the last answers are awaited.
        """
        if self._ended is not None:
            return None
        rate = self.rate(now)
        self._budget += rate * (now - self._ticked) - 8 * sent
        self._budget = min(self._budget, rate * _BEHIND)
        self._ticked = now
        if now - self._start > LONGEST or (rate >= self.target and now - self._start > HOLD + self._ramp):
            self._ended = now
            return None
        return max(0.0, self._budget / 8)

    def padded(self, size: int) -> None:
        """So many bytes of padding have left."""
        self._budget -= 8 * size

    def numbered(self, number: int, now: float) -> None:
        """A small packet with this transport-wide number has left."""
        self._numbers[number] = now, self.rate(now)

    def feedback(self, feedback: TransportFeedback, now: float) -> None:
        """Arrival times."""
        if self._zero is None:
            self._zero = feedback.reference_time
        base = ((feedback.reference_time - self._zero + 0x800000 & 0xFFFFFF) - 0x800000) * 0.064
        for offset, ticks in enumerate(feedback.arrivals):
            known = self._numbers.pop(feedback.base_sequence + offset & 0xFFFF, None)
            if known is None:
                continue
            self._answered = now
            if ticks is None:
                self._lost += 1
                continue
            left, rate = known
            self._newest = max(self._newest, left)
            arrival = base + ticks * 250e-6
            way = arrival - left
            self._least = min(self._least, way)
            wait = way - self._least
            self._arrived += 1
            self._recent.append((arrival, wait))
            if wait < _QUEUE / 2:
                self._clear = max(self._clear, rate)
        for number in [it for it, (left, _) in self._numbers.items() if left < self._newest - OVERTAKEN]:
            del self._numbers[number]
        if self._recent:
            oldest = self._recent[-1][0] - _WINDOW
            while self._recent[0][0] < oldest:
                self._recent.pop(0)

    def verdict(self, now: float) -> Verdict | None:
        """None while it goes on."""
        total = self._arrived + self._lost
        lossy = total >= 10 and self._lost > _LOST * total
        if lossy or (len(self._recent) >= 3 and min(wait for _, wait in self._recent) > _QUEUE):
            return Verdict(False, STEEP * self._clear)
        if self._ended is not None and (not self._numbers or now - self._ended > UNANSWERED > now - self._answered):
            return Verdict(self._clear >= 0.99 * self.target, self._clear)
        if now - max(self._answered, self._ended or now) > UNANSWERED or now - self._start > 2 * LONGEST:
            return Verdict(False, None)
        if self._ended is None and now - self._answered > UNANSWERED:
            return Verdict(False, None)
        return None

    @property
    def _ramp(self) -> float:
        """Seconds from the first rate to the target."""
        rate, seconds = self._first, 0.0
        while rate < self.target:
            rate, seconds = rate * 2, seconds + DOUBLING
        return seconds
