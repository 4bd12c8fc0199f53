import contextlib
import datetime
import random
import time
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from media.certificate import Certificate, fingerprint_of
from media.dtls import FIRST_RETRANSMISSION, MTU, TIMEOUT, Dtls
from media.sdp import SessionDescription
from tests.support.captured import CONNECTIONS, captured

OURS, THEIRS = Certificate.generate(), Certificate.generate()

Datagrams = list[bytes]
Link = Callable[[bytes], Datagrams]


def server(fingerprint: str = THEIRS.fingerprint) -> Dtls:
    return Dtls(OURS, (("sha-256", fingerprint),))


def client() -> Dtls:
    return Dtls(THEIRS, (("sha-256", OURS.fingerprint),), "client")


def straight(datagram: bytes) -> Datagrams:
    return [datagram]


def shake(one: Dtls, other: Dtls, link: Link = straight, until: float = 20.0) -> None:
    """Carry datagrams over `link` in virtual time until both are connected or both have failed."""
    now = 0.0
    to_server = [kept for each in one.begin(now) for kept in link(each)]
    to_client: Datagrams = []
    while now < until and not (one.connected and other.connected) and not (one.failed and other.failed):
        answers = [reply for each in to_server for reply in other.receive(each, now)] + other.poll(now)
        requests = [reply for each in to_client for reply in one.receive(each, now)] + one.poll(now)
        to_client = [kept for each in answers for kept in link(each)]
        to_server = [kept for each in requests for kept in link(each)]
        now += 0.02


def test_both_ends_derive_the_same_keys_the_other_way_round() -> None:
    one, other = client(), server()
    shake(one, other)
    assert one.connected
    assert other.connected
    assert (one.keys().local, one.keys().remote) == (other.keys().remote, other.keys().local)
    assert one.keys().local != one.keys().remote


def test_aes_gcm_is_chosen_before_sha1() -> None:
    one, other = client(), server()
    shake(one, other)
    assert other.keys().profile == "AEAD_AES_128_GCM"
    assert len(other.keys().local) == 16 + 12


def test_a_client_that_knows_only_sha1_gets_that() -> None:
    connection = raw_client(b"SRTP_AES128_CM_SHA1_80")
    other = Dtls(OURS, (("sha-256", THEIRS.fingerprint),))
    shake_raw(connection, other)
    assert other.keys().profile == "AES128_CM_SHA1_80"
    assert len(other.keys().local) == 16 + 14


def test_a_client_without_srtp_fails() -> None:
    other = Dtls(OURS, (("sha-256", THEIRS.fingerprint),))
    shake_raw(raw_client(None), other)
    assert other.failed
    assert not other.connected


def test_a_certificate_that_the_sdp_did_not_announce_fails() -> None:
    one, other = client(), server(fingerprint=OURS.fingerprint)
    shake(one, other)
    assert other.failed
    assert one.failed  # it was told
    assert not other.connected
    assert not one.connected
    assert other.receive(b"\x16anything", 1.0) == []


def test_no_datagram_is_larger_than_a_path_carries() -> None:
    sizes: list[int] = []

    def measure(datagram: bytes) -> Datagrams:
        sizes.append(len(datagram))
        return [datagram]

    shake(client(), server(), measure)
    assert max(sizes) <= MTU


@pytest.mark.parametrize(("browser", "direction"), CONNECTIONS)
def test_a_browsers_hello_comes_in_two_datagrams_and_is_answered_after_the_second(browser: str, direction: str) -> None:
    first, second = captured(browser, direction).dtls[:2]
    other = server()
    assert other.receive(first, 0.0) == []
    flight = other.receive(second, 0.01)
    assert flight
    assert not other.failed
    assert flight[0][0] == 22  # handshake
    assert flight[0][13] == 2  # ServerHello


@pytest.mark.parametrize(("browser", "direction"), CONNECTIONS)
def test_the_halves_of_a_hello_may_come_in_either_order(browser: str, direction: str) -> None:
    first, second = captured(browser, direction).dtls[:2]
    other = server()
    assert other.receive(second, 0.0) == []
    assert other.receive(first, 0.01)


def test_the_fingerprint_of_a_real_offer_is_taken_as_it_is() -> None:
    offer = SessionDescription.parse(captured("firefox").offer)
    assert Dtls(OURS, tuple(offer.fingerprints)).poll(0.0) == []


@pytest.mark.parametrize("seed", range(12))
def test_a_third_of_all_datagrams_lost_only_delays_the_handshake(seed: int) -> None:
    chance = random.Random(seed)
    first_flights = 60  # then the link is good: a last flight lost is OpenSSL's business, see below

    def lossy(datagram: bytes) -> Datagrams:
        nonlocal first_flights
        first_flights -= 1
        last = datagram[0] == 20  # a server's last flight starts with ChangeCipherSpec
        return [] if first_flights > 0 and not last and chance.random() < 0.33 else [datagram]

    one, other = client(), server()
    shake(one, other, lossy)
    assert one.connected
    assert other.connected


def test_a_lost_last_flight_is_repeated_when_the_client_repeats_its_own() -> None:
    connection, other = raw_client(b"SRTP_AEAD_AES_128_GCM"), server()
    replies: Datagrams = []
    while not other.connected:
        for reply in replies:
            connection.bio_write(reply)
        with contextlib.suppress(SSL.WantReadError):
            connection.do_handshake()
        replies = other.receive(connection.bio_read(65536), 0.0)
    time.sleep(1.05)  # OpenSSL's clients wait so long, by the real clock
    assert connection.DTLSv1_handle_timeout()
    for reply in other.receive(connection.bio_read(65536), 1.05):
        connection.bio_write(reply)
    connection.do_handshake()  # raises if it is not done


def test_datagrams_that_come_twice_and_in_disorder_do_no_harm() -> None:
    chance = random.Random(7)
    held: Datagrams = []

    def disorder(datagram: bytes) -> Datagrams:
        held.append(datagram)
        if chance.random() < 0.5:
            return []
        out, held[:] = [*held, *held], []
        chance.shuffle(out)
        return out

    one, other = client(), server()
    shake(one, other, disorder)
    assert one.connected
    assert other.connected


def test_a_flight_is_repeated_after_150_ms_and_then_less_and_less_often() -> None:
    one = client()
    flight = one.begin(0.0)
    assert one.poll(FIRST_RETRANSMISSION - 0.01) == []
    assert one.poll(FIRST_RETRANSMISSION) == flight
    assert one.poll(FIRST_RETRANSMISSION * 2) == []
    assert one.poll(FIRST_RETRANSMISSION * 3) == flight


def test_a_handshake_that_takes_thirty_seconds_has_failed() -> None:
    other = server()
    other.poll(5.0)
    other.poll(5.0 + TIMEOUT - 0.1)
    assert not other.failed
    other.poll(5.0 + TIMEOUT)
    assert other.failed


def test_a_client_begins_once_and_a_server_never() -> None:
    one = client()
    assert one.begin(0.0)
    assert one.begin(1.0) == []
    assert server().begin(0.0) == []


def test_a_goodbye_closes_both_ends() -> None:
    one, other = client(), server()
    shake(one, other)
    for datagram in one.close():
        other.receive(datagram, 1.0)
    assert one.closed
    assert other.closed
    assert other.close() == []
    assert one.close() == []


def test_a_forged_goodbye_closes_nothing() -> None:
    one, other = client(), server()
    shake(one, other)
    plain_alert = b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x01\x00"
    other.receive(plain_alert, 1.0)
    other.receive(b"\x15\xfe\xfd\x00\x01" + bytes(5) + b"\x09\x00\x1a" + bytes(26), 1.0)
    assert not other.closed
    assert other.connected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=6))
def test_no_bytes_make_it_raise(datagrams: list[bytes]) -> None:
    other = server()
    for datagram in datagrams:
        other.receive(b"\x16" + datagram, 0.0)
        other.poll(0.1)
    other.close()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1), st.integers(0, 1500), st.integers(0, 255))
def test_no_damage_to_a_real_hello_makes_it_raise(which: int, at: int, value: int) -> None:
    datagrams = [bytearray(each) for each in captured("chromium").dtls[:2]]
    datagrams[which][at % len(datagrams[which])] = value
    other = server()
    for datagram in datagrams:
        other.receive(bytes(datagram), 0.0)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=100))
def test_no_bytes_after_the_handshake_disturb_it(datagram: bytes) -> None:
    other = _connected()
    other.receive(b"\x16" + datagram, 1.0)
    assert other.connected
    assert not other.closed


_ends: list[Dtls] = []


def _connected() -> Dtls:
    if not _ends:
        _ends.extend((client(), server()))
        shake(_ends[0], _ends[1])
    return _ends[1]


def raw_client(profiles: bytes | None) -> SSL.Connection:
    """Another's DTLS client, as far from ours as OpenSSL allows."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.use_certificate(THEIRS.x509)
    context.use_privatekey(THEIRS.key)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    context.set_options(SSL.OP_NO_QUERY_MTU)
    if profiles is not None:
        context.set_tlsext_use_srtp(profiles)
    connection = SSL.Connection(context, None)
    connection.set_ciphertext_mtu(MTU)
    connection.set_connect_state()
    return connection


def shake_raw(connection: SSL.Connection, other: Dtls) -> None:
    for _ in range(6):
        with contextlib.suppress(SSL.Error):
            connection.do_handshake()
        try:
            datagram = connection.bio_read(65536)
        except SSL.Error:
            return
        for reply in other.receive(datagram, 0.0):
            connection.bio_write(reply)


def another(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> tuple[SSL.Connection, str]:
    """A client with a certificate of another kind than ours, and its fingerprint."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "another")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    context = SSL.Context(SSL.DTLS_METHOD)
    context.use_certificate(made)
    context.use_privatekey(key)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    context.set_options(SSL.OP_NO_QUERY_MTU)
    context.set_tlsext_use_srtp(b"SRTP_AEAD_AES_128_GCM")
    connection = SSL.Connection(context, None)
    connection.set_ciphertext_mtu(MTU)
    connection.set_connect_state()
    return connection, fingerprint_of(made)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(lambda: ec.generate_private_key(ec.SECP256R1()), id="P-256"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP384R1()), id="P-384"),
        pytest.param(lambda: rsa.generate_private_key(65537, 2048), id="RSA-2048"),
    ],
)
def test_clients_with_any_usual_kind_of_certificate_are_let_in(
    key: Callable[[], ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey],
) -> None:
    connection, fingerprint = another(key())
    other = server(fingerprint)
    shake_raw(connection, other)
    assert other.connected


@pytest.mark.parametrize("disorder", [False, True])
def test_a_hello_in_many_fragments_is_put_together(disorder: bool) -> None:
    connection = raw_client(b"SRTP_AEAD_AES_128_GCM")
    with contextlib.suppress(SSL.WantReadError):
        connection.do_handshake()
    fragments = fragmented(connection.bio_read(65536), 40)
    assert len(fragments) > 4
    if disorder:
        fragments = [*fragments[::-1], *fragments]  # and every one of them twice
    other = server()
    flights = [other.receive(fragment, 0.0) for fragment in fragments]
    assert any(flights)
    assert not other.failed


def fragmented(record: bytes, size: int) -> Datagrams:
    """A handshake record with one message cut into records of `size` bytes of it (RFC 6347 section 4.2.3)."""
    message = record[13:]
    head, body = message[:12], message[12:]
    found = []
    for number, at in enumerate(range(0, len(body), size)):
        part = body[at : at + size]
        fragment = head[:6] + at.to_bytes(3, "big") + len(part).to_bytes(3, "big") + part
        found.append(record[:5] + number.to_bytes(6, "big") + len(fragment).to_bytes(2, "big") + fragment)
    return found
