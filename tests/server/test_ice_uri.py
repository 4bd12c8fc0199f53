import pytest

from server.ice_uri import IceUri


@pytest.mark.parametrize(
    ("text", "host", "port", "transport"),
    [
        ("turn:turn.example.org", "turn.example.org", 3478, "udp"),
        ("turn:turn.example.org:3478?transport=udp", "turn.example.org", 3478, "udp"),
        ("turn:192.0.2.1:80?transport=tcp", "192.0.2.1", 80, "tcp"),
        ("turns:turn.example.org", "turn.example.org", 5349, "tls"),
        ("turns:turn.example.org:443?transport=tcp", "turn.example.org", 443, "tls"),
        ("turns:turn.example.org?transport=udp", "turn.example.org", 5349, "dtls"),
        ("stun:[2001:db8::1]:3478", "2001:db8::1", 3478, "udp"),
    ],
)
def test_an_address_is_taken_apart_and_put_together_again(text: str, host: str, port: int, transport: str) -> None:
    uri = IceUri.parse(text)
    assert (uri.host, uri.port, uri.transport) == (host, port, transport)
    assert str(uri) == text
    assert uri.relays == text.startswith("turn")


def test_case_means_nothing() -> None:
    assert IceUri.parse("TURN:Turn.Example.ORG?transport=UDP") == IceUri.parse("turn:turn.example.org?transport=udp")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "turn.example.org",
        "turn:",
        "turn://turn.example.org",
        "turn:user@turn.example.org",
        "turn:turn.example.org:0",
        "turn:turn.example.org:65536",
        "turn:turn.example.org?transport=sctp",
        "stun:turn.example.org?transport=udp",
        "stuns:turn.example.org",
        "https://turn.example.org",
        "turn:[1::2::3]",
        "turn:课堂.example",
        'turn:a"b',
        "turn:a>;b",
        "turn:turn.example.org\n",
        "turn:turn.example.org:٣٤",
    ],
)
def test_what_a_browser_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as raised:
        IceUri.parse(text)
    assert str(raised.value) == text
