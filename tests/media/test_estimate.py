"""media/estimate.py: what a viewer's reports say about its path."""

from __future__ import annotations

import random

import pytest

from media.estimate import LOWEST, SILENT, START, Estimate
from media.rtcp import ReportBlock

SSRC = 7


def block(highest: int, lost: int) -> ReportBlock:
    return ReportBlock(SSRC, 0, lost, highest, 0, 0, 0)


def lossy(estimate: Estimate, share: float, sent: float, seconds: int = 3, now: float = 0.0) -> bool:
    """Reports once a second of a thousand packets each, of which a share is lost. True if it had to fall."""
    estimate.report([block(0, 0)], sent, now)
    fell = False
    for second in range(1, seconds + 1):
        fell |= estimate.report([block(1000 * second, round(1000 * share * second))], sent, now + second * 1.01)
    return fell


def test_a_viewer_starts_with_360p_and_nothing_is_paused_for_it() -> None:
    estimate = Estimate(0.0)
    assert (estimate.bitrate, estimate.certain) == (START, False)


def test_a_fall_of_remb_is_heeded_at_once() -> None:
    estimate = Estimate(0.0)
    estimate.remb(1_200e3, 1_250e3, 5.0)
    assert estimate.bitrate == 1_200e3
    assert estimate.remb(600e3, 1_250e3, 5.2)
    assert (estimate.bitrate, estimate.certain) == (600e3, True)


def test_remb_below_what_was_proved_is_no_limit_until_it_falls() -> None:
    """It lags: it never exceeds 1.5 times what arrives, and climbs by 8 % a second."""
    estimate = Estimate(0.0)
    estimate.proven(1_400e3, 3.0)
    for second in range(5, 10):
        assert not estimate.remb(500e3 * 1.08 ** (second - 5), 550e3, second)
    assert estimate.bitrate == 1_400e3


def test_what_remb_says_while_a_queue_drains_is_no_second_fall() -> None:
    estimate = Estimate(0.0)
    estimate.remb(1_200e3, 1_250e3, 5.0)
    estimate.remb(400e3, 1_250e3, 5.5)
    assert not estimate.remb(160e3, 190e3, 6.0)  # 85 % of the little that is sent by now
    assert estimate.bitrate == 400e3
    assert estimate.remb(100e3, 190e3, 8.0)  # after two seconds it is another fall


def test_a_browser_that_still_counts_what_came_before_is_given_way_to_when_it_falls_twice() -> None:
    """Seen on a path that had carried a probe of 1.5 Mb/s and half a second later carried 400 kb/s."""
    estimate = Estimate(0.0)
    estimate.proven(1_592e3, 1.0)
    assert not estimate.remb(926e3, 606e3, 22.9)
    assert not estimate.remb(811e3, 600e3, 23.1)
    assert estimate.bitrate == 811e3
    assert estimate.remb(727e3, 597e3, 23.2)
    assert 400e3 < estimate.bitrate < 520e3


def test_one_fall_while_all_arrives_takes_nothing_away_that_is_sent() -> None:
    estimate = Estimate(0.0)
    estimate.remb(700e3, 560e3, 5.0)
    assert not estimate.remb(476e3, 560e3, 6.0)  # a key frame made a queue for a moment
    for at in range(7, 12):
        assert not estimate.remb(476e3 * 1.05 ** (at - 6), 560e3, at)
    assert estimate.bitrate >= 560e3


def test_a_moments_fall_where_there_was_room_takes_nothing_away_and_a_second_one_does() -> None:
    """A class's old PC was busy with something else for a moment, or its line has really become narrow."""
    estimate = Estimate(0.0)
    estimate.proven(1_300e3, 10.0)
    estimate.remb(840e3, 620e3, 10.2)
    assert not estimate.remb(418e3, 618e3, 10.4)
    assert estimate.bitrate > 618e3
    assert estimate.remb(340e3, 618e3, 10.7)
    assert estimate.bitrate == 340e3


def test_a_fall_by_more_than_half_is_never_a_moments() -> None:
    estimate = Estimate(0.0)
    estimate.proven(1_300e3, 10.0)
    estimate.remb(840e3, 620e3, 10.2)
    assert estimate.remb(200e3, 618e3, 10.4)


def test_a_fall_that_is_not_followed_by_a_rise_was_no_moment() -> None:
    estimate = Estimate(0.0)
    estimate.remb(700e3, 560e3, 5.0)
    assert not estimate.remb(430e3, 560e3, 6.0)
    assert not estimate.remb(430e3, 560e3, 6.3)
    assert estimate.remb(430e3, 560e3, 6.8)
    assert estimate.bitrate == 430e3


def test_a_path_is_starved_only_when_it_has_been_too_narrow_for_some_seconds() -> None:
    estimate = Estimate(0.0)
    starved = []
    for second in range(10):
        estimate.report([block(100 * second, 30 * second)], 300e3, float(second) * 1.01)
        starved.append(estimate.starved(float(second) * 1.01))
    assert starved[:5] == [False] * 5
    assert starved[-1]
    assert not estimate.starved(15.0)


def test_a_tcp_connection_that_falls_behind_is_given_way_to_once_a_second() -> None:
    estimate = Estimate(0.0)
    assert estimate.behind(800e3, 1.0)
    assert estimate.bitrate == pytest.approx(560e3)
    assert estimate.certain
    assert not estimate.behind(800e3, 1.5)
    assert estimate.behind(500e3, 2.5)
    assert estimate.bitrate == pytest.approx(350e3)


def test_loss_far_beyond_chance_is_heeded_before_a_second_is_over() -> None:
    estimate = Estimate(0.0)
    estimate.report([block(0, 0)], 560e3, 0.0)
    assert not estimate.report([block(20, 2)], 560e3, 0.3)
    assert not estimate.report([block(60, 30)], 560e3, 0.6)
    assert estimate.report([block(100, 55)], 560e3, 0.9)


def test_one_burst_of_losses_is_no_full_path() -> None:
    estimate = Estimate(0.0)
    estimate.report([block(0, 0)], 560e3, 0.0)
    assert not estimate.report([block(60, 40)], 560e3, 0.3)
    for look in range(1, 8):
        assert not estimate.report([block(60 + 60 * look, 40 + 3 * look)], 560e3, 0.3 + 0.3 * look)


def test_what_seemed_to_fit_and_did_not_is_tried_again_later_than_what_never_did() -> None:
    def quiet(seemed: bool) -> float:
        estimate = Estimate(0.0)
        now = 0.0
        for _ in range(6):
            while not estimate.may_try(now):
                now += 0.1
                estimate.heard(now)
            began = now
            if seemed:
                estimate.proven(600e3, now)
            estimate.remb(700e3, 650e3, now + 1)
            estimate.remb(300e3, 650e3, now + 1.5)
            now += 1.5
        while not estimate.may_try(now):
            now += 0.1
            estimate.heard(now)
        return now - began

    assert quiet(seemed=True) > 1.5 * quiet(seemed=False)


def test_falls_in_a_row_are_heeded_while_less_arrives_than_is_sent() -> None:
    estimate = Estimate(0.0)
    for at, remb, sent in [
        (15.3, 1_117e3, 1_258e3),
        (15.5, 682e3, 1_185e3),
        (15.8, 556e3, 883e3),
        (15.9, 409e3, 650e3),
    ]:
        estimate.remb(remb, sent, at)
    assert estimate.bitrate == 409e3


@pytest.mark.parametrize(("share", "falls"), [(0.0, False), (0.05, False), (0.09, False), (0.15, True), (0.5, True)])
def test_only_loss_that_is_no_chance_makes_it_fall(share: float, falls: bool) -> None:
    """5 % at random is what a weak line has all the time; it is repaired, not given way to."""
    assert lossy(Estimate(0.0), share, 1_000e3) is falls


def test_a_thin_stream_on_a_weak_line_is_not_taken_for_a_full_path() -> None:
    """A hundred packets a second, each lost with 5 %: ten minutes of it."""
    estimate, chance, lost = Estimate(0.0), random.Random(1), 0
    for second in range(600):
        lost += sum(chance.random() < 0.05 for _ in range(100))
        assert not estimate.report([block(100 * (second + 1), lost)], 300e3, second * 1.01)


def test_loss_alone_leaves_the_smallest_picture() -> None:
    estimate = Estimate(0.0)
    lossy(estimate, 0.6, 1_000e3, seconds=60)
    assert 150e3 < estimate.bitrate < 300e3


def test_a_few_packets_tell_nothing_of_loss() -> None:
    estimate = Estimate(0.0)
    estimate.report([block(0, 0)], 1e6, 0.0)
    assert not estimate.report([block(10, 5)], 1e6, 1.1)


def test_who_cannot_be_probed_grows_by_itself_while_nothing_is_lost() -> None:
    estimate = Estimate(0.0)
    estimate.numbered = False
    for second in range(20):
        estimate.heard(float(second))
        lossy(estimate, 0.0, 500e3, seconds=1, now=float(second))
    assert estimate.bitrate > 2 * START


def test_after_a_fall_nothing_more_is_tried_for_a_while_and_longer_each_time_it_fails() -> None:
    estimate = Estimate(0.0)
    estimate.remb(1_000e3, 1e6, 5.0)
    estimate.remb(500e3, 1e6, 6.0)
    estimate.heard(10.0)
    assert not estimate.may_try(8.9)
    assert estimate.may_try(9.1)
    estimate.disproved(450e3, 9.2)
    assert not estimate.may_try(15.1)
    assert estimate.may_try(15.3)
    assert estimate.bitrate == 500e3  # what is known to fit still does
    estimate.proven(900e3, 16.0)
    assert estimate.may_try(16.0)


def test_who_never_reports_is_tried_with_nothing() -> None:
    estimate = Estimate(0.0)
    estimate.heard(100.0)
    assert not estimate.silent(100.0 + SILENT)
    assert estimate.silent(100.1 + SILENT)
    assert not estimate.may_try(100.1 + SILENT)


@pytest.mark.parametrize("remb", [0, 1, 1 << 80])
def test_nonsense_is_kept_within_bounds(remb: int) -> None:
    estimate = Estimate(0.0)
    estimate.remb(1_000e3, 1e6, 5.0)
    estimate.remb(remb, 1e6, 9.0)
    assert LOWEST <= estimate.bitrate <= 50e6
