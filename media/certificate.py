"""A certificate for DTLS: ECDSA P-256, self-signed, made at start and never stored.

Nobody verifies a chain in WebRTC: the fingerprint in the SDP vouches for the certificate (RFC 8122, RFC 8827).
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import crypto

_DIGESTS = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}  # as SDP and as OpenSSL call them
_LIFETIME = datetime.timedelta(days=365)  # a worker that runs longer has other problems; browsers do not look


@dataclass(frozen=True, slots=True)
class Certificate:
    """A key and the certificate that goes with it."""

    key: ec.EllipticCurvePrivateKey
    x509: x509.Certificate
    fingerprint: str  # sha-256, "AA:BB:…"

    @classmethod
    def generate(cls) -> Certificate:
        """A fresh one. The name in it is random: it must not tell one school's server from another's."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(8))])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))  # class PCs with a clock that is behind
            .not_valid_after(now + _LIFETIME)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate, fingerprint_of(certificate))


class Rotation:
    """The certificate of a process, replaced every month by a fresh one.

    A transport takes one when it is made and keeps it: its fingerprint stands in the answers the browser has.
    """

    PERIOD = 30 * 24 * 3600.0  # seconds; browsers keep their own as long

    def __init__(self, first: Certificate, generate: Callable[[], Certificate] | None = None) -> None:
        self._certificate = first
        self._generate = generate or Certificate.generate
        self._until: float | None = None  # seconds, monotonic; from the first use on

    def current(self, now: float) -> Certificate:
        """The one for a new transport. Making a fresh one takes a few milliseconds, once a month."""
        if self._until is None:
            self._until = now + self.PERIOD
        elif now >= self._until:
            self._certificate = self._generate()
            self._until = now + self.PERIOD
        return self._certificate


def fingerprint_of(certificate: x509.Certificate) -> str:
    """The certificate's sha-256 fingerprint as SDP writes it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def vouched_for(certificate: crypto.X509, fingerprints: tuple[tuple[str, str], ...]) -> bool:
    """Whether one of the `(algorithm, value)` pairs of an SDP is this certificate's (RFC 8122 section 5). Never raises.

    OpenSSL computes the digest over the bytes as they came: a stranger's certificate need not be parsed for this.
    """
    return any(
        algorithm.lower() in _DIGESTS and certificate.digest(_DIGESTS[algorithm.lower()]) == value.upper().encode()
        for algorithm, value in fingerprints
    )
