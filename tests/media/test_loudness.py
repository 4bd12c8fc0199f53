"""media/loudness.py: who speaks, by the levels in packet headers."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from media.loudness import SILENCE, Loudness
from media.messages import SpeechChanged
from tests.bench.stream import AUDIO_LEVEL, AUDIO_TYPE
from tests.support.flow import AUDIO, Browser, World

VOICE = 0x80  # the header's voice flag, which says nothing


def told(levels: Iterable[int | None], loudness: Loudness | None = None) -> list[tuple[float, bool, int]]:
    """What is told, and when, of packets every 20 ms with these levels; None is no packet."""
    loudness = loudness or Loudness()
    found = []
    for number, level in enumerate(levels):
        now = 100 + number * 0.02
        if level is not None:
            loudness.heard(bytes((level,)), now)
        if number % 5 == 4 and loudness.changed(now):
            found.append((round(now - 100, 2), loudness.speaking, loudness.level))
    return found


def test_speech_begins_after_a_moment_and_ends_after_a_pause() -> None:
    (begun, speaking, level), (ended, silent, _) = told([70] * 50 + [30] * 100 + [70] * 100)
    assert (speaking, level) == (True, 30)
    assert 1.15 <= begun <= 1.3
    assert not silent
    assert 3.95 <= ended <= 4.1


@pytest.mark.parametrize("noise", [[30] * 8, [30] * 5 + [80] * 30 + [30] * 5, [50] * 500, [SILENCE | VOICE] * 500])
def test_a_cough_a_knock_and_a_fan_are_no_speech(noise: list[int]) -> None:
    assert told([80] * 20 + noise + [80] * 100) == []


def test_syllables_and_breaths_are_one_speech() -> None:
    sentence = ([28] * 8 + [60] * 4) * 20 + [75] * 40
    events = told(sentence * 3 + [75] * 60)
    assert [speaking for _, speaking, _ in events] == [True, False]


def test_a_voice_that_drops_goes_on_but_does_not_begin() -> None:
    assert [speaking for _, speaking, _ in told([40] * 50 + [50] * 300)] == [True, True]
    assert told([50] * 300) == []


def test_speech_ends_when_silence_takes_no_packets() -> None:
    """DTX: one packet in 400 ms, or none at all once the microphone is gone."""
    nothing: list[int | None] = [None]
    for silence in (nothing * 100, ([127] + nothing * 19) * 5):
        assert [speaking for _, speaking, _ in told([30] * 50 + silence)] == [True, False]


def test_much_louder_and_much_quieter_is_told_and_little_is_not() -> None:
    levels = [level for _, _, level in told([40] * 50 + [36] * 100 + [20] * 100 + [42] * 100)]
    assert len(levels) == 4 or len(levels) == 5
    assert levels[0] == 40
    assert min(levels) < 30 < levels[-1]


@pytest.mark.parametrize("value", [b"", b"\x10\x10", b"\x00" * 16])
def test_what_is_no_level_is_passed_over(value: bytes) -> None:
    loudness = Loudness()
    for number in range(100):
        loudness.heard(value, number * 0.02)
        assert not loudness.changed(number * 0.02)


# ── in a worker ───────────────────────────────────────────────────────────────────────────────────────────────────


def speak(world: World, browser: Browser, levels: Iterable[int], first: int = 1) -> None:
    for number, level in enumerate(levels, first):
        extensions = [(AUDIO_LEVEL, bytes((level,)))]
        browser.send_rtp(AUDIO, AUDIO_TYPE, b"x", sequence=number, timestamp=number * 960, extensions=extensions)
        world.pass_time(0.02)


def test_the_server_is_told_who_speaks_and_when_it_ends() -> None:
    world = World()
    teacher = world.publisher()
    speak(world, teacher, [25] * 50)
    world.pass_time(2.0)
    speech = [event for event in world.events if isinstance(event, SpeechChanged)]
    assert speech == [SpeechChanged("teacher-0", True, 25), SpeechChanged("teacher-0", False, SILENCE)]
