"""What tells a publisher's congestion control how the path is: transport-wide feedback, else a ceiling by REMB.

With transport-wide feedback the browser computes its own estimate from our arrival times; that is how Chromium and
Firefox come to send at full quality within seconds. A publisher that knows only REMB is told one generous ceiling and
left to its own reaction to the loss in our receiver reports: estimating for it would be the browser's congestion
control once more, for peers that hardly exist.
"""

from __future__ import annotations

from itertools import takewhile

from media.rtcp import Remb, TransportFeedback

CEILING = 5_000_000  # bit/s: 1080p camera, or camera and screen

_TICKS = 4000  # per second: arrivals count 250 us
_TICKS_PER_REFERENCE = 256  # reference times count 64 ms
_LONGEST_DELTA = 32767  # ticks between two arrivals of one feedback
_REMEMBERED = 1.0  # seconds that arrivals are kept, to be told again beside one that was late
_MAX_STATUSES = 1000  # packets told about in one feedback: with nothing lost well below 1200 bytes
_MAX_TOLD = 4000  # packets told about at once; a publisher that skips more is not told of what it skipped
_PACE_OVER = 1.0  # seconds over which the pace of packets is smoothed
_OTHER_PACE = 2.0  # times as many packets as usual, or as few: a probe or a key frame, or a path that has become narrow
_JUMP = 8192  # sequence numbers; nobody sends so many within an interval, so it starts anew


class TransportWideFeedback:
    """Arrivals in, feedback out every 50 to 100 ms (draft-holmer-rmcat-transport-wide-cc-extensions-01).

    A publisher finds out what its path carries while it begins, and has to give way when it becomes narrow: then, and
    when something was lost or packets come at another pace, it is told at the next tick that is 40 ms after the last
    (libwebrtc: always every 50 ms). While all goes on as before 100 ms will do: each feedback costs us as much as five
    packets.

    Times are seconds, monotonic. Loss is told once: a number that is passed over in a feedback has not come yet. If it
    comes later, the next feedback goes back to it.
    """

    INTERVAL = 0.099  # a hair less than five ticks
    SOONEST = 0.039  # and than two
    BEGINNING = 3.0  # seconds

    __slots__ = (
        "_arrivals",
        "_began",
        "_count",
        "_fresh",
        "_highest",
        "_last",
        "_media_ssrc",
        "_next",
        "_pace",
        "_ssrc",
    )

    def __init__(self, ssrc: int) -> None:
        """`ssrc` is ours, the sender of the feedback."""
        self._ssrc = ssrc
        self._media_ssrc = 0
        self._fresh: list[tuple[int, float]] = []  # arrivals since the last feedback
        self._arrivals: dict[int, int] = {}  # unwrapped sequence number -> ticks
        self._highest = -1  # unwrapped
        self._next = -1  # the first number no feedback has spoken of
        self._count = 0
        self._last = float("-inf")
        self._began = float("-inf")
        self._pace = 0.0  # packets a second, smoothed over the last feedbacks

    def arrived(self, sequence: int, media_ssrc: int, now: float) -> None:
        """A packet with this transport-wide sequence number has come. Hot: the work is done in `build`."""
        self._fresh.append((sequence, now))
        self._media_ssrc = media_ssrc

    def build(self, now: float) -> list[TransportFeedback]:
        """What to send now, usually one; nothing when nothing has come, or when that can wait. Call it every 20 ms."""
        passed = now - self._last
        if not self._fresh or passed < self.SOONEST or (passed < self.INTERVAL and not self._urgent(now)):
            return []
        if self._highest < 0:
            self._began = now
        pace = len(self._fresh) / passed
        self._pace = pace if passed > 1.0 else self._pace + (pace - self._pace) * min(1.0, passed / _PACE_OVER)
        self._last = now
        lowest = self._take_fresh()
        first = max(min(lowest, self._next), self._highest - _MAX_TOLD)
        self._next = self._highest + 1
        feedbacks = []
        while first <= self._highest:
            feedback, first = self._one(first)
            feedbacks.append(feedback)
        self._forget(now)
        return feedbacks

    def _urgent(self, now: float) -> bool:
        """Whether what has come since the last feedback is something the publisher should know at once."""
        if now - self._began < self.BEGINNING:
            return True
        fresh = self._fresh
        first, last = fresh[0][0], fresh[-1][0]
        if first != self._next & 0xFFFF or (last - first + 1) & 0xFFFF != len(fresh):
            return True  # something is lost, or overtaken
        expected = self._pace * (now - self._last)
        return not expected / _OTHER_PACE - 1 < len(fresh) < expected * _OTHER_PACE + 1

    def _take_fresh(self) -> int:
        """Unwrap and note the fresh arrivals; the lowest number among them."""
        fresh, self._fresh = self._fresh, []
        if self._highest < 0:
            self._highest = fresh[0][0] + 0x10000  # room below for what was overtaken
            self._next = self._highest
        lowest = None
        arrivals, highest = self._arrivals, self._highest
        for sequence, at in fresh:
            ahead = sequence - highest & 0xFFFF
            if ahead == 1:  # nearly always
                highest += 1
                arrivals[highest] = int(at * _TICKS)
                if lowest is None:
                    lowest = highest
                continue
            ahead = (ahead ^ 0x8000) - 0x8000
            if abs(ahead) > _JUMP:
                arrivals.clear()
                ahead &= 0xFFFF  # forward, whichever it was: numbers that we have spoken of stay behind
                lowest, self._next = None, highest + ahead
            number = highest + ahead
            highest = max(highest, number)
            arrivals.setdefault(number, int(at * _TICKS))
            lowest = number if lowest is None else min(lowest, number)
        self._highest = highest
        assert lowest is not None
        return lowest

    def _one(self, first: int) -> tuple[TransportFeedback, int]:
        """A feedback from number `first` on, and the number the next one has to start with."""
        end = min(self._highest + 1, first + _MAX_STATUSES)
        found = list(map(self._arrivals.get, range(first, end)))
        reference = next((ticks for ticks in found if ticks is not None), 0) // _TICKS_PER_REFERENCE
        zero = last = reference * _TICKS_PER_REFERENCE
        for place, ticks in enumerate(found):
            if ticks is not None:
                if not -_LONGEST_DELTA <= ticks - last <= _LONGEST_DELTA:
                    end = first + place
                    del found[place:]
                    break
                last = ticks
        count, self._count = self._count, self._count + 1 & 0xFF
        return (
            TransportFeedback(
                self._ssrc,
                self._media_ssrc,
                first & 0xFFFF,
                reference & 0xFFFFFF,
                count,
                tuple([None if ticks is None else ticks - zero for ticks in found]),
            ),
            end,
        )

    def _forget(self, now: float) -> None:
        oldest = int((now - _REMEMBERED) * _TICKS)
        gone = list(takewhile(lambda each: each[1] < oldest, self._arrivals.items()))  # in order of arrival
        for number, _ in gone:
            del self._arrivals[number]


def ceiling(ssrc: int, media_ssrcs: tuple[int, ...]) -> Remb:
    """What to send every second or so to a publisher that agreed on goog-remb and not on transport-cc."""
    return Remb(ssrc, CEILING, media_ssrcs)
