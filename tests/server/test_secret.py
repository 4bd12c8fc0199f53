from pathlib import Path

import pytest

from server.failure import CannotWorkError
from server.secret import derive, load_secret, load_turn_secret


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


def test_the_turn_secret_is_read_without_the_newline_of_an_editor(tmp_path: Path) -> None:
    path = tmp_path / "turn.secret"
    path.write_text("north wind\n")
    assert load_turn_secret(path) == b"north wind"


def test_a_turn_secret_that_is_not_there_is_named_and_never_made(tmp_path: Path) -> None:
    path = tmp_path / "turn.secret"
    with pytest.raises(CannotWorkError, match="cannot be read"):
        load_turn_secret(path)
    assert not path.exists()
    path.write_text("\n")
    with pytest.raises(CannotWorkError, match="is empty"):
        load_turn_secret(path)
