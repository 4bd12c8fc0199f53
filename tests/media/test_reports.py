import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import ntp
from media.reports import Inbound, RoundTrip
from media.rtcp import LastReceiverReference, ReceiverReport, ReportBlock, SenderReport

WALL = 1_700_000_000.0


def inbound(*sequences: int) -> Inbound:
    reception = Inbound(7, 90000)
    for n, sequence in enumerate(sequences):
        reception.receive(sequence, n * 3000, n / 30)
    return reception


def block(reception: Inbound, now: float = 10.0) -> ReportBlock:
    found = reception.block(now)
    assert found is not None
    return found


def test_there_is_no_block_before_the_first_packet() -> None:
    assert Inbound(7, 90000).block(1.0) is None


def test_an_undisturbed_stream_has_no_loss_and_no_jitter() -> None:
    report = block(inbound(*range(100, 200)))
    assert (report.ssrc, report.fraction_lost, report.cumulative_lost, report.jitter) == (7, 0, 0, 0)
    assert report.highest_sequence == 199


def test_loss_is_told_since_the_last_block_and_altogether() -> None:
    reception = inbound(*(n for n in range(100) if n % 4))
    assert block(reception).fraction_lost == (24 << 8) // 99
    for sequence in range(100, 200):
        reception.receive(sequence, 0, 20.0)
    report = block(reception)
    assert (report.fraction_lost, report.cumulative_lost) == (0, 24)


def test_cycles_are_counted() -> None:
    assert block(inbound(65534, 65535, 0, 1)).highest_sequence == 0x1_0001


def test_disorder_is_no_loss_and_duplicates_are_negative_loss() -> None:
    assert block(inbound(1, 3, 2, 4)).cumulative_lost == 0
    assert block(inbound(1, 2, 2, 2, 3)).cumulative_lost == -2
    assert block(inbound(1, 2, 2, 2, 3)).fraction_lost == 0


def test_jitter_grows_with_uneven_arrival_and_not_with_a_pictures_burst() -> None:
    even, uneven = Inbound(7, 90000), Inbound(7, 90000)
    for n in range(200):
        for part in range(4):
            even.receive(4 * n + part, n * 3000, n / 30 + part * 0.001)
        uneven.receive(n, n * 3000, n / 30 + (n % 2) * 0.01)
    assert block(even).jitter <= 1
    assert block(uneven).jitter == pytest.approx(900, rel=0.05)


def test_a_block_says_how_long_ago_the_sender_reported() -> None:
    reception = inbound(1)
    assert block(reception).last_sr == 0
    reception.sender_report(SenderReport(7, 0x11112222_33334444, 0, 0, 0), now=5.0)
    report = block(reception, now=5.5)
    assert (report.last_sr, report.delay_since_last_sr) == (0x22223333, 32768)


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.floats(0, 10)), max_size=50))
def test_whatever_comes_a_block_can_be_written(arrivals: list[tuple[int, int, float]]) -> None:
    reception, now = Inbound(7, 48000), 0.0
    for sequence, timestamp, wait in arrivals:
        now += wait
        reception.receive(sequence, timestamp, now)
        bytes(block(reception, now))


def middle(wall: float) -> int:
    return ntp.middle(ntp.from_wall(wall))


def test_the_round_trip_is_what_an_echo_took_less_the_peers_delay() -> None:
    trip = RoundTrip()
    echo = ReportBlock(1, 0, 0, 0, 0, middle(WALL), 65536 // 2)
    trip.from_receiver_report(ReceiverReport(2, (echo,)), WALL + 0.58)
    assert trip.seconds == pytest.approx(0.08, abs=0.001)


def test_a_peer_that_only_sends_answers_our_reference_time() -> None:
    trip = RoundTrip()
    asked = trip.reference_time(1, WALL)
    trip.from_dlrr(LastReceiverReference(2, ((1, asked.ntp >> 16 & 0xFFFF_FFFF, 6554),)), WALL + 0.15)
    assert trip.seconds == pytest.approx(0.05, abs=0.001)


def test_one_late_echo_moves_the_round_trip_only_an_eighth() -> None:
    trip = RoundTrip()
    for taken in (0.04, 0.12):
        trip.from_dlrr(LastReceiverReference(2, ((1, middle(WALL), 0),)), WALL + taken)
    assert trip.seconds == pytest.approx(0.05, abs=0.001)


@pytest.mark.parametrize(("reference", "delay"), [(0, 0), (middle(WALL) + 65536, 0), (middle(WALL) - 11 * 65536, 0),
                                                  (middle(WALL), 65536)])  # fmt: skip
def test_an_echo_of_nothing_from_the_future_or_of_long_ago_is_not_believed(reference: int, delay: int) -> None:
    trip = RoundTrip()
    trip.from_dlrr(LastReceiverReference(2, ((1, reference, delay),)), WALL)
    assert trip.seconds is None


def test_a_link_faster_than_the_peers_rounding_counts_as_zero() -> None:
    trip = RoundTrip()
    trip.from_dlrr(LastReceiverReference(2, ((1, middle(WALL), 65),)), WALL)
    assert trip.seconds == 0.0
