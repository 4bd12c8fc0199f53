from pathlib import Path

import pytest

from server.failure import CannotWorkError
from server.secret import derive, load_secret


def test_the_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    key = load_secret(path)
    assert load_secret(path) == key
    assert path.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret.key"]


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_text("hunter2\n")
    with pytest.raises(CannotWorkError, match="at least 32 bytes"):
        load_secret(path)


def test_keys_for_different_purposes_differ() -> None:
    assert derive(b"k" * 32, "one") != derive(b"k" * 32, "other")
