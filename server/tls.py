"""TLS for the HTTPS listener: the certificate that was given, or a self-signed one for the LAN, made at first start."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from server.failure import CannotWorkError
from server.settings import Settings

LIFETIME = timedelta(days=730)  # browsers ask about a self-signed certificate once and then keep the exception
RENEW_BEFORE = timedelta(days=14)


def files(settings: Settings) -> tuple[Path, Path]:
    """Where certificate and key are."""
    if settings.tls_cert and settings.tls_key:
        return settings.tls_cert, settings.tls_key
    return settings.data / "tls" / "cert.pem", settings.data / "tls" / "key.pem"


def server_context(settings: Settings, addresses: Iterable[str]) -> ssl.SSLContext:
    """The context of the HTTPS listener. Raises CannotWorkError."""
    certificate, key = files(settings)
    if settings.tls_cert is None and not _good(certificate, key):
        try:
            make_self_signed(certificate, key, [*addresses, *settings.public_ip])
        except OSError as error:
            raise CannotWorkError(f"The certificate {certificate} cannot be written: {error.strerror}.") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise CannotWorkError(f"The TLS certificate {certificate} with key {key} cannot be used: {error}.") from error
    return context


def make_self_signed(certificate: Path, key: Path, addresses: Iterable[str]) -> None:
    """Write a certificate for this machine's names and addresses, and its key. Raises OSError."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    host = socket.gethostname()[:64]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Tongke {host}"[:64])])
    ips = sorted({"127.0.0.1", "::1", *addresses})
    names: list[x509.GeneralName] = [x509.DNSName(text) for text in sorted({"localhost", host}) if text.isascii()]
    names += [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ips]
    start = datetime.now(UTC) - timedelta(days=1)  # school machines' clocks are a little slow
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.parent.mkdir(parents=True, exist_ok=True)
    key.unlink(missing_ok=True)
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))


def expires(certificate: Path) -> datetime:
    """When a certificate ends. Raises OSError and ValueError."""
    from cryptography import x509

    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


def names(certificate: Path) -> set[str]:
    """The host names and addresses a certificate is for. Raises OSError and ValueError."""
    from cryptography import x509

    parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
    found: set[str] = set()
    with contextlib.suppress(x509.ExtensionNotFound):
        alternative = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found |= set(alternative.get_values_for_type(x509.DNSName))
        found |= {str(ip) for ip in alternative.get_values_for_type(x509.IPAddress)}
    return found


def _good(certificate: Path, key: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return key.is_file() and expires(certificate) - datetime.now(UTC) > RENEW_BEFORE
    return False
