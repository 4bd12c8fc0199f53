"""Who may make and change which accounts. Pure: roles and places in, yes or no out.

A school's administrator keeps one school, a region's those of its region, as the list of schools names it, to the
letter; both only people below them. Administrators keep everything. A place that is empty gives no rights at all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from server.accounts.roles import AccountRole

ALL: tuple[AccountRole, ...] = ("teacher", "researcher", "school_admin", "region_admin", "admin")
# What an administrator may make of somebody, by the administrator's own role.
GIVES: dict[AccountRole, tuple[AccountRole, ...]] = {
    "school_admin": ("teacher", "researcher"),
    "region_admin": ("teacher", "researcher", "school_admin"),
    "admin": ALL,
}


@dataclass(frozen=True, slots=True)
class Place:
    """What an account is, and where."""

    role: AccountRole
    school_id: str | None = None
    region: str = ""

    def tidy(self) -> Place:
        """Without what its role has no use for: it would come to life when the role is changed back."""
        if self.role == "region_admin":
            return Place(self.role, None, self.region)
        return Place(self.role, self.school_id)


def may_give(role: AccountRole, school_ids: Collection[str], place: Place) -> bool:
    """Whether an administrator of this role, who keeps these schools, may make or change an account in this place."""
    if role == "admin":
        return True
    return place.role in GIVES.get(role, ()) and place.school_id in school_ids and not place.region
