from hypothesis import given
from hypothesis import strategies as st

from recorder.reorder import CAPACITY, PATIENCE_US, Packet, Reorder


def packet(sequence: int, at_us: int = 0) -> Packet:
    return Packet(at_us, sequence & 0xFFFF, 0, False, b"", 127)


def numbers(passed: list[Packet | None]) -> list[int | None]:
    return [item and item.sequence for item in passed]


@given(st.permutations(range(40)), st.integers(0, 0xFFFF))
def test_whatever_the_order_packets_come_in_they_leave_in_the_order_they_were_sent(
    order: list[int], first: int
) -> None:
    reorder = Reorder(first)
    passed = [item for number in order for item in reorder.push(packet(first + number))]
    assert numbers(passed) == [(first + number) & 0xFFFF for number in range(40)]
    assert not reorder.waiting


def test_a_packet_that_comes_twice_passes_once() -> None:
    reorder = Reorder(10)
    passed = [item for number in (10, 12, 12, 10, 11, 11) for item in reorder.push(packet(number))]
    assert numbers(passed) == [10, 11, 12]


def test_a_missing_packet_is_waited_for_as_long_as_the_worker_asks_for_it() -> None:
    reorder = Reorder(1)
    assert reorder.push(packet(2, at_us=0)) == []
    assert reorder.give_up(PATIENCE_US - 1) == []
    assert numbers(reorder.give_up(PATIENCE_US)) == [None, 2]
    assert reorder.expected == 3


def test_each_hole_is_waited_for_by_itself() -> None:
    reorder = Reorder(1)
    reorder.push(packet(2, at_us=0))
    reorder.push(packet(4, at_us=2_000_000))
    assert numbers(reorder.give_up(PATIENCE_US)) == [None, 2]
    assert reorder.give_up(PATIENCE_US + 1_900_000) == []
    assert numbers(reorder.give_up(PATIENCE_US + 2_000_000)) == [None, 4]


def test_what_waits_is_bounded() -> None:
    reorder = Reorder(0)
    passed = [item for number in range(1, CAPACITY + 2) for item in reorder.push(packet(number))]
    assert numbers(passed[:2]) == [None, 1]
    assert len(passed) == CAPACITY + 2
