import pytest

from signaling.grants import Grant, GrantError, verify_for


def test_a_grant_is_for_one_lesson() -> None:
    grant = Grant("l-1", "observer", None, None, 0.0)
    assert verify_for(lambda token: grant, "x", "l-1") is grant
    with pytest.raises(GrantError) as caught:
        verify_for(lambda token: grant, "x", "l-2")
    assert caught.value.code == "token_foreign"


def test_researchers_and_administrators_are_observers_in_the_room() -> None:
    assert Grant("l-1", "researcher", None, None, 0.0).room_role == "observer"
    assert Grant("l-1", "admin", None, None, 0.0).room_role == "observer"
    assert Grant("l-1", "local_teacher", None, None, 0.0).room_role == "local_teacher"
