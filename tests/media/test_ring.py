from hypothesis import given
from hypothesis import strategies as st

from media.ring import Ring


def test_a_packet_is_found_for_one_second() -> None:
    ring: Ring[str] = Ring(64)
    ring.put(7, "seven", now=10.0)
    assert ring.get(7, now=11.0) == "seven"
    assert ring.get(7, now=11.01) is None


def test_what_was_never_kept_is_not_found() -> None:
    ring: Ring[str] = Ring(64)
    assert ring.get(7, now=0.0) is None
    ring.put(7, "seven", now=0.0)
    assert ring.get(7 + 64, now=0.0) is None


def test_a_later_packet_takes_the_place_of_one_that_is_a_ring_older() -> None:
    ring: Ring[str] = Ring(64)
    ring.put(65535, "old", now=0.0)
    ring.put(63, "new", now=0.1)
    assert ring.get(65535, now=0.1) is None
    assert ring.get(63, now=0.1) == "new"


@given(st.integers(0, 65535), st.integers(1, 200))
def test_the_last_packets_are_there_across_the_wrap(first: int, count: int) -> None:
    ring: Ring[int] = Ring(64)
    sequences = [first + n & 0xFFFF for n in range(count)]
    for sequence in sequences:
        ring.put(sequence, sequence, now=0.0)
    assert [ring.get(sequence, now=0.5) for sequence in sequences[-64:]] == sequences[-64:]
