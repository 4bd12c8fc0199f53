"""The levels of a microphone whose sender told none: FFmpeg and other devices by WHIP send no RFC 6464 extension.

Then `levels.bin` says silence throughout, and how loud it was is heard from the sound itself: some 8 s of a core for a
lesson of 90 minutes, which is why it is done for these only.
"""

from __future__ import annotations

import math
import operator
from array import array
from pathlib import Path

from recorder.levels import LEVELS, SILENT
from recorder.manifest import TrackEntry
from recorder.rendering.activity import SLOT_MS
from recorder.rendering.progress import Progress
from recorder.rendering.sound import RATE, Sound

# Not every sample is squared: these say as much about loudness, and take a seventh of the time. An odd number, so that
# both channels of stereo are heard.
_STRIDE = 7
_FULL_SCALE = 32768.0


def levels(folder: Path, track: TrackEntry, progress: Progress) -> bytes:
    """One level per 20 ms as in levels.bin: what the sender told, else what is heard. Raises OSError."""
    path = folder / "tracks" / track.folder / LEVELS
    told = path.read_bytes() if path.exists() else b""
    if told.strip(bytes([SILENT])):
        return told
    return _heard(folder, track, progress)


def _heard(folder: Path, track: TrackEntry, progress: Progress) -> bytes:
    sound = Sound(folder, [track], track.start_ms, track.start_ms + track.duration_ms)
    slot = RATE * SLOT_MS // 1000 * (2 if sound.layout == "stereo" else 1)
    found = bytearray()
    for frame in sound:
        size = frame.samples * (4 if sound.layout == "stereo" else 2)
        samples = array("h", bytes(frame.planes[0])[:size])
        if not any(samples[::_STRIDE]):
            found += bytes([SILENT]) * (len(samples) // slot)
        else:
            found += bytes(_level(samples[at : at + slot : _STRIDE]) for at in range(0, len(samples) - slot + 1, slot))
        progress(min(1.0, len(found) * SLOT_MS / max(1, track.duration_ms)))
    return bytes(found)


def _level(samples: array[int]) -> int:
    """dB below full scale of the root mean square, 0 … 127."""
    power = sum(map(operator.mul, samples, samples)) / len(samples)
    return SILENT if power < 1 else min(SILENT, max(0, round(-20 * math.log10(math.sqrt(power) / _FULL_SCALE))))
