"""When a term ends, as far as consent goes: on 31 January and on 31 August, wherever the school is in China."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))  # one time for the whole country


def end_of_term(moment: datetime) -> datetime:
    """The first moment after the term of this one: midnight after 31 January or 31 August."""
    there = moment.astimezone(CHINA)
    ends = (datetime(there.year, 2, 1, tzinfo=CHINA), datetime(there.year, 9, 1, tzinfo=CHINA))
    following = datetime(there.year + 1, 2, 1, tzinfo=CHINA)
    return next((end for end in ends if there < end), following)
