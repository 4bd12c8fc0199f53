import socket
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server import tls
from server.doctor import machine
from server.doctor.finding import Finding
from server.listeners import local_addresses
from server.settings import Address, Settings


def only(findings: Iterable[Finding], check: str) -> Finding:
    (found,) = [finding for finding in findings if finding.check == check]
    return found


def test_a_folder_that_cannot_be_written_is_bad(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finding = only(machine.data_folder(Settings(data=tmp_path / "file")), "data folder")
    assert finding.status == "bad"


def test_little_room_is_told_in_hours_of_lessons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LESSON_BYTES_PER_HOUR", 1 << 60)
    finding = only(machine.data_folder(Settings(data=tmp_path)), "disk")
    assert finding.status == "bad"
    assert "hours of lessons" in finding.says
    assert finding.do


def test_a_taken_port_is_bad_and_a_free_one_fine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = Address("127.0.0.1", other.getsockname()[1])
        settings = Settings(http=Address("127.0.0.1", 0), https=taken, media_port=0, workers=1)
        findings = list(machine.ports(settings, None))
    assert only(findings, "port http").status == "ok"
    assert only(findings, "port https").status == "bad"
    assert only(findings, "port media").status == "ok"


def test_a_damaged_database_is_bad(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    assert only(machine.database(settings), "database").status == "ok"  # none yet: it will be made
    sqlite3.connect(tmp_path / "tongke.db").execute("CREATE TABLE x (y)").connection.close()
    assert only(machine.database(settings), "database").status == "ok"
    (tmp_path / "tongke.db").write_bytes(b"no database at all" * 100)
    assert only(machine.database(settings), "database").status == "bad"


def test_a_database_that_does_not_answer_is_bad(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, database_url="postgresql://u:geheim@127.0.0.1:1/x")
    finding = only(machine.database(settings), "database")
    assert finding.status == "bad"
    assert "geheim" not in finding.says


def test_a_certificate_of_our_own_is_fine_and_a_broken_one_is_bad(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    tls.server_context(settings, local_addresses())
    assert only(machine.certificate(settings), "tls").status == "ok"
    certificate, _ = tls.files(settings)
    certificate.write_text("nonsense")
    assert only(machine.certificate(settings), "tls").status == "bad"


def test_an_address_the_certificate_does_not_name_is_told(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    tls.make_self_signed(*tls.files(settings), ["198.51.100.9"])
    finding = only(machine.certificate(settings), "tls")
    missing = [ip for ip in local_addresses() if ip not in ("127.0.0.1", "::1")]
    assert finding.status == ("warn" if missing else "ok")
    assert all(ip in finding.says for ip in missing)


def test_an_outer_address_needs_its_ports_forwarded(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, public_ip=("198.51.100.9",), workers=2)
    finding = only(machine.addresses(settings), "addresses")
    assert "UDP and TCP 7000–7001" in finding.do


def test_the_clock_is_told_with_its_zone() -> None:
    assert str(datetime.now(UTC).year) in only(machine.clock(), "clock").says
