import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server import tls
from server.failure import CannotWorkError
from server.settings import Settings


def test_the_certificate_is_made_once_for_all_addresses(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, public_ip=("198.51.100.9",))
    tls.server_context(settings, ["192.0.2.2", "2001:db8::1"])
    certificate, key = tls.files(settings)
    first = certificate.read_bytes()
    tls.server_context(settings, ["192.0.2.3"])
    assert certificate.read_bytes() == first
    assert {"localhost", "127.0.0.1", "::1", "192.0.2.2", "2001:db8::1", "198.51.100.9"} <= tls.names(certificate)
    assert key.stat().st_mode & 0o077 == 0


def test_a_certificate_near_its_end_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=tmp_path)
    certificate, _ = tls.files(settings)
    with monkeypatch.context() as patched:
        patched.setattr(tls, "LIFETIME", tls.RENEW_BEFORE)
        tls.server_context(settings, [])
    assert tls.expires(certificate) - datetime.now(UTC) < tls.RENEW_BEFORE
    tls.server_context(settings, [])
    assert tls.expires(certificate) - datetime.now(UTC) > tls.RENEW_BEFORE


def test_old_protocols_are_not_spoken(tmp_path: Path) -> None:
    assert tls.server_context(Settings(data=tmp_path), []).minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_certificate_that_cannot_be_used_is_one_plain_sentence(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no")
    settings = Settings(data=tmp_path, tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "missing.pem")
    with pytest.raises(CannotWorkError, match="cannot be used") as raised:
        tls.server_context(settings, [])
    assert "\n" not in str(raised.value)
