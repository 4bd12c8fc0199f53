import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp
from media.feedback import CEILING, TransportWideFeedback, ceiling
from media.rtcp import TransportFeedback

UNIT = 250e-6  # seconds of one arrival unit


def told(feedbacks: list[TransportFeedback]) -> dict[int, float | None]:
    """Sequence number -> arrival in seconds as the publisher reads it from the wire; None for what has not come."""
    found: dict[int, float | None] = {}
    for feedback in feedbacks:
        (read,) = rtcp.parse(bytes(feedback))
        assert isinstance(read, TransportFeedback)
        for offset, arrival in enumerate(read.arrivals):
            at = None if arrival is None else read.reference_time * 0.064 + arrival * UNIT
            found[read.base_sequence + offset & 0xFFFF] = at
    return found


def test_arrivals_are_told_to_a_quarter_of_a_millisecond() -> None:
    feedback = TransportWideFeedback(1)
    for sequence, at in [(10, 5.0), (11, 5.001), (12, 5.02)]:
        feedback.arrived(sequence, 99, at)
    found = told(feedback.build(5.1))
    assert found == {10: pytest.approx(5.0, abs=UNIT), 11: pytest.approx(5.001, abs=UNIT),
                     12: pytest.approx(5.02, abs=UNIT)}  # fmt: skip


class Path:
    """A publisher's packets, evenly spaced, and the feedback that is made every 20 ms."""

    def __init__(self, pace: float, now: float = 0.0) -> None:
        self.feedback = TransportWideFeedback(1)
        self.pace = pace  # packets a second
        self.now = now
        self._due = now
        self._number = 0

    def lose(self, count: int) -> None:
        self._number += count

    def run(self, seconds: float) -> list[float]:
        """The times at which something was told."""
        times = []
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            while self._due <= self.now:
                self.feedback.arrived(self._number & 0xFFFF, 99, self._due)
                self._number += 1
                self._due += 1 / self.pace
            if self.feedback.build(self.now):
                times.append(self.now)
        return times


def test_there_is_one_every_40_ms_in_the_beginning_and_every_100_ms_when_all_goes_on_as_before() -> None:
    path = Path(pace=250.0)
    assert len(path.run(3.0)) == pytest.approx(75, abs=2)
    assert len(path.run(5.0)) == pytest.approx(50, abs=2)


def test_there_is_none_without_news() -> None:
    feedback = TransportWideFeedback(1)
    assert feedback.build(0.0) == []
    feedback.arrived(1, 99, 0.0)
    assert len(feedback.build(0.0)) == 1
    assert feedback.build(0.3) == []


@pytest.mark.parametrize(
    ("what", "lost", "pace"),
    [("a loss", 1, 250.0), ("a path that has become narrow", 0, 40.0), ("a probe", 0, 1000.0)],
)
def test_what_a_publisher_should_know_is_told_at_once(what: str, lost: int, pace: float) -> None:
    path = Path(pace=250.0)
    path.run(4.0)
    while not path.run(0.02):
        pass
    before = path.now
    path.lose(lost)
    path.pace = pace
    first, *_ = path.run(0.2)
    assert first - before < 0.07, what


def test_another_pace_becomes_the_usual_one() -> None:
    path = Path(pace=1000.0)
    path.run(4.0)
    path.pace = 100.0
    path.run(6.0)
    assert len(path.run(5.0)) == pytest.approx(50, abs=4)


def test_feedbacks_are_counted_and_name_the_stream() -> None:
    feedback = TransportWideFeedback(7)
    counts = []
    for n in range(258):
        feedback.arrived(n, 99, n * 0.2)
        (built,) = feedback.build(n * 0.2)
        assert (built.ssrc, built.media_ssrc) == (7, 99)
        counts.append(built.count)
    assert counts == [*range(256), 0, 1]


def test_what_has_not_come_is_told_as_lost_also_between_two_feedbacks() -> None:
    feedback = TransportWideFeedback(1)
    feedback.arrived(1, 9, 0.0)
    feedback.arrived(3, 9, 0.01)
    assert [value is None for value in told(feedback.build(0.1)).values()] == [False, True, False]
    feedback.arrived(6, 9, 0.15)
    found = told(feedback.build(0.2))
    assert list(found) == [4, 5, 6]
    assert [value is None for value in found.values()] == [True, True, False]


def test_what_comes_after_it_was_told_as_lost_is_told_again() -> None:
    feedback = TransportWideFeedback(1)
    feedback.arrived(1, 9, 0.0)
    feedback.arrived(3, 9, 0.01)
    feedback.build(0.1)
    feedback.arrived(2, 9, 0.12)
    found = told(feedback.build(0.2))
    assert found == {2: pytest.approx(0.12, abs=UNIT), 3: pytest.approx(0.01, abs=UNIT)}


def test_numbers_go_on_across_the_wrap() -> None:
    feedback = TransportWideFeedback(1)
    for n in range(65530, 65540):
        feedback.arrived(n & 0xFFFF, 9, 1.0)
    assert list(told(feedback.build(1.1))) == [65530, 65531, 65532, 65533, 65534, 65535, 0, 1, 2, 3]


def test_a_pause_longer_than_a_delta_can_say_starts_another_packet() -> None:
    feedback = TransportWideFeedback(1)
    feedback.arrived(1, 9, 0.0)
    feedback.arrived(2, 9, 20.0)
    built = feedback.build(20.1)
    assert len(built) == 2
    assert told(built) == {1: pytest.approx(0.0, abs=UNIT), 2: pytest.approx(20.0, abs=UNIT)}


def test_a_jump_of_the_numbers_starts_anew() -> None:
    feedback = TransportWideFeedback(1)
    feedback.arrived(1, 9, 0.0)
    feedback.build(0.1)
    feedback.arrived(30000, 9, 0.2)
    assert list(told(feedback.build(0.3))) == [30000]
    feedback.arrived(1000, 9, 0.4)
    feedback.arrived(1001, 9, 0.4)
    assert list(told(feedback.build(0.5))) == [1000, 1001]


@given(st.lists(st.tuples(st.integers(0, 65535), st.floats(0, 3)), min_size=1, max_size=40))
def test_whatever_comes_can_be_written_and_is_bounded(arrivals: list[tuple[int, float]]) -> None:
    feedback, now = TransportWideFeedback(1), 0.0
    for sequence, wait in arrivals:
        now += wait
        feedback.arrived(sequence, 9, now)
        built = feedback.build(now)
        assert sum(len(each.arrivals) for each in built) <= 4001
        told(built)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=200, unique=True))
def test_every_packet_that_came_is_told(sequences: list[int]) -> None:
    feedback = TransportWideFeedback(1)
    for sequence in sequences:
        feedback.arrived(sequence, 9, 1.0)
    found = told(feedback.build(1.1))
    assert {sequence for sequence, at in found.items() if at is not None} == set(sequences)


def test_a_publisher_that_knows_only_remb_gets_a_ceiling() -> None:
    (remb,) = rtcp.parse(bytes(ceiling(1, (5, 6))))
    assert isinstance(remb, rtcp.Remb)
    assert remb.bitrate == pytest.approx(CEILING, rel=1e-4)
    assert remb.ssrcs == (5, 6)
