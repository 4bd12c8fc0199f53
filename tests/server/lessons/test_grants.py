import base64
import json
import time

import jwt
import pytest

from server.lessons.grants import Grants, TokenError

KEY = b"k" * 64


def code_of(token: str, grants: Grants | None = None) -> str:
    with pytest.raises(TokenError) as raised:
        (grants or Grants(KEY)).read(token)
    return raised.value.code


def test_a_grant_says_what_it_was_made_with() -> None:
    token, claims = Grants(KEY).mint("l1", "receiving_class", name="六(2)班", participant_id="c-1", ttl=60)
    assert Grants(KEY).read(token) == claims
    assert (claims.lesson_id, claims.role, claims.name, claims.participant_id) == (
        "l1",
        "receiving_class",
        "六(2)班",
        "c-1",
    )


def test_a_grant_ends() -> None:
    token, _ = Grants(KEY).mint("l1", "observer", ttl=-1)
    assert code_of(token) == "token_expired"


def test_a_grant_of_another_installation_opens_nothing() -> None:
    token, _ = Grants(b"x" * 64).mint("l1", "observer")
    assert code_of(token) == "token_invalid"


def test_a_token_without_signature_opens_nothing() -> None:
    claims = {"lesson": "l1", "role": "admin", "kind": "grant", "exp": time.time() + 60}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "none"}, claims)]
    assert code_of((b".".join(parts) + b".").decode()) == "token_invalid"


def test_an_archive_cookie_is_no_grant() -> None:
    token, _ = Grants(KEY).mint("l1", "observer", kind="archive")
    assert code_of(token) == "token_invalid"
    assert Grants(KEY).read(token, "archive").lesson_id == "l1"


@pytest.mark.parametrize(
    "change",
    [{"role": "headmaster"}, {"lesson": 7}, {"exp": None}, {"kind": "other"}, {"name": ["x"]}, {"exp": "tomorrow"}],
)
def test_claims_of_another_form_are_refused(change: dict[str, object]) -> None:
    claims = {"lesson": "l1", "role": "observer", "kind": "grant", "exp": int(time.time()) + 60, **change}
    token = jwt.encode({name: value for name, value in claims.items() if value is not None}, KEY, "HS256")
    assert code_of(token) == "token_invalid"


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "eyJ", "\x00", "🙂" * 100, "x" * 70000])
def test_text_that_is_no_token_is_refused(text: str) -> None:
    assert code_of(text) == "token_invalid"
