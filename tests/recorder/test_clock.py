import pytest

from media.recording_link import Report
from recorder.clock import RecentMinimum, SenderClock, TrackClock

SECOND = 1_000_000
RATE = 90_000


def report(clock: TrackClock, sent_us: int, rtp: int, delay_us: int, rtt_us: int = 0, ahead_us: int = 0) -> None:
    """A sender report of the instant `sent_us`, from a sender whose wall clock is `ahead_us` ahead of ours."""
    wall = sent_us + ahead_us
    ntp = ((wall // SECOND + 2_208_988_800) << 32) | (wall % SECOND << 32) // SECOND
    clock.report(Report(sent_us + delay_us, ntp, rtp & 0xFFFFFFFF, rtt_us))


def run(clock: TrackClock, seconds: range, delay_us: int, first: int, rate: float = RATE) -> float:
    """Ten packets and one report a second; gives how far the last is from where it belongs, in ms."""
    error = 0.0
    for second in seconds:
        for tenth in range(10):
            sent_us = second * SECOND + tenth * SECOND // 10
            timestamp = (first + int(sent_us * rate / SECOND)) & 0xFFFFFFFF
            ticks = clock.at(timestamp, sent_us + delay_us)
            error = (ticks / RATE - sent_us / SECOND) * 1000
            if not tenth:
                report(clock, sent_us, timestamp, delay_us, ahead_us=86_400 * SECOND)
    return error


def test_the_first_packet_stands_where_it_arrived() -> None:
    clock = TrackClock(RATE, 5 * SECOND, SenderClock())
    assert clock.at(4_000_000_000, 7 * SECOND) == 2 * RATE


def test_tracks_of_one_sender_come_into_step_though_their_ways_differ() -> None:
    sender = SenderClock()
    camera, microphone = TrackClock(RATE, 0, sender), TrackClock(RATE, 0, sender)
    errors = (0.0, 0.0)
    for second in range(20):
        errors = (
            run(camera, range(second, second + 1), 180_000, 4_294_000_000),
            run(microphone, range(second, second + 1), 30_000, 17),
        )
    assert errors[0] == pytest.approx(errors[1], abs=1)
    assert errors[1] == pytest.approx(30, abs=2)


def test_a_sample_clock_that_runs_fast_is_followed() -> None:
    clock = TrackClock(RATE, 0, SenderClock())
    assert run(clock, range(600), 20_000, 0, rate=RATE * 1.0002) == pytest.approx(20, abs=3)


def test_time_never_jumps_when_a_report_says_otherwise() -> None:
    clock = TrackClock(RATE, 0, SenderClock())
    before = clock.at(0, 400_000)
    report(clock, 0, 0, 20_000)
    after = clock.at(RATE // 10, 500_000)
    assert 0.9 < (after - before) / (RATE / 10) < 1.0


@pytest.mark.parametrize("step_us", [-5 * SECOND, 5 * SECOND, 3600 * SECOND])
def test_a_sender_whose_wall_clock_is_set_anew_stays_where_it_is(step_us: int) -> None:
    clock = TrackClock(RATE, 0, SenderClock())
    for second in range(60):
        at = clock.at(second * RATE, second * SECOND + 40_000)
        assert at / RATE == pytest.approx(second + 0.04, abs=0.001)
        report(clock, second * SECOND, second * RATE, 40_000, ahead_us=step_us if second > 30 else 0)


def test_sound_that_a_busy_browser_notes_late_once_in_a_while_stays_where_it_is() -> None:
    clock = TrackClock(RATE, 0, SenderClock())
    for second in range(60):
        at = clock.at(second * RATE, second * SECOND + 40_000)
        assert at / RATE == pytest.approx(second + 0.04, abs=0.001)
        report(clock, second * SECOND, second * RATE - (RATE // 20 if second % 3 == 2 else 0), 40_000)


def test_half_the_round_trip_is_taken_off() -> None:
    sender = SenderClock()
    clock = TrackClock(RATE, 0, sender)
    clock.at(0, 60_000)
    for second in range(20):
        clock.at(second * RATE, second * SECOND + 60_000)
        report(clock, second * SECOND, second * RATE, 60_000, rtt_us=100_000)
    assert clock.at(20 * RATE, 20 * SECOND + 60_000) == pytest.approx(20.01 * RATE, abs=RATE // 500)


def test_a_round_trip_measured_in_a_busy_moment_moves_nothing() -> None:
    clock = TrackClock(RATE, 0, SenderClock())
    clock.at(0, 60_000)
    for second in range(20):
        clock.at(second * RATE, second * SECOND + 60_000)
        report(clock, second * SECOND, second * RATE, 60_000, rtt_us=400_000 if second == 10 else 100_000)
    assert clock.at(20 * RATE, 20 * SECOND + 60_000) == pytest.approx(20.01 * RATE, abs=RATE // 500)


@pytest.mark.parametrize("ntp", [0, 1, 0xFFFFFFFFFFFFFFFF])
def test_a_report_that_cannot_be_moves_nothing_by_more_than_the_slew(ntp: int) -> None:
    clock = TrackClock(RATE, 0, SenderClock())
    clock.at(0, SECOND)
    clock.report(Report(SECOND, ntp, 0xFFFFFFF0, 0))
    assert clock.at(RATE, 2 * SECOND) == pytest.approx(2 * RATE, abs=RATE * 0.06)


def test_a_timestamp_from_elsewhere_begins_anew_at_its_arrival() -> None:
    clock = TrackClock(RATE, 0, SenderClock())
    clock.at(0, SECOND)
    assert clock.at(1_000_000_000, 2 * SECOND) == 2 * RATE


def test_a_minimum_is_forgotten_after_a_minute_and_soon_when_the_clock_was_set() -> None:
    least = RecentMinimum()
    least.add(10, 0)
    least.add(50, 31 * SECOND)
    assert least.value == 10
    least.add(60, 62 * SECOND)
    assert least.value == 50
    for second in range(63, 67):  # one may only have waited in a queue
        least.add(5 * SECOND, second * SECOND)
        assert least.value == 50
    least.add(5 * SECOND, 67 * SECOND)
    assert least.value == 5 * SECOND
    least.add(-5 * SECOND, 68 * SECOND)
    assert least.value == -5 * SECOND
