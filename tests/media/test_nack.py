import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.nack import AFTER_KEY_FRAME, LATE, LONGEST_REPEAT, MAX_MISSING, MissingPackets

RTT = 0.08


def received(*sequences: int, now: float = 0.0) -> MissingPackets:
    missing = MissingPackets()
    for sequence in sequences:
        missing.receive(sequence, now)
    return missing


def test_packets_in_order_leave_nothing_to_ask_for() -> None:
    missing = received(*range(65530, 65536), *range(5))
    assert missing.due(1.0, RTT) == []


def test_the_first_packet_may_have_any_number() -> None:
    assert received(40000).due(1.0, RTT) == []


def test_a_packet_overtaken_by_one_is_not_asked_for_at_once() -> None:
    missing = received(1, 3)
    assert missing.due(0.001, RTT) == []
    missing.receive(2, 0.002)
    assert missing.due(1.0, RTT) == []


def test_a_packet_overtaken_by_two_is_asked_for_at_once() -> None:
    assert received(1, 3, 4).due(0.001, RTT) == [2]


def test_two_lost_in_a_row_are_asked_for_together() -> None:
    missing = received(1, 4)
    assert missing.due(0.001, RTT) == []
    missing.receive(5, 0.002)
    assert missing.due(0.002, RTT) == [2, 3]


def test_a_packet_twenty_milliseconds_late_is_asked_for() -> None:
    missing = received(1, 3)
    assert missing.due(LATE - 0.001, RTT) == []
    assert missing.due(LATE, RTT) == [2]


def test_it_is_asked_for_again_after_a_round_trip() -> None:
    missing = received(1, 4)
    assert missing.due(0.02, RTT) == [2, 3]
    assert missing.due(0.02 + RTT - 0.01, RTT) == []
    assert missing.due(0.02 + RTT, RTT) == [2, 3]


def test_one_that_is_never_answered_is_asked_for_more_and_more_seldom() -> None:
    missing = received(1, 3)
    missing.patience = 3.0
    asked = [tick for tick in range(1, 150) if missing.due(tick * 0.02, RTT)]
    waits = [later - sooner for sooner, later in itertools.pairwise(asked)]
    assert waits == sorted(waits)
    assert waits[-1] * 0.02 <= LONGEST_REPEAT + 0.02
    assert len(asked) < 12


def test_what_arrives_is_not_asked_for_again() -> None:
    missing = received(1, 5)
    assert missing.due(0.02, RTT) == [2, 3, 4]
    missing.receive(3, 0.1)
    assert missing.due(0.2, RTT) == [2, 4]


@pytest.mark.parametrize("patience", [1.0, 3.0])
def test_it_is_given_up_when_patience_ends(patience: float) -> None:
    missing = received(1, 3)
    missing.patience = patience
    assert missing.due(patience, RTT) == [2]
    assert missing.due(patience + 0.01, RTT) == []
    assert len(missing) == 0


def test_a_source_that_jumps_is_not_asked_for_everything_between() -> None:
    missing = received(1, 3, 3 + MAX_MISSING + 1)
    assert missing.due(0.1, RTT) == []
    assert len(missing) == 0
    missing.receive(3 + MAX_MISSING + 3, 0.2)
    assert missing.due(0.3, RTT) == [3 + MAX_MISSING + 2]


def test_numbers_are_in_order_across_the_wrap() -> None:
    assert received(65533, 2, 3).due(0.1, RTT) == [65534, 65535, 0, 1]


def test_at_five_percent_loss_everything_lost_is_asked_for_and_nothing_else() -> None:
    chance = random.Random(5)
    missing, lost, asked = MissingPackets(), set(), set()
    missing.receive(0, 0.0)
    for n in range(1, 5000):
        now = n * 0.005
        if chance.random() < 0.05:
            lost.add(n)
        else:
            missing.receive(n, now)
        asked |= set(missing.due(now, RTT))
    missing.receive(5000, 25.0)
    asked |= set(missing.due(25.1, RTT))
    assert asked == lost


@given(st.lists(st.tuples(st.integers(0, 65535), st.floats(0, 0.5)), max_size=60))
def test_it_never_holds_more_than_its_bound_whatever_comes(arrivals: list[tuple[int, float]]) -> None:
    missing, now = MissingPackets(), 0.0
    for sequence, wait in arrivals:
        now += wait
        missing.receive(sequence, now)
        due = missing.due(now, RTT)
        assert len(missing) <= MAX_MISSING
        assert len(set(due)) == len(due)


def asked(missing: MissingPackets, begin: float, end: float) -> list[int]:
    """What is asked for between two moments."""
    ticks = range(round(begin * 50), round(end * 50))
    return list(itertools.chain.from_iterable(missing.due(tick * 0.02, RTT) for tick in ticks))


def test_what_a_key_frame_made_useless_is_given_up_soon_after() -> None:
    missing = received(1, 3, 6, 7)
    missing.key_frame(6)
    missing.receive(9, 0.0)
    assert set(asked(missing, 0.0, AFTER_KEY_FRAME)) == {2, 4, 5, 8}
    assert set(asked(missing, AFTER_KEY_FRAME + 0.02, 1.0)) == {8}
    assert len(missing) == 1


def test_a_recording_wants_the_frames_before_a_key_frame_too() -> None:
    missing = MissingPackets(patience=3.0)
    for sequence in (65535, 1):
        missing.receive(sequence, 0.0)
    missing.key_frame(1)
    assert asked(missing, AFTER_KEY_FRAME, 2.9)[-1] == 0
