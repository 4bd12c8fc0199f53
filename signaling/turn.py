"""Which STUN and TURN servers a participant may use, with credentials that end by themselves.

The relay is coturn's business; all we share with it is a secret (its `use-auth-secret`;
draft-uberti-behave-turn-rest-00 section 2.2). Whoever knows the secret can make credentials, so it stays here, and
participants get what is made of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from urllib.parse import quote

from signaling.messages import IceServer

LIFETIME = 12 * 3600  # seconds: a whole school day, so that nobody's relay ends in mid-lesson
MAX_NAME = 256  # characters; a TURN username has at most 508 bytes (RFC 8489 section 14.3)

IceServers = Callable[[str], Sequence[IceServer]]  # for the participant with this id, from now on


def no_ice_servers(participant_id: str) -> Sequence[IceServer]:
    """Nothing configured: participants reach our UDP port or nothing."""
    return ()


def ice_servers(urls: Sequence[str], secret: bytes, participant_id: str, now: float) -> tuple[IceServer, ...]:
    """What a participant may use of the configured `stun:`, `turn:` and `turns:` URLs; `now` in seconds since 1970."""
    open_to_all = tuple(url for url in urls if url.startswith("stun:"))
    relays = tuple(url for url in urls if not url.startswith("stun:"))
    found = [IceServer(open_to_all)] if open_to_all else []
    if relays:
        found.append(IceServer(relays, *credentials(secret, participant_id, now)))
    return tuple(found)


def credentials(secret: bytes, participant_id: str, now: float) -> tuple[str, str]:
    """Username and credential of a participant, good until `now` plus LIFETIME."""
    # Our own ids stay as they are. An id chosen by whoever signed the grant may hold a colon, which separates, or what
    # no header and no SASLprep lets through.
    name = quote(participant_id, safe="", errors="replace")[:MAX_NAME]
    username = f"{int(now) + LIFETIME}:{name}"
    return username, base64.b64encode(hmac.digest(secret, username.encode(), hashlib.sha1)).decode()
