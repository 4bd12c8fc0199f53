import aioice.stun
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from media import stun
from tests.support.captured import CONNECTIONS, captured

TRANSACTION = bytes(range(12))


def checks() -> list[tuple[bytes, bytes, str]]:
    """Every captured check with the password and the ufrag it was made for."""
    found = []
    for browser, direction in [*CONNECTIONS, ("ffmpeg", "send")]:
        capture = captured(browser, direction)
        found += [(check, capture.pwd.encode(), capture.ufrag) for check in capture.checks]
    return found


@pytest.mark.parametrize(("check", "password", "ufrag"), checks())
def test_a_browsers_check_is_read_as_an_independent_reader_reads_it(check: bytes, password: bytes, ufrag: str) -> None:
    message, other = stun.parse(check), aioice.stun.parse_message(check)
    assert message is not None
    assert message.transaction_id == other.transaction_id
    assert message.username == other.attributes["USERNAME"]
    assert message.use_candidate == ("USE-CANDIDATE" in other.attributes)
    assert not message.controlled
    assert not message.unknown
    assert message.is_signed_with(password)
    assert not message.is_signed_with(password[:-1])
    assert stun.ufrag_of(check) == ufrag


@pytest.mark.parametrize("host", ["203.0.113.9", "2001:db8::7", "::ffff:203.0.113.9", "fe80::1%eth0"])
def test_a_response_tells_the_address_it_was_seen_with(host: str) -> None:
    data = stun.response(TRANSACTION, host, 50123, b"secret")
    message = aioice.stun.parse_message(data)  # checks the fingerprint
    expected = {"::ffff:203.0.113.9": "203.0.113.9", "fe80::1%eth0": "fe80::1"}.get(host, host)
    assert message.message_class == aioice.stun.Class.RESPONSE
    assert message.attributes["XOR-MAPPED-ADDRESS"] == (expected, 50123)
    assert message.check_message_integrity(b"secret")


@pytest.mark.parametrize("code", [400, 401, 420, 487])
def test_an_error_response_carries_its_code(code: int) -> None:
    message = aioice.stun.parse_message(stun.error(TRANSACTION, code, b"secret", (0x0033,) if code == 420 else ()))
    assert message.message_class == aioice.stun.Class.ERROR
    assert message.error_code == code
    assert message.check_message_integrity(b"secret")


def test_an_error_response_without_a_password_is_not_signed() -> None:
    message = stun.parse(stun.error(TRANSACTION, 401))
    assert message is not None
    assert message.integrity is None


def test_a_request_we_make_is_read_back() -> None:
    data = stun.request("ours:theirs", b"secret", TRANSACTION, priority=1, use_candidate=True)
    message = stun.parse(data)
    assert message is not None
    assert (message.username, message.use_candidate) == ("ours:theirs", True)
    assert message.is_signed_with(b"secret")
    assert aioice.stun.parse_message(data).check_message_integrity(b"secret")


def test_an_attribute_behind_the_integrity_is_not_believed() -> None:
    request = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST, TRANSACTION)
    request.attributes["USERNAME"] = "ours:theirs"
    request.add_message_integrity(b"secret")
    del request.attributes["FINGERPRINT"]
    request.attributes["USE-CANDIDATE"] = None
    message = stun.parse(bytes(request))
    assert message is not None
    assert message.is_signed_with(b"secret")
    assert not message.use_candidate


def test_an_unknown_attribute_that_must_be_understood_is_named() -> None:
    attribute = b"\x00\x33\x00\x02ab\x00\x00"
    data = stun.request("a:b", b"secret", TRANSACTION, priority=1, use_candidate=False)
    body = attribute + data[20:-8]
    message = stun.parse(data[:2] + len(body).to_bytes(2, "big") + data[4:20] + body)
    assert message is not None
    assert message.unknown == (0x0033,)


def test_a_wrong_fingerprint_makes_it_no_message() -> None:
    data = bytearray(stun.request("a:b", b"secret", TRANSACTION, priority=1, use_candidate=False))
    data[-1] ^= 1
    assert stun.parse(bytes(data)) is None


def test_a_truncated_check_is_no_message() -> None:
    check = captured("chromium").checks[0]
    assert all(stun.parse(check[:size]) is None for size in range(len(check)))
    for size in range(len(check)):
        stun.ufrag_of(check[:size])


@given(st.binary(max_size=200))
@example(b"")
@example(b"\x00\x01\x00\x04\x21\x12\xa4\x42" + TRANSACTION + b"\x00\x06\xff\xff")
@example(b"\x00\x01\x00\x08\x21\x12\xa4\x42" + TRANSACTION + b"\x00\x06\x00\x03\xff:\xff\x00")
def test_no_bytes_make_it_raise(data: bytes) -> None:
    stun.parse(data)
    stun.ufrag_of(data)


@given(st.data())
def test_no_damage_to_a_real_check_makes_it_raise(data: st.DataObject) -> None:
    check = bytearray(captured("firefox").checks[0])
    for _ in range(data.draw(st.integers(1, 6))):
        check[data.draw(st.integers(0, len(check) - 1))] = data.draw(st.integers(0, 255))
    stun.parse(bytes(check))
    stun.ufrag_of(bytes(check))


@given(
    st.lists(
        st.tuples(st.sampled_from([0x0006, 0x0008, 0x0020, 0x0025, 0x8028, 0x8029, 0x0033]), st.binary(max_size=40))
    )
)
def test_no_attributes_make_it_raise(attributes: list[tuple[int, bytes]]) -> None:
    body = b"".join(
        name.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) & 3)
        for name, value in attributes
    )
    head = b"\x00\x01" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + TRANSACTION
    message = stun.parse(head + body)
    assert message is None or isinstance(message, stun.Message)
    stun.ufrag_of(head + body)
