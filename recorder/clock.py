"""From RTP timestamps to the lesson clock.

The first packet's arrival places a track provisionally. Sender reports then say which instant of the sender's wall
clock an RTP timestamp is, so the rate of time and the step between one sender's tracks come from them; where that wall
clock stands on ours is the least of (arrival - NTP) over the last minute less half the least round trip, shared by all
tracks of the sender, because a microphone and a camera that err by different queues would be out of step. A better
answer is approached slowly; what is written is never rewritten.

Browsers take the beginning of a sound packet for the moment of its sending, and so report it some 15 ms too late. It is
left so: FFmpeg really sends sound at its beginning, and nothing tells the two apart.
"""

from __future__ import annotations

from collections import deque

from media import ntp
from media.recording_link import Report

SLEW = 0.05  # how much faster or slower lesson time may run while it approaches a better answer
STEP_US = 2_000_000  # a sender's wall clock that is off by more than this was set anew …
STEP_SEEN = 5  # … when so many reports in a row say that it is behind; one may just have waited in a queue
REPORTS = 5  # of which the least is taken: a busy browser notes sound late, and says so in its reports
SAME_CLOCK_US = 250_000  # tracks whose offsets differ by more do not share a wall clock, whatever the sender says
ABSURD_US = 10_000_000  # a timestamp this far from its arrival belongs to another stream: begin anew


class RecentMinimum:
    """The least value of the last minute or so."""

    SPAN_US = 30_000_000  # two of these are remembered

    __slots__ = ("_current", "_late", "_previous", "_until_us")

    def __init__(self) -> None:
        self._current: int | None = None
        self._previous: int | None = None
        self._until_us = 0
        self._late = 0  # values in a row that were greater by more than a step

    @property
    def value(self) -> int | None:
        known = [value for value in (self._current, self._previous) if value is not None]
        return min(known) if known else None

    def add(self, value: int, now_us: int) -> bool:
        """Take a value; False if it is left out, because it is much greater and not enough others have been."""
        least = self.value
        if least is not None and abs(value - least) > STEP_US:
            self._late += 1
            if value > least and self._late < STEP_SEEN:
                return False
            self._current = self._previous = None
        self._late = 0
        if now_us >= self._until_us:
            self._previous, self._current = self._current, None
            self._until_us = now_us + self.SPAN_US
        if self._current is None or value < self._current:
            self._current = value
        return True


class SenderClock:
    """Where one sender's wall clock stands on ours, from the sender reports of all its tracks."""

    def __init__(self) -> None:
        self._offsets: dict[object, RecentMinimum] = {}
        self._round_trip = RecentMinimum()

    def offset_us(self, track: object, report: Report, sent_us: int) -> int | None:
        """What to add to the sender's time to have ours, after a report of a track, sent at `sent_us` of its time.

        None if the report cannot be believed yet.
        """
        mine = self._offsets.setdefault(track, RecentMinimum())
        if not mine.add(report.arrival_us - sent_us, report.arrival_us):
            return None
        if report.rtt_us:
            self._round_trip.add(report.rtt_us, report.arrival_us)
        own = mine.value
        assert own is not None
        shared = min(
            value
            for offset in self._offsets.values()
            if (value := offset.value) is not None and abs(value - own) <= SAME_CLOCK_US
        )
        # Less each report's own round trip, the best one would be one whose round trip was measured in a busy moment.
        return shared - (self._round_trip.value or 0) // 2

    def forget(self, track: object) -> None:
        """The track has ended."""
        self._offsets.pop(track, None)


class TrackClock:
    """One track's RTP timestamps as ticks of the lesson clock, at the track's own clock rate."""

    __slots__ = (
        "_early",
        "_extended",
        "_mappings",
        "_offset",
        "_rate",
        "_reported",
        "_sender",
        "_target",
        "_timestamp",
        "_zero_us",
    )

    def __init__(self, rate: int, epoch_us: int, sender: SenderClock) -> None:
        self._rate = rate  # Hz
        self._zero_us = epoch_us
        self._sender = sender
        self._timestamp: int | None = None  # the last one, as it came
        self._extended = 0  # the same without wrapping
        self._offset = 0.0  # what to add to an extended timestamp
        self._target = 0.0  # what we would add if we knew from the beginning what we know now
        self._reported = False
        self._early: Report | None = None  # of a stream whose first packet is yet to come
        self._mappings: deque[float] = deque(maxlen=REPORTS)  # ticks from timestamps to the sender's wall clock

    def lesson_ticks(self, now_us: int) -> int:
        """The lesson time of an instant (us since 1970), in ticks."""
        return (now_us - self._zero_us) * self._rate // 1_000_000

    def restart(self, early: Report | None = None) -> None:
        """Another stream begins (new SSRC): nothing is known of its timestamps but what a report of it says."""
        self._timestamp = None
        self._early = early

    def forget(self) -> None:
        """The track has ended. If it begins again, its sender may be another one."""
        self.restart()
        self._sender.forget(self)

    def at(self, timestamp: int, arrival_us: int) -> int:
        """The lesson time of `timestamp`, in ticks, for a packet that arrived then."""
        arrived = self.lesson_ticks(arrival_us)
        if self._timestamp is None:
            return self._anchor(timestamp, arrived)
        passed = (timestamp - self._timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        self._timestamp = timestamp
        self._extended += passed
        if not self._reported and arrived - self._extended < self._target:
            self._target = arrived - self._extended
        if self._offset != self._target and passed > 0:
            most = passed * SLEW
            self._offset += max(-most, min(most, self._target - self._offset))
        ticks = int(self._extended + self._offset)
        if abs(ticks - arrived) > self._rate * (ABSURD_US // 1_000_000):
            return self._anchor(timestamp, arrived)
        return ticks

    def report(self, report: Report) -> None:
        """Learn from a sender report."""
        if self._timestamp is None or not report.ntp:
            return
        sent_us = ((report.ntp >> 32) - ntp.EPOCH) * 1_000_000 + ((report.ntp & 0xFFFFFFFF) * 1_000_000 >> 32)
        offset_us = self._sender.offset_us(self, report, sent_us)
        if offset_us is None:
            return
        extended = self._extended + (report.rtp - self._timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        begin = (self._zero_us - offset_us) * self._rate / 1_000_000  # of the lesson, by the sender's clock
        mapping = sent_us * self._rate / 1_000_000 - extended
        if abs(mapping - begin - self._offset) >= self._rate * (ABSURD_US // 1_000_000):
            return
        if self._mappings and abs(mapping - self._mappings[-1]) * 1_000_000 > STEP_US * self._rate:
            self._mappings.clear()  # the sender's wall clock was set anew
        self._mappings.append(mapping)
        self._target = min(self._mappings) - begin
        self._reported = True

    def _anchor(self, timestamp: int, arrived: int) -> int:
        self._timestamp = timestamp
        self._extended = timestamp
        self._mappings.clear()
        self._offset = self._target = arrived - timestamp
        self._reported = False
        early, self._early = self._early, None
        if early is not None:
            self.report(early)
            self._offset = self._target  # nothing of this stream is written, so there is no need to slew
        return int(self._extended + self._offset)
