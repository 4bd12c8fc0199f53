import pytest

from media.unasked import LONGEST, MOST, MOST_STRETCHES, REMEMBERED, ReportedLosses, Unasked

RTT = 0.08
LATER = 0.3  # seconds after a report: NACKs have had their time


def losses(*, highest: int = 1000) -> ReportedLosses:
    """Of a viewer that has lost nothing so far."""
    made = ReportedLosses()
    made.reported(highest, 0, 0.0)
    return made


def test_what_was_asked_for_is_not_sent_unasked() -> None:
    viewer = losses()
    viewer.asked((1003, 1004))
    viewer.reported(1010, 2, 0.1)
    assert viewer.due(0.1 + LATER, RTT) is None


def test_a_nack_has_two_round_trips_to_come_after_the_report() -> None:
    viewer = losses()
    viewer.reported(1010, 2, 0.1)
    assert viewer.due(0.1 + 2 * RTT, RTT) is None
    viewer.asked((1003, 1004))
    assert viewer.due(0.1 + LATER, RTT) is None


def test_a_stretch_with_losses_that_nobody_asked_for_is_sent_again_without_what_was() -> None:
    viewer = losses()
    viewer.asked((1003,))
    viewer.reported(1006, 2, 0.1)
    assert viewer.due(0.1 + LATER, RTT) == Unasked((1001, 1002, 1004, 1005, 1006))
    assert viewer.due(0.1 + LATER, RTT) is None


def test_of_a_long_stretch_nothing_is_sent_and_a_key_frame_is_due() -> None:
    viewer = losses()
    viewer.reported(1000 + MOST + 1, 3, 0.1)
    assert viewer.due(0.1 + LATER, RTT) == Unasked(())


def test_numbers_wrap() -> None:
    viewer = losses(highest=0x1FFFE)
    viewer.asked((0xFFFF,))
    viewer.reported(0x20001, 2, 0.1)
    assert viewer.due(0.1 + LATER, RTT) == Unasked((0, 1))


@pytest.mark.parametrize(
    ("highest", "lost"),
    [(1000, 5), (900, 5), (1010, 0), (1010, -3), (1000 + 0x8000, 5), (0, 0xFFFFFF)],
    ids=["no progress", "back", "no loss", "repeats", "a jump", "nonsense"],
)
def test_reports_that_say_nothing_of_a_stretch_lead_to_nothing(highest: int, lost: int) -> None:
    viewer = losses()
    viewer.reported(highest, lost, 0.1)
    assert viewer.due(0.1 + LATER, RTT) is None


def test_the_first_report_is_only_where_counting_begins() -> None:
    viewer = ReportedLosses()
    viewer.reported(5000, 40, 0.0)
    assert viewer.due(LATER, RTT) is None


def test_no_more_is_remembered_than_is_useful() -> None:
    viewer = losses()
    for first in range(0, 10 * REMEMBERED, 100):
        viewer.asked(tuple(range(first, first + 100)))
    assert len(viewer._asked) <= 2 * REMEMBERED
    viewer.reported(10 * REMEMBERED, 2, 0.1)
    viewer.asked(tuple(range(0x8000)))
    assert len(viewer._asked) <= 2 * REMEMBERED
    for number in range(10 * MOST_STRETCHES):
        viewer.reported(10 * REMEMBERED + number, 3 + number, 0.1)
    assert len(viewer._stretches) <= MOST_STRETCHES


def test_a_report_that_claims_a_loss_somewhere_in_many_thousands_is_not_looked_into() -> None:
    viewer = losses()
    viewer.reported(1000 + LONGEST + 1, 1, 0.1)
    assert viewer.due(0.1 + LATER, RTT) is None
