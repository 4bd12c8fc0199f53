import pytest

from signaling.messages import IceServer
from signaling.turn import LIFETIME, MAX_NAME, credentials, ice_servers, no_ice_servers


@pytest.mark.parametrize(
    ("secret", "participant_id", "now", "username", "credential"),
    [  # credentials by `printf '%s' USERNAME | openssl dgst -sha1 -hmac SECRET -binary | base64`
        (b"north wind", "c-7f3a", 1_700_000_000.0, "1700043200:c-7f3a", "bZkzlvk1O7P4StLGajHDMVqt4bo="),
        (b"north wind", "t-7-whip", 0.9, "43200:t-7-whip", "nOuSh3fU9liDZ9aBQkWJHJq8LxI="),
        (b"x", "甲:\n", 0.0, "43200:%E7%94%B2%3A%0A", "Jt1RzOlOQJY8/5hTNCbHUatj21U="),
    ],
)
def test_credentials_are_those_coturn_makes_of_the_same_secret(
    secret: bytes, participant_id: str, now: float, username: str, credential: str
) -> None:
    assert credentials(secret, participant_id, now) == (username, credential)


def test_credentials_outlast_a_school_day() -> None:
    username, _ = credentials(b"secret", "c-1", now=1_000_000.0)
    assert int(username.partition(":")[0]) - 1_000_000 == LIFETIME == 12 * 3600


def test_an_id_of_any_form_gives_a_username_that_turn_can_carry() -> None:
    for participant_id in ("\ud800", "甲" * 1000, ""):
        username, _ = credentials(b"secret", participant_id, now=2e9)
        assert username.isascii()
        assert len(username) <= len("2000043200:") + MAX_NAME


def test_only_relays_come_with_credentials() -> None:
    urls = ("turn:t.example?transport=udp", "stun:t.example", "turns:t.example:443")
    stun, turn = ice_servers(urls, b"north wind", "c-7f3a", 1_700_000_000.0)
    assert stun == IceServer(("stun:t.example",))
    assert turn == IceServer(
        ("turn:t.example?transport=udp", "turns:t.example:443"), "1700043200:c-7f3a", "bZkzlvk1O7P4StLGajHDMVqt4bo="
    )


def test_nothing_configured_is_nothing_told() -> None:
    assert no_ice_servers("c-1") == ()
    assert ice_servers((), b"", "c-1", 0.0) == ()
    assert ice_servers(("stun:t.example",), b"", "c-1", 0.0) == (IceServer(("stun:t.example",)),)
