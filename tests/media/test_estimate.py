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
