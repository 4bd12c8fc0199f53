"""Argon2id hashing of passwords, in threads of its own: a login costs 30 ms of CPU and 19 MiB (OWASP's minimum)."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# Two at a time: a burst of logins waits in line and leaves the other cores to the media workers.
_threads = ThreadPoolExecutor(2, thread_name_prefix="password")
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Compared with when the name is unknown, so that the answer takes as long as for a wrong password.
_nobody = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

# Without letters and digits that look alike; read aloud and typed on a projector's keyboard.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


async def hash_password(password: str) -> str:
    """The hash to keep, salt and cost included."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def password_fits(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one; None stands for a user who is not there, and takes as long."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, password_hash or _nobody, password)


def random_password() -> str:
    """A password to print once: 12 characters, 59 bits."""
    letters = [secrets.choice(_ALPHABET) for _ in range(12)]
    return "-".join("".join(letters[at : at + 4]) for at in (0, 4, 8))


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
