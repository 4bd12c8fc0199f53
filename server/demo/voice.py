"""The sound of the synthetic lesson: syllables in the four tones of Mandarin, in phrases with pauses, said by nobody.

Made once as Opus packets of 20 ms and then repeated: the loop begins and ends in silence, so its seam is not heard,
and a lesson that runs all day costs no encoding.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterator
from itertools import accumulate

import av
from av.audio.resampler import AudioResampler

PACKET = 0.020  # seconds of sound in one packet
LOOP = 24.0  # seconds, long enough not to be noticed as a loop

_RATE = 16_000  # Hz while synthesising; speech has little above 8 kHz
_TABLE = 1024  # samples in the stored period of a vowel
_LEVEL = 9000  # peak of 32767, about the loudness of a teacher
_TONES = (
    (210, 210, 210),
    (160, 180, 225),
    (165, 120, 170),
    (225, 180, 115),
)  # Hz at start, middle and end of a syllable
_VOWELS = ((850, 1250, 2800), (400, 2100, 2900), (330, 700, 2500), (550, 1800, 2600), (500, 900, 2500))  # formants, Hz
_HARMONICS = 24


def packets() -> list[bytes]:
    """The loop as Opus packets of 20 ms, 48 kHz stereo as WebRTC wants it."""
    pcm = array("h", _speech(random.Random(1)))  # noqa: S311 - it shapes a voice, it keeps no secret
    encoder = av.CodecContext.create("libopus", "w")
    encoder.rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    encoder.bit_rate = 32_000
    encoder.options = {"application": "voip", "frame_duration": "20"}
    resampler = AudioResampler(format="s16", layout="stereo", rate=48_000, frame_size=960)
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm))
    frame.rate = _RATE
    frame.planes[0].update(pcm.tobytes())
    coded: list[bytes] = []
    for piece in (*resampler.resample(frame), *resampler.resample(None)):
        piece.pts = None
        coded += (bytes(packet) for packet in encoder.encode(piece))
    coded += (bytes(packet) for packet in encoder.encode(None))
    return coded[: round(LOOP / PACKET)]


def _speech(chance: random.Random) -> Iterator[int]:
    """The loop as samples: phrases of three to eight syllables, pauses between them."""
    left = int(LOOP * _RATE)
    tables = [_period(formants) for formants in _VOWELS]
    while left > 3 * _RATE:
        for _ in range(chance.randint(3, 8)):
            said = _syllable(chance.choice(tables), chance.choice(_TONES), chance.uniform(0.14, 0.24))
            left -= len(said)
            yield from said
        pause = int(chance.uniform(0.35, 0.9) * _RATE)
        left -= pause
        yield from (0 for _ in range(pause))
    yield from (0 for _ in range(left))


def _period(formants: tuple[int, ...]) -> list[float]:
    """One period of a vowel at about 170 Hz: harmonics, louder near the formants."""
    weights = [sum(1 / (1 + ((n * 170 - f) / 120) ** 2) for f in formants) / n**0.5 for n in range(1, _HARMONICS + 1)]
    turns = [2 * math.pi * place / _TABLE for place in range(_TABLE)]
    wave = [sum(weight * math.sin(n * turn) for n, weight in enumerate(weights, 1)) for turn in turns]
    peak = max(map(abs, wave))
    return [sample / peak for sample in wave]


def _syllable(period: list[float], tone: tuple[int, int, int], seconds: float) -> list[int]:
    """One syllable: the vowel's period read at the speed of the tone's pitch, swelling and fading, then a short gap."""
    count = int(seconds * _RATE)
    start, middle, end = tone
    pitches = (
        (1 - x) * (1 - x) * start + 2 * x * (1 - x) * middle + x * x * end for x in (i / count for i in range(count))
    )
    phases = accumulate(pitch * _TABLE / _RATE for pitch in pitches)
    said = [
        int(_LEVEL * math.sin(math.pi * index / count) ** 0.5 * period[int(phase) % _TABLE])
        for index, phase in enumerate(phases)
    ]
    return said + [0] * (_RATE // 40)
