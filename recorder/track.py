"""A publication being recorded: packets in, samples out to its writer.

`Track` puts packets in order and tells streams apart; what a picture needs differs from what sound needs (`VideoTrack`,
`AudioTrack`). Time comes with the packets, or with `tick` where none come.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from media.recording_link import Report
from recorder import opus
from recorder.clock import TrackClock
from recorder.formats import OPUS
from recorder.frame import Depayloader, Frame
from recorder.levels import SILENT, LevelLog
from recorder.manifest import TrackEntry
from recorder.reorder import Packet, Reorder
from recorder.writer import Writer

_FOREVER = 1 << 62


class Track:
    """Call `receive`, `report`, `tick` and `end`; all may raise OSError when the disk does not take any more."""

    IDLE_US = 11_000_000  # without a packet; longer than a worker holds them for a recorder that is slow or away
    LONGEST_TICK_US = 60_000_000  # between two ticks; if more has passed, a clock was set
    OVERDUE_US = 500_000  # a packet asked for so long, several times, has probably gone for good

    def __init__(self, entry: TrackEntry, writer: Writer, clock: TrackClock, segment_s: int) -> None:
        self.entry = entry
        self.writer = writer
        self.segment_s = segment_s  # how long parts should become
        self.clock = clock
        self.ended = True  # until the first packet, and after the end
        self.last_arrival_us = 0
        self._known_us = 0  # the last arrival at the last tick …
        self._here_us = 0  # … and that tick by the same clock …
        self._ticked_us = 0  # … and by ours
        self._rate = entry.timescale
        self._order = Reorder(0)
        self._ssrc = -1
        self._early: Report | None = None  # of a stream that has not begun
        self._cursor = max((part.end for part in writer.parts), default=0)  # ticks; what is before it is written

    def receive(
        self, arrival_us: int, sequence: int, timestamp: int, ssrc: int, marker: bool, payload: bytes, level: int
    ) -> None:
        """The next packet as it arrived. The hot path: 210 times a second for a lesson of one camera."""
        order = self._order
        if ssrc != self._ssrc:
            self._begin(ssrc, sequence)
            order = self._order
        self.last_arrival_us = arrival_us
        if sequence == order.expected and not order.waiting:
            order.expected = (sequence + 1) & 0xFFFF
            self._packet(arrival_us, timestamp, marker, payload, level)
            return
        self._pass(order.push(Packet(arrival_us, sequence, timestamp, marker, payload, level)))
        if order.waiting and arrival_us - order.since_us >= self.OVERDUE_US:
            self._overdue(order.expected, arrival_us)

    def report(self, report: Report) -> None:
        """A sender report of this track: of its stream, or of one that is about to begin (another layer)."""
        if report.ssrc and report.ssrc != self._ssrc:
            self._early = report
        elif not self.ended:
            self.clock.report(report)

    def tick(self, now_us: int) -> None:
        """About once a second: what time alone brings about."""
        if self.ended:
            return
        now_us = self._here(now_us)
        if self._order.waiting:
            self._pass(self._order.give_up(now_us))
        self._idle(now_us)
        self.writer.rest()

    def end(self) -> None:
        """The publication has ended, or the lesson: write what is there. It may begin again. Harmless when repeated."""
        if self.ended:
            return
        self.ended = True
        self._ssrc = -1
        try:
            self._pass(self._order.give_up(_FOREVER))
            self._stop()
        finally:
            self.clock.forget()
            self.writer.cut()

    def abandon(self) -> None:
        """The disk takes no more: forget what is not written. What comes next begins a new part."""
        self.ended = True
        self._ssrc = -1
        self.clock.forget()
        self._forget()

    def _here(self, now_us: int) -> int:
        """Now, by the clock that packets arrive by; behind it by what they are under way and a tick at most.

        That clock is the worker's, and ours may part from it by hours when the machine's is set in mid-lesson.
        """
        passed, self._ticked_us = now_us - self._ticked_us, now_us
        if self.last_arrival_us != self._known_us:
            self._known_us = self._here_us = self.last_arrival_us
        else:
            self._here_us += min(max(0, passed), self.LONGEST_TICK_US)
        return self._here_us

    def _begin(self, ssrc: int, sequence: int) -> None:
        if self._ssrc >= 0:
            self._pass(self._order.give_up(_FOREVER))
            self._missing()
        self._ssrc = ssrc
        self._order = Reorder(sequence)
        early, self._early = self._early, None
        self.clock.restart(early if early is not None and early.ssrc == ssrc else None)
        self.ended = False

    def _pass(self, packets: list[Packet | None]) -> None:
        for packet in packets:
            if packet is None:
                self._missing()
            else:
                self._packet(packet.arrival_us, packet.timestamp, packet.marker, packet.payload, packet.level)

    def _packet(self, arrival_us: int, timestamp: int, marker: bool, payload: bytes, level: int) -> None:
        raise NotImplementedError

    def _missing(self) -> None:
        """Packets before the next one never came."""
        raise NotImplementedError

    def _overdue(self, sequence: int, now_us: int) -> None:
        """A packet is still waited for, but its successors are held up for long."""

    def _idle(self, now_us: int) -> None:
        raise NotImplementedError

    def _stop(self) -> None:
        """No more packets for now: what is held for a successor must go."""
        raise NotImplementedError

    def _forget(self) -> None:
        raise NotImplementedError


class VideoTrack(Track):
    """Pictures: each lasts until the next; a hole ends at a key frame."""

    HOLD_S = 1  # with packets missing, a picture may stand in for lost ones so long; more is a gap
    STILL_S = 6  # without loss it may stand longer: a screen on which nothing moves
    ASK_EVERY_US = 1_000_000
    ASK_BEFORE_S = 0.8  # the end of a part, so that the next begins with a key frame

    def __init__(
        self,
        entry: TrackEntry,
        writer: Writer,
        clock: TrackClock,
        segment_s: int,
        depayload: Depayloader,
        ask_key_frame: Callable[[], None],
    ) -> None:
        super().__init__(entry, writer, clock, segment_s)
        self._depayload = depayload
        self._ask = ask_key_frame
        self._asked_us = 0
        self._asked_for = -1  # the missing packet that a key frame was asked for
        self._needs_key = True
        self._hole = bool(self._cursor)  # something is missing between the held frame and the next
        self._held: tuple[int, Frame] | None = None  # written when its successor's time is known
        self._usual = entry.timescale // 15  # how long frames last, for one that has no successor

    def ask_through(self, ask_key_frame: Callable[[], None]) -> None:
        """Ask for key frames this way from now on: the worker has connected anew."""
        self._ask = ask_key_frame

    def _packet(self, arrival_us: int, timestamp: int, marker: bool, payload: bytes, level: int) -> None:
        frame = self._depayload.push(timestamp, marker, payload)
        if frame is not None:
            self._frame(frame, arrival_us)
        elif self._depayload.failed:
            self._missing()
            self._want_key(arrival_us)
        elif self._needs_key:
            self._want_key(arrival_us)

    def _frame(self, frame: Frame, arrival_us: int) -> None:
        start = max(0, self.clock.at(frame.timestamp, arrival_us))
        if self._needs_key and not frame.key:
            self._want_key(arrival_us)
            return
        if self._held is not None:
            start = max(start, self._held[0] + 1)
            self._complete(start)
        elif self._cursor:
            start = max(start, self._cursor)
            self._bridge(start)
        self._needs_key = self._hole = False
        if frame.format is not None:
            self.writer.set_format(frame.format)
        self._held = (start, frame)
        begun = self.writer.begun
        if begun is not None and start - begun >= (self.segment_s - self.ASK_BEFORE_S) * self._rate:
            self._want_key(arrival_us)

    def _complete(self, until: int) -> None:
        """Write the held frame, whose successor begins at `until`."""
        assert self._held is not None
        start, frame = self._held
        self._held = None
        duration = until - start
        longest = (self.HOLD_S if self._hole else self.STILL_S) * self._rate
        if duration > longest:
            self._write(start, self._usual, frame)
            self.writer.cut()
            self._cursor = start + self._usual
            self._bridge(until)
            return
        if not self._hole:
            self._usual = min(duration, self._rate // 5)
        self._write(start, duration, frame)
        if self._hole and 2 * duration > 3 * self._usual:
            self.writer.lost(start + self._usual, until)
        self._cursor = until

    def _write(self, start: int, duration: int, frame: Frame) -> None:
        writer = self.writer
        begun = writer.begun
        if begun is not None:
            enough = frame.key and 2 * (start - begun) >= self.segment_s * self._rate
            # EXTINF, rounded, must not exceed the target duration.
            if enough or (start + duration - begun) * 100 > (self.segment_s * 100 + 49) * self._rate:
                writer.cut()
        writer.add(start, duration, frame.data, frame.key)

    def _bridge(self, until: int) -> None:
        """Nothing was recorded from the cursor until then."""
        if until - self._cursor > self._rate // 10:  # less is no gap to a player
            self.writer.cut()
            self.writer.gap(self._cursor, until, 6 * self._rate)
        self._cursor = until

    def _missing(self) -> None:
        self._depayload.lost()
        self._needs_key = self._hole = True

    def _overdue(self, sequence: int, now_us: int) -> None:
        # Asked for now and not when we give up, the key frame that ends the hole comes seconds earlier.
        if sequence != self._asked_for:
            self._asked_for = sequence
            self._want_key(now_us)

    def _want_key(self, now_us: int) -> None:
        if now_us - self._asked_us >= self.ASK_EVERY_US:
            self._asked_us = now_us
            self._ask()

    def _idle(self, now_us: int) -> None:
        if self._held is not None and now_us - self.last_arrival_us > self.IDLE_US:
            self._stop()
            self.writer.cut()

    def _stop(self) -> None:
        if self._held is not None:
            self._complete(self._held[0] + self._usual)
        self._depayload.lost()
        self._needs_key = self._hole = True

    def _forget(self) -> None:
        self._held = None
        self._depayload.lost()
        self._needs_key = self._hole = True
        self._cursor = max((part.end for part in self.writer.parts), default=0)


class AudioTrack(Track):
    """Sound without holes: packets stand end to end, and silence stands where there are none.

    A packet's place is the end of the one before it. When that is off the lesson clock (the sender's sample clock runs
    a little fast or slow), a packet is left out or silence put in: where nobody speaks if that can be, so that nobody
    hears it, and in the middle of a word only when it is off by `DRIFT`.
    """

    DRIFT = opus.RATE * 25 // 1000
    DRIFT_QUIET = opus.RATE * 10 // 1000
    QUIET = 50  # dB below full scale; a level without the bit that says voice
    SILENCE_S = 600  # longer ones are gaps: nobody was there
    LEAST_LOST = opus.RATE // 100  # less is how two streams happen to meet

    def __init__(self, entry: TrackEntry, writer: Writer, clock: TrackClock, segment_s: int, levels: Path) -> None:
        super().__init__(entry, writer, clock, segment_s)
        self._following = -1  # the timestamp that continues the last packet's
        self._begun = bool(self._cursor)
        self._lossy = self._begun  # something is missing before the next packet; here what came while nobody wrote
        self._levels_path = levels
        first = next((part.start for part in writer.parts if part.media), 0)
        self._levels = LevelLog(levels, first, self._cursor)
        writer.set_format(OPUS)

    def _packet(self, arrival_us: int, timestamp: int, marker: bool, payload: bytes, level: int) -> None:
        duration = opus.duration(payload)
        if not duration:
            return
        start = self.clock.at(timestamp, arrival_us)
        if not self._begun:
            self._begun = True
            self._cursor = max(0, start)
            self._levels = LevelLog(self._levels_path, self._cursor, self._cursor)
        late = start - self._cursor
        if late:
            drift = self.DRIFT_QUIET if self.QUIET <= level < 128 else self.DRIFT
            # One that is left out must bring us nearer.
            if late < -drift and late <= -(duration // 2 + opus.GRID):
                self._following = (timestamp + duration) & 0xFFFFFFFF
                return
            if late >= (drift if timestamp == self._following else opus.GRID):
                if self._lossy and late >= self.LEAST_LOST:
                    self.writer.lost(self._cursor, start)
                self._fill(start)
        self._lossy = False
        self._following = (timestamp + duration) & 0xFFFFFFFF
        self._write(duration, payload, level)

    def _write(self, duration: int, payload: bytes, level: int) -> None:
        writer = self.writer
        cursor = self._cursor
        begun = writer.begun
        if begun is not None and cursor + duration - begun > self.segment_s * self._rate:
            writer.cut()
        writer.add(cursor, duration, payload, True)
        self._cursor = cursor + duration
        self._levels.add(self._cursor, level)

    def _fill(self, until: int) -> None:
        if until - self._cursor > self.SILENCE_S * self._rate:
            self.writer.cut()
            self.writer.gap(self._cursor, until, 6 * self._rate)
            self._cursor = until
            return
        for duration, packet in opus.silence(until - self._cursor):
            self._write(duration, packet, SILENT)

    def _missing(self) -> None:
        self._lossy = True  # the next packet's timestamp says how much silence it takes

    def _idle(self, now_us: int) -> None:
        # Whatever the worker still holds for us is younger than this, so the silence takes nobody's place.
        if self._begun and now_us - self.last_arrival_us > self.IDLE_US:
            until = self.clock.lesson_ticks(now_us - self.IDLE_US)
            if until > self._cursor:
                self.writer.lost(self._cursor, until)
                self._lossy = True
            self._fill(until)
        self._levels.flush()

    def _stop(self) -> None:
        self._lossy = True  # should it come back
        self._levels.flush()

    def _forget(self) -> None:
        self._cursor = max((part.end for part in self.writer.parts), default=0)
        self._begun = self._lossy = bool(self._cursor)
