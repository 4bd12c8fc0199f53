"""How much a viewer's path carries, from what the viewer says anyway: REMB, loss in its reports, and our probes.

Chromium and Firefox watch the spacing of packets that carry abs-send-time and send REMB some five times a second, from
the fifth second on, and at once when a queue builds up. Its *fall* is the signal to trust: it comes within a few
hundred milliseconds. Its *height* is not, for it never exceeds 1.5 times what we happen to send, and climbs by 8 % a
second only. So upward we go by our own probes (probe.py), and by REMB where it is higher. Nor is a fall the path's
limit while all that we send seems to arrive: a browser looks at a whole second, and a path that has just shrunk to
400 kb/s looks to it like one of 900. Then we give way by ourselves when it falls again.

Why not transport-wide feedback on every packet: see docs/performance.md, "Downstream estimate". Whoever never reports
is not probed and keeps the smallest layers; nothing is paused before the path itself has said that it is narrow, and
the last small picture only when it goes on saying so (`starved`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from media.rtcp import ReportBlock

START = 1_000_000.0  # bit/s: a 360p camera at once, with sound and a small screen beside it
LOWEST = 50_000.0  # bit/s: sound alone; less than this nobody can be told anything
HIGHEST = 50_000_000.0  # bit/s: whoever says more than that is believed so far
SILENT = 10.0  # seconds without a word from a viewer that gets something, after which it gets the smallest only

_FELL = 0.97  # of the last REMB: below this it has fallen, above it wavers
_LOSSY = 0.10  # of packets; what a weak line loses by chance is below, and repaired
_CLEAN = 0.02
_LOSS_INTERVAL = 1.0  # seconds that loss is measured over: single reports speak of ten packets
_LOSS_SOONEST = 0.25  # … if it is beyond chance by then
_LOSS_LEAST = 20  # packets to tell loss from chance
_LOSS_FLOOR = 200_000.0  # bit/s: loss alone does not take the smallest picture away
_STANDS = 0.7  # seconds after a fall in which REMB would have risen by _RISES, did the queue not stand
_RISES = 1.02
_STANDING = 0.8  # of what is sent: less than that comes through
_GIVES_WAY = 0.85  # of what is sent, when a queue is there and nobody knows how narrow the path is
_AGAIN = 1.0  # seconds within which two falls of REMB are one queue
_DRAINS = 2.0  # seconds that a queue may take to go after we send less
_ARRIVES = 0.7  # of what is sent, as REMB tells it while all of it arrives: 0.85, and some for headers and lag
_ROOM = 0.75  # of what is known to fit: who is sent less has room
_STAYS = 1.15  # of what is sent: that goes on, however a second is measured
_MOMENT = 0.55  # of what is sent: a fall below that is heeded at once
_GROWTH = 1.08  # per second, for viewers that cannot be probed; as Chromium's own estimator grows
_PATIENCE = 3.0, 6.0  # seconds from a fall to the next try, doubled each time it fails, and at most
_MOST_PATIENT = 12.0  # seconds, when what was tried seemed to fit, was given and did not fit
_HOLDS = 10.0  # seconds that what was proven has to hold, to have been right
_STARVED = 4.0  # seconds of distress, a sign of it at least every …
_DISTRESS = 2.0
_YIELDS = 0.7  # of what is sent: so much is tried when a TCP connection falls behind


class Estimate:
    """See above. Bit/s with all headers; times are monotonic seconds."""

    __slots__ = ("_blocks", "_distress", "_fallen", "_heard", "_loss_at", "_narrowed", "_overflowed", "_patience",
                 "_proven", "_quiet_until", "_remb", "bitrate", "certain", "loss", "numbered")  # fmt: skip

    def __init__(self, now: float) -> None:
        self.bitrate = START
        self.certain = False  # the path has shown its limits, so that pictures may be paused for it
        self.loss = 0.0  # share of packets, over the last second
        self.numbered = True  # probes can be numbered; else the estimate grows by itself
        self._remb: float | None = None
        self._heard = now
        self._quiet_until = now
        self._patience = _PATIENCE[0]
        self._blocks: dict[int, tuple[int, int, int, int]] = {}  # ssrc -> highest and lost: at the last look, and now
        self._loss_at = now
        self._overflowed = False  # the last look at losses found more than chance
        self._narrowed = float("-inf")
        self._fallen: tuple[float, float] | None = None  # to what REMB fell, and when, while all seemed to arrive
        self._distress = float("-inf"), float("-inf")  # when it began, and its last sign
        self._proven = float("-inf")

    def heard(self, now: float) -> None:
        """Any report of the viewer."""
        self._heard = now

    def silent(self, now: float) -> bool:
        """Whether nothing has been heard for so long that the smallest has to do."""
        return now - self._heard > SILENT

    def may_try(self, now: float) -> bool:
        """Whether more may be tried than is known to fit."""
        return now >= self._quiet_until and not self.silent(now) and self.loss < _LOSSY

    def narrowed(self, now: float) -> bool:
        """Whether it has just become narrower, so that a queue stands there."""
        return now - self._narrowed < _DRAINS

    def starved(self, now: float) -> bool:
        """Whether for some time already less arrives than is sent, whatever that is."""
        first, last = self._distress
        return now - last < _DISTRESS and last - first > _STARVED

    def remb(self, bitrate: float, sent: float, now: float) -> bool:
        """The viewer's own estimate; `sent` is what we have sent lately. True if less has to be sent at once.

        A browser takes 85 % of what arrives while a queue stands. While the queue drains that is 85 % of the little we
        send by then, and says nothing about the path.
        """
        former, self._remb = self._remb, bitrate
        bitrate = min(max(bitrate, LOWEST), HIGHEST)
        if former is None or bitrate >= _FELL * former:
            if self._stands(bitrate, sent, now):
                self._narrow(bitrate, now)
                return True
            if now >= self._quiet_until:
                self.bitrate = max(self.bitrate, bitrate)
            return False
        if bitrate >= self.bitrate:
            return False
        again = self._fallen is not None and now - self._fallen[1] < _AGAIN
        # Where there was much room, a fall may be a moment's: the browser's machine was busy. A second one tells.
        moment = not again and sent < _ROOM * self.bitrate and bitrate > _MOMENT * sent
        if bitrate <= _ARRIVES * sent and not moment:
            self._narrow(bitrate, now)
            return True
        self._fallen = bitrate, now
        if now - self._narrowed < _DRAINS:
            return False
        if not again:
            self.bitrate, self.certain = min(self.bitrate, max(bitrate, _STAYS * sent)), True
            return False
        self.bitrate = min(self.bitrate, max(_LOSS_FLOOR, _GIVES_WAY * sent))
        self.certain = True
        self._narrowed = now
        self._wait(now)
        return True

    def _stands(self, bitrate: float, sent: float, now: float) -> bool:
        """Whether a queue stands after all: REMB rises again as soon as it does not."""
        if self._fallen is None:
            return False
        fell_to, at = self._fallen
        if bitrate > _RISES * fell_to:
            self._fallen = None
        return self._fallen is not None and now - at > _STANDS and bitrate < min(self.bitrate, _STANDING * sent)

    def behind(self, sent: float, now: float) -> bool:
        """A TCP connection does not take what we send. True if less has to be sent at once."""
        if now - self._narrowed < _LOSS_INTERVAL:
            return False
        self._narrow(max(LOWEST, _YIELDS * min(self.bitrate, sent)), now)
        return True

    def report(self, blocks: Iterable[ReportBlock], sent: float, now: float) -> bool:
        """Report blocks; `sent` is what we send, in bit/s. True if the loss says to send less."""
        for block in blocks:
            first = self._blocks.get(block.ssrc)
            known = (block.highest_sequence, block.cumulative_lost)
            begun = first is not None and first[0] <= block.highest_sequence
            self._blocks[block.ssrc] = (*(first[:2] if first is not None and begun else known), *known)
        if now - self._loss_at < _LOSS_SOONEST:
            return False
        expected = lost = 0
        for highest_then, lost_then, highest, lost_now in self._blocks.values():
            expected += max(0, highest - highest_then)
            lost += max(0, lost_now - lost_then)
        # Of a hundred packets on a line that loses 5 %, more than ten are lost every minute. Three standard deviations.
        overflows = lost > _LOSSY * expected + 3 * math.sqrt(_LOSSY * (1 - _LOSSY) * expected)
        if expected < _LOSS_LEAST or (now - self._loss_at < _LOSS_INTERVAL and not overflows):
            return False
        for ssrc, (_, _, highest, lost_now) in self._blocks.items():
            self._blocks[ssrc] = highest, lost_now, highest, lost_now
        seconds, self._loss_at = now - self._loss_at, now
        self.loss = min(1.0, lost / expected)
        # Bursts on a weak line look like that, too, but not twice in a row.
        again, self._overflowed = self._overflowed, overflows
        if overflows and again:
            self._distressed(now)
            bitrate = max(_LOSS_FLOOR, min(self.bitrate, sent) * (1 - self.loss / 2))
            if bitrate < self.bitrate:
                self._narrow(bitrate, now)
                return True
        elif self.loss < _CLEAN and not self.numbered and self.may_try(now):
            self.bitrate = min(HIGHEST, self.bitrate * _GROWTH ** min(seconds, 2.0))
        return False

    def proven(self, bitrate: float, now: float) -> None:
        """A probe of this rate came through without a queue."""
        self.bitrate = max(self.bitrate, min(bitrate, HIGHEST))
        if now - self._narrowed > _MOST_PATIENT:
            self._patience = _PATIENCE[0]
        self._proven = now
        self._quiet_until = now

    def disproved(self, bitrate: float | None, now: float) -> None:
        """A probe met a queue, at this rate (None: nobody knows). What is known to fit still does."""
        if bitrate is not None:
            self.certain = True
            self.bitrate = max(self.bitrate, bitrate)
            self._narrowed = now
        self._wait(now)

    def _narrow(self, bitrate: float, now: float) -> None:
        self.bitrate = bitrate
        self.certain = True
        self._narrowed = now
        self._fallen = None
        self._distressed(now)
        self._wait(now)

    def _distressed(self, now: float) -> None:
        first, last = self._distress
        self._distress = (first if now - last < _DISTRESS else now), now

    def _wait(self, now: float) -> None:
        if now >= self._quiet_until:
            self._quiet_until = now + self._patience
            failed = now - self._proven < _HOLDS  # what seemed to fit did not
            self._patience = min(2 * self._patience, _MOST_PATIENT if failed else _PATIENCE[1])
        self._quiet_until = max(self._quiet_until, now + _PATIENCE[0])
