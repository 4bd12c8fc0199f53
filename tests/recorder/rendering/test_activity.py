import random

import pytest

from recorder.rendering import activity
from recorder.rendering.activity import Heard, Microphone, Settings, Span, letters, union, without_echo

SETTINGS = Settings()


def hear(microphone: Microphone, settings: Settings = SETTINGS) -> Heard:
    *_, (_, heard) = activity.hear(microphone, settings)
    return heard


def spans(levels: bytes, muted: tuple[Span, ...] = (), start_ms: int = 0) -> list[Span]:
    return activity.spans(hear(Microphone(levels, start_ms, muted)), SETTINGS)


def level(dbov: int, seconds: float, voice: bool = False) -> bytes:
    """A stretch of sound of one loudness."""
    return bytes([-dbov | (0x80 if voice else 0)]) * round(seconds * 50)


def test_speech_is_what_stands_out_from_the_noise_by_twelve_decibels() -> None:
    for voice in (False, True):  # what the sender believes is its own affair
        heard = spans(level(-60, 10) + level(-48, 1, voice) + level(-60, 1) + level(-49, 1, voice))
        assert heard == [(10_000, 11_000)]


def test_what_is_below_fifty_decibels_is_never_speech_however_quiet_the_room() -> None:
    assert spans(level(-127, 10) + level(-51, 1) + level(-127, 1) + level(-50, 1)) == [(12_000, 13_000)]


def test_a_teacher_who_speaks_from_the_first_moment_is_heard_and_a_loud_fan_is_not() -> None:
    assert spans(level(-30, 20)) == [(0, 20_000)]
    assert spans(level(-40, 300)) == []


def test_noise_is_what_was_usual_in_the_last_two_minutes() -> None:
    quiet, loud = level(-80, 60), level(-45, 200)
    (heard,) = spans(quiet + loud)
    # A fan that is switched on is speech until nine tenths of the window are fan.
    assert heard[0] == 60_000
    assert heard[1] == pytest.approx(60_000 + 108_000, abs=40)


def test_short_pauses_are_joined_and_then_short_sounds_dropped() -> None:
    room = level(-70, 10)
    word, pause = level(-30, 0.12), level(-70, 0.28)
    assert spans(room + word + level(-70, 1)) == []
    assert spans(room + word + pause + word + level(-70, 1)) == [(10_000, 10_520)]
    assert spans(room + word + level(-70, 0.3) + word + level(-70, 1)) == []
    assert spans(room + level(-30, 0.2) + level(-70, 1)) == [(10_000, 10_200)]


def test_what_is_muted_is_neither_speech_nor_noise() -> None:
    muted = level(-127, 60)
    assert spans(muted + level(-40, 1) + level(-55, 60), ((0, 60_000),)) == []
    assert spans(level(-55, 10) + level(-30, 10), ((15_000, 16_000),)) == [(10_000, 15_000), (16_000, 20_000)]


def test_spans_are_on_the_lesson_clock() -> None:
    assert spans(level(-70, 10) + level(-30, 1), start_ms=4321) == [(14_321, 15_321)]


def test_the_noise_is_the_tenth_percentile_by_nearest_rank() -> None:
    chance = random.Random(7)
    levels = bytes(chance.choice((40, 55, 60, 62, 70, 88, 127)) for _ in range(700))
    settings = Settings(noise_window_s=4)
    heard = hear(Microphone(levels, 0, ((3000, 5000),)), settings)
    for at in range(len(levels)):
        window = [levels[i] for i in range(max(0, at - 199), at + 1) if not 150 <= i < 250]
        if 150 <= at < 250:
            assert not heard.speech[at]
            continue
        rank = -(-len(window) // 10)
        noise = min(max(sorted(window, reverse=True)[rank - 1], 50), 90)
        assert heard.over_noise[at] == noise - levels[at], at
        assert heard.speech[at] == (levels[at] <= min(noise - 12, 50)), at


def test_a_classs_microphone_that_only_hears_the_teacher_is_not_the_class() -> None:
    room = level(-70, 10)
    teacher = hear(Microphone(room + level(-30, 10), 0, teacher=True))  # 40 dB over its noise
    said = [(teacher, activity.spans(teacher, SETTINGS))]

    def kept(microphone: Microphone) -> list[Span]:
        return activity.spans(without_echo(hear(microphone), said), SETTINGS)

    assert kept(Microphone(room + level(-40, 10), 0)) == []
    assert kept(Microphone(room + level(-40, 10), 0, floor=((12_000, 14_000),))) == [(12_000, 14_000)]
    assert kept(Microphone(room + level(-24, 10), 0)) == [(10_000, 20_000)]
    assert kept(Microphone(room + level(-25, 10), 0)) == []
    # Before and after the teacher it is the class, also when its clock began elsewhere.
    assert kept(Microphone(level(-70, 3) + level(-40, 10), 5_000)) == [(8_000, 10_000)]
    assert kept(Microphone(room + level(-40, 5), 9_000)) == [(20_000, 24_000)]


def test_each_second_has_one_letter() -> None:
    session = [(1_000, 9_600)]
    teachers = [(0, 2_900), (4_000, 4_199), (5_000, 6_000)]
    classes = [(3_000, 3_200), (5_700, 6_100)]
    #        0: before the lesson; 1, 2: teacher; 3: 200 ms of a class; 4: too short; 5: both; 6: 100 ms are too short
    assert letters(11, session, teachers, classes, (7_500, 2_500)) == "XTTSQOQVQQX"


def test_the_same_second_said_by_two_microphones_counts_once() -> None:
    assert union([(5, 10), (0, 3), (3, 4), (8, 12), (20, 20)]) == [(0, 4), (5, 12)]
    assert letters(1, [(0, 1000)], [(0, 150), (50, 199)], []) == "Q"
