"""Why Tongke cannot work, in one plain sentence for the person who started it."""

from __future__ import annotations

EXIT_CODE = 78  # sysexits.h EX_CONFIG: a child that ends with it has said why and need not be started again


class CannotWorkError(Exception):
    """Something outside the program must be put right first; the text says what, in one sentence."""
