import pytest

from media import ntp

NEW_YEAR = 946_684_800.0  # 2000-01-01, seconds since 1970


def test_a_time_counts_seconds_since_1900_in_its_upper_half() -> None:
    assert ntp.from_wall(NEW_YEAR) == 3_155_673_600 << 32  # the example of RFC 5905 figure 4
    assert ntp.middle(ntp.from_wall(NEW_YEAR + 0.5)) == (3_155_673_600 << 16 | 0x8000) & 0xFFFF_FFFF


def test_times_come_back() -> None:
    assert ntp.to_wall(ntp.from_wall(1_700_000_000.25)) == pytest.approx(1_700_000_000.25)


def test_a_clock_after_2036_wraps() -> None:
    assert ntp.from_wall(2_085_978_496.0) == 0
