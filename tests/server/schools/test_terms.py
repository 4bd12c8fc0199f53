from datetime import UTC, datetime

import pytest

from server.schools.terms import CHINA, end_of_term


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        (datetime(2026, 9, 1, 8, tzinfo=CHINA), datetime(2027, 2, 1, tzinfo=CHINA)),
        (datetime(2026, 11, 23, 10, tzinfo=CHINA), datetime(2027, 2, 1, tzinfo=CHINA)),
        (datetime(2027, 1, 31, 23, 59, tzinfo=CHINA), datetime(2027, 2, 1, tzinfo=CHINA)),
        (datetime(2027, 1, 31, 16, 0, tzinfo=UTC), datetime(2027, 9, 1, tzinfo=CHINA)),  # 1 February over there
        (datetime(2027, 8, 31, 8, tzinfo=CHINA), datetime(2027, 9, 1, tzinfo=CHINA)),
    ],
)
def test_a_term_ends_with_31_january_and_31_august_in_china(moment: datetime, end: datetime) -> None:
    assert end_of_term(moment) == end
