"""Whether somebody speaks into a microphone, by the levels in its packets' headers (RFC 6464).

The sound itself stays closed to us. A cough is not speech and a breath between two sentences does not end it: beginning
takes a while of sound, ending a longer while of silence, and the threshold to go on is lower than the one to begin.
The header's own voice flag is not looked at: Chromium sets it for whatever it does not leave out as silence.
Packets that silence saves (DTX) are silence here: the tick ends what no packet ends.
"""

from __future__ import annotations

SILENCE = 127  # -dBov, as all levels here: 0 is the loudest
BEGINS = 45  # what is louder is a voice near the microphone; a fan in a class-room has 50 to 60
GOES_ON = 52
ENOUGH = 0.2  # seconds of sound …
AMONG = 0.6  # … within this, for speech to begin
PAUSE = 1.0  # seconds without sound that end it
MUCH = 9  # dB by which speech becomes louder or quieter to be worth telling
SMOOTH = 25  # packets, half a second
LONGEST_PACKET = 0.12  # seconds that one packet's level can stand for


class Loudness:
    """One microphone. Times are seconds, monotonic."""

    __slots__ = ("_last", "_level", "_loud", "_loud_at", "level", "speaking")

    def __init__(self) -> None:
        self.speaking = False
        self.level = SILENCE  # smoothed over what is said, pauses left out; as last told
        self._level = float(SILENCE)
        self._loud = 0.0  # seconds of sound lately
        self._loud_at = float("-inf")
        self._last = float("-inf")

    def heard(self, value: bytes, now: float) -> None:
        """The level of the next packet, as in its header; what is no level is passed over."""
        if len(value) != 1:
            return
        level = value[0] & 0x7F
        passed = min(now - self._last, LONGEST_PACKET)
        self._last = now
        if level > (GOES_ON if self.speaking else BEGINS):
            self._loud = max(0.0, self._loud - passed * ENOUGH / (AMONG - ENOUGH))
            return
        self._loud = min(ENOUGH, self._loud + passed)
        self._loud_at = now
        self._level = level if self._level == SILENCE else self._level + (level - self._level) / SMOOTH

    def changed(self, now: float) -> bool:
        """Whether there is something to tell: `speaking` and `level` are what. Call it every 100 ms or so."""
        if self.speaking and now - self._loud_at >= PAUSE:
            self.speaking, self.level = False, SILENCE
            self._level, self._loud = float(SILENCE), 0.0
            return True
        begins = not self.speaking and self._loud >= ENOUGH - 1e-6 and now - self._loud_at < PAUSE
        if begins or (self.speaking and abs(self._level - self.level) >= MUCH):
            self.speaking, self.level = True, round(self._level)
            return True
        return False
