"""media/probe.py on a path in virtual time: what comes through, and what a narrow path says."""

from __future__ import annotations

from media.probe import LONGEST, UNANSWERED, Probe, Verdict
from media.rtcp import TransportFeedback
from tests.support.link import Conditions, Lane

MEDIA = 190e3  # bit/s beside the probe
TICK = 0.02
PADDING = 1080  # bytes


def run(target: float, conditions: Conditions, *, answers: bool = True, deaf: int = 0) -> tuple[Verdict, float, float]:
    """The verdict, after how many seconds, and the longest wait of a packet; every `deaf`th feedback is lost."""
    lane: Lane[int | None] = Lane(conditions)
    probe = Probe(MEDIA, target, 100.0)
    now, number, longest = 100.0, 0, 0.0
    arrived: dict[int, float] = {}
    told = said = 0
    feedback_at = now
    while (verdict := probe.verdict(now)) is None:
        assert now < 100.0 + 3 * LONGEST
        media = MEDIA * TICK / 8
        lane.send(None, now, round(media))
        due = probe.due(media, now)
        if due is not None:
            lane.send(number, now, 80)
            probe.numbered(number, now)
            number += 1
            while due > PADDING / 2:
                lane.send(None, now, PADDING)
                probe.padded(PADDING)
                due -= PADDING
        if conditions.rate is not None:
            longest = max(longest, lane._free - now)
        for item in lane.receive(now):
            if item is not None:
                arrived[item] = now
        if answers and now >= feedback_at and arrived and max(arrived) >= told:
            feedback_at = now + 0.06
            end = max(arrived) + 1
            reference = int(now / 0.064) - 20
            ticks = tuple(
                round((arrived[n] - reference * 0.064) / 250e-6) if n in arrived else None for n in range(told, end)
            )
            told, first = end, told
            said += 1
            if not deaf or said % deaf:
                probe.feedback(TransportFeedback(1, 2, first, reference & 0xFFFFFF, 0, ticks), now)
        now += TICK
    return verdict, now - 100.0, longest


def test_a_wide_path_carries_what_is_wanted_within_three_seconds() -> None:
    verdict, seconds, longest = run(1_400e3, Conditions(delay=0.08, rate=3e6))
    assert verdict.carried
    assert seconds < 3.0
    assert longest < 0.05


def test_a_narrow_path_says_so_before_a_long_queue_stands() -> None:
    verdict, _, longest = run(1_400e3, Conditions(delay=0.08, rate=400e3, queue=1.0))
    assert not verdict.carried
    assert verdict.rate is not None
    assert 200e3 < verdict.rate < 500e3
    assert longest < 0.25


def test_a_path_that_loses_what_is_too_much_says_so_too() -> None:
    verdict, _, _ = run(1_400e3, Conditions(delay=0.08, rate=400e3, queue=0.02))
    assert not verdict.carried


def test_losses_by_chance_do_not_spoil_a_probe() -> None:
    verdict, _, _ = run(1_400e3, Conditions(delay=0.08, loss=0.05, rate=3e6))
    assert verdict.carried


def test_feedback_that_is_lost_does_not_spoil_a_probe() -> None:
    verdict, _, _ = run(1_400e3, Conditions(delay=0.08, loss=0.05, rate=3e6), deaf=5)
    assert verdict.carried


def test_who_does_not_answer_is_given_up() -> None:
    verdict, seconds, _ = run(1_400e3, Conditions(delay=0.08), answers=False)
    assert verdict == Verdict(False, None)
    assert seconds <= UNANSWERED + 0.1


def test_padding_fills_up_only_what_media_leave() -> None:
    probe = Probe(1_000e3, 1_000e3, 0.0)
    assert probe.due(2500, 0.02) == 0.0
    due = probe.due(0, 0.04)
    assert due is not None
    assert due <= 1_000e3 * 0.04 / 8


def test_feedback_on_numbers_never_sent_is_nothing() -> None:
    probe = Probe(MEDIA, 1_400e3, 0.0)
    probe.feedback(TransportFeedback(1, 2, 900, 5, 0, (1, None, 3)), 0.1)
    assert probe.verdict(0.1) is None
