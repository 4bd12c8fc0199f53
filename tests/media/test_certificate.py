from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import crypto

from media.certificate import Certificate, Rotation, vouched_for


def test_a_certificate_is_p256_and_signed_by_its_own_key() -> None:
    certificate = Certificate.generate()
    assert isinstance(certificate.key.curve, ec.SECP256R1)
    certificate.x509.verify_directly_issued_by(certificate.x509)


def test_the_fingerprint_is_thirty_two_upper_case_pairs() -> None:
    pairs = Certificate.generate().fingerprint.split(":")
    assert len(pairs) == 32
    assert all(len(pair) == 2 and pair == pair.upper() for pair in pairs)


def test_two_certificates_share_neither_name_nor_fingerprint() -> None:
    one, other = Certificate.generate(), Certificate.generate()
    assert one.fingerprint != other.fingerprint
    assert one.x509.subject != other.x509.subject


def shown(certificate: Certificate) -> crypto.X509:
    """As it appears in a handshake."""
    return crypto.X509.from_cryptography(certificate.x509)


def test_a_fingerprint_in_either_case_vouches_for_its_certificate_and_no_other() -> None:
    one, other = Certificate.generate(), Certificate.generate()
    assert vouched_for(shown(one), (("SHA-256", one.fingerprint.lower()),))
    assert not vouched_for(shown(other), (("sha-256", one.fingerprint),))


def test_one_of_several_fingerprints_is_enough() -> None:
    one, other = Certificate.generate(), Certificate.generate()
    long = one.x509.fingerprint(hashes.SHA512()).hex(":")
    assert vouched_for(shown(one), (("sha-256", other.fingerprint), ("sha-512", long)))


def test_a_digest_that_can_be_forged_vouches_for_nothing() -> None:
    certificate = Certificate.generate()
    weak = certificate.x509.fingerprint(hashes.SHA1()).hex(":")
    assert not vouched_for(shown(certificate), (("sha-1", weak),))


def test_a_certificate_is_replaced_after_a_month_of_use() -> None:
    first, second = Certificate.generate(), Certificate.generate()
    rotation = Rotation(first, lambda: second)
    assert rotation.current(5.0) is first
    assert rotation.current(5.0 + Rotation.PERIOD - 1) is first
    assert rotation.current(5.0 + Rotation.PERIOD) is second
    assert rotation.current(5.0 + 2 * Rotation.PERIOD - 1) is second
