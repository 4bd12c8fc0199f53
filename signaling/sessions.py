"""Opaque names by which a participant, or its WHIP or WHEP transport, is known again.

A session is an id under the server's signature: any process with the same secret knows it, nothing is stored, and
nobody makes one up from the ids that everybody in the room sees.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256

_TAG = 16  # bytes of the signature that are kept


class Sessions:
    """`purpose` keeps kinds of session apart: a WHIP location is no WebSocket session."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._secret = hmac.digest(secret, f"tongke session {purpose}".encode(), sha256)

    def issue(self, lesson_id: str, name: str) -> str:
        """The session of this name, fit for a URL."""
        data = name.encode()
        return base64.urlsafe_b64encode(self._tag(lesson_id, data) + data).rstrip(b"=").decode()

    def name(self, lesson_id: str, session: str) -> str | None:
        """Whose session it is, or None if we never issued it for this lesson."""
        try:
            data = base64.b64decode(session + "=" * (-len(session) % 4), altchars=b"-_", validate=True)
            name = data[_TAG:].decode()
        except (binascii.Error, ValueError):
            return None
        return name if hmac.compare_digest(data[:_TAG], self._tag(lesson_id, data[_TAG:])) else None

    def _tag(self, lesson_id: str, name: bytes) -> bytes:
        return hmac.digest(self._secret, f"{lesson_id}\n".encode() + name, sha256)[:_TAG]
