"""How many days lessons of which kind are kept. Apart from retention.py: settings know it without the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, get_args

from server.lessons.kinds import LessonKind

MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Lessons of a kind (None: of every kind that has no rule of its own) are kept for so many days; 0: for ever."""

    kind: LessonKind | None
    days: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """A rule from `lecture=90` or, for all other kinds, `365`. Raises ValueError."""
        name, sign, days = text.strip().rpartition("=")
        kind = next((one for one in get_args(LessonKind) if one == name), None)
        if bool(sign) != (kind is not None) or not (days.isascii() and days.isdecimal() and int(days) <= MOST_DAYS):
            raise ValueError(text)
        return cls(kind, int(days))

    def __str__(self) -> str:
        return f"{self.kind}={self.days}" if self.kind else str(self.days)


def kinds_by_days(rules: Sequence[RetentionRule]) -> dict[int, list[LessonKind]]:
    """Which kinds are kept for how many days; those kept for ever are left out. The last rule of a kind counts."""
    days = {rule.kind: rule.days for rule in rules}
    found: dict[int, list[LessonKind]] = {}
    for kind in get_args(LessonKind):
        if kept := days.get(kind, days.get(None, 0)):
            found.setdefault(kept, []).append(kind)
    return found
