import pytest

from server.accounts.roles import AccountRole
from server.accounts.scope import ALL, Place, may_give

OURS = frozenset({"s1", "s2"})


@pytest.mark.parametrize("role", ALL)
def test_an_administrator_makes_anybody_anything_anywhere(role: AccountRole) -> None:
    assert may_give("admin", (), Place(role, "s9"))
    assert may_give("admin", (), Place(role, None, "张北县"))


@pytest.mark.parametrize(
    ("by", "given"),
    [
        ("teacher", ()),
        ("researcher", ()),
        ("school_admin", ("teacher", "researcher")),
        ("region_admin", ("teacher", "researcher", "school_admin")),
    ],
)
def test_others_make_only_those_below_them_in_the_schools_they_keep(
    by: AccountRole, given: tuple[AccountRole, ...]
) -> None:
    assert tuple(role for role in ALL if may_give(by, OURS, Place(role, "s1"))) == given
    for elsewhere in (Place("teacher", "s9"), Place("teacher"), Place("teacher", "s1", "张北县")):
        assert not may_give(by, OURS, elsewhere)


def test_who_keeps_no_school_makes_nobody() -> None:
    assert not any(may_give("region_admin", frozenset(), Place(role)) for role in ALL)


def test_a_place_has_nothing_that_its_role_has_no_use_for() -> None:
    assert Place("region_admin", "s1", "张北县").tidy() == Place("region_admin", None, "张北县")
    assert Place("teacher", "s1", "张北县").tidy() == Place("teacher", "s1")
