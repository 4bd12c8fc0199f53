"""Lessons: scheduled, live, over; the codes classes enter by, and the grants that let someone in."""
