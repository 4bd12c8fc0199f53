import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.sdp import SdpError
from signaling.sdpfrag import Fragment

RESTART = (
    "a=ice-options:trickle ice2\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
    "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
    "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n"
    "a=end-of-candidates\r\n"
)


def test_a_restart_names_its_credentials_and_section() -> None:
    fragment = Fragment.parse(RESTART)
    assert (fragment.ufrag, fragment.pwd) == ("EsAw", "P2uYro0UCOQ4zxjKXaWCBui1")
    assert (fragment.section, fragment.mid) == ("m=audio 9 UDP/TLS/RTP/SAVPF 111", "0")


def test_credentials_may_stand_before_the_sections() -> None:
    fragment = Fragment.parse("a=ice-ufrag:EsAw\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\nm=video 9 RTP/AVP 0\na=mid:v\n")
    assert (fragment.ufrag, fragment.mid) == ("EsAw", "v")


def test_the_answer_is_a_fragment_of_the_same_section() -> None:
    answer = Fragment.parse(RESTART).answer("ours", "o" * 22, ["candidate:1 1 udp 1 192.0.2.9 7000 typ host"])
    again = Fragment.parse(answer)
    assert (again.ufrag, again.pwd, again.section) == ("ours", "o" * 22, "m=audio 9 UDP/TLS/RTP/SAVPF 111")
    assert "a=candidate:1 1 udp 1 192.0.2.9 7000 typ host\r\na=end-of-candidates\r\n" in answer


def test_candidates_alone_are_a_fragment_too() -> None:
    assert Fragment.parse("a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n").ufrag is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n",
        "{}",
        "a=ice-ufrag:EsAw\r\n",
        "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n",
        "a=ice-ufrag:Es\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n",
        "a=ice-ufrag:EsAw\r\na=ice-pwd:short\r\n",
        "a=ice-ufrag:Es Aw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n",
        "a=mid:0\x00\r\n",
    ],
)
def test_what_is_no_fragment_is_refused(text: str) -> None:
    with pytest.raises(SdpError):
        Fragment.parse(text)


@given(st.text())
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    with contextlib.suppress(SdpError):
        Fragment.parse(text)
