"""The key of this installation, which signs grants, archive cookies and room sessions; and the TURN servers' secret."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from server.failure import CannotWorkError

_LEAST = 32  # bytes; RFC 7518 3.2 asks for as much as SHA-256 gives


def load_secret(path: Path) -> bytes:
    """The key in `path`, made on first use and readable by its owner only. Raises CannotWorkError."""
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes().strip()
    except OSError as error:
        raise CannotWorkError(f"The secret file {path} cannot be used: {error.strerror}.") from error
    if len(key) < _LEAST:
        raise CannotWorkError(f"The secret file {path} must hold at least {_LEAST} bytes.")
    return key


def load_turn_secret(path: Path) -> bytes:
    """The secret that the TURN servers have too, never made here. Raises CannotWorkError."""
    try:
        secret = path.read_bytes().strip()  # an editor's last newline is not in coturn's configuration
    except OSError as error:
        raise CannotWorkError(f"The file {path} with the TURN secret cannot be read: {error.strerror}.") from error
    if not secret:
        raise CannotWorkError(f"The file {path} must hold the TURN servers' secret, and is empty.")
    return secret


def derive(key: bytes, purpose: str) -> bytes:
    """A key for one purpose only, so that what is signed for one cannot be shown for another."""
    return hmac.digest(key, f"tongke {purpose}".encode(), hashlib.sha256)


def _make(path: Path) -> None:
    # Written beside and linked into place: two processes that start at once end up with the same key.
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
