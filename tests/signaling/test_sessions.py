import string

from hypothesis import given
from hypothesis import strategies as st

from signaling.sessions import Sessions

SESSIONS = Sessions(b"secret", "room")


def test_a_session_names_its_participant_to_whoever_has_the_secret() -> None:
    session = SESSIONS.issue("l-1", "c-7f3a")
    assert Sessions(b"secret", "room").name("l-1", session) == "c-7f3a"
    assert set(session) <= set(string.ascii_letters + string.digits + "-_")


def test_a_session_is_good_for_one_lesson_one_secret_and_one_purpose() -> None:
    session = SESSIONS.issue("l-1", "c-7f3a")
    assert SESSIONS.name("l-2", session) is None
    assert Sessions(b"other", "room").name("l-1", session) is None
    assert Sessions(b"secret", "location").name("l-1", session) is None


def test_a_changed_session_is_nobodys() -> None:
    session = SESSIONS.issue("l-1", "c-7f3a")
    for index, letter in enumerate(session[:-1]):
        changed = session[:index] + ("A" if letter != "A" else "B") + session[index + 1 :]
        assert SESSIONS.name("l-1", changed) is None


@given(st.text())
def test_text_nobody_issued_is_nobodys(text: str) -> None:
    assert SESSIONS.name("l-1", text) is None
