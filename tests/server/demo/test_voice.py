from __future__ import annotations

from array import array
from functools import cache
from itertools import pairwise

import av

from server.demo import voice


@cache
def loop() -> list[bytes]:
    return voice.packets()


def sound() -> array[int]:
    """The left channel of the loop, decoded: 48 kHz samples."""
    decoder = av.CodecContext.create("opus", "r")
    decoder.layout = "stereo"
    decoder.rate = 48_000
    resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
    samples: array[int] = array("h")
    for packet in loop():
        for frame in decoder.decode(av.Packet(packet)):
            for piece in resampler.resample(frame):
                samples.frombytes(bytes(piece.planes[0])[: piece.samples * 2])
    return samples


def test_the_loop_has_a_packet_for_each_twenty_milliseconds() -> None:
    assert len(loop()) == round(voice.LOOP / voice.PACKET)


def test_the_loop_begins_and_ends_so_quietly_that_its_seam_is_not_heard() -> None:
    heard = sound()
    assert max(map(abs, heard[-4800:])) < 100
    assert max(map(abs, heard[:240])) < 1000


def test_speech_comes_in_phrases_with_pauses_between() -> None:
    heard = sound()
    loud = [max(map(abs, heard[at : at + 4800])) > 1000 for at in range(0, len(heard) - 4800, 4800)]
    assert 0.4 < sum(loud) / len(loud) < 0.95
    assert sum(now != then for now, then in pairwise(loud)) >= 8
