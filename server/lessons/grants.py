"""Grants: signed statements that whoever shows one has a role in one lesson for a while (JWT, HS256).

Claims: lesson, role, name?, sub? (a participant id), class? (the id of a class that came with its own code), phone_of?
(of a phone: the participant id of its class or teacher), who?, dev?, waits? (see `Claims`), iat, exp, kind. `kind`
keeps a grant from being shown as an archive cookie and the other way round. What a role may do in a room is signaling's
to decide, over REST `caller.py`'s.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import jwt

from signaling.grants import GrantRole as GrantRole

GRANT_ROLES = (
    "lead_teacher",
    "co_teacher",
    "receiving_class",
    "local_teacher",
    "observer",
    "remote_control",
    "researcher",
    "admin",
)
TokenKind = Literal["grant", "archive", "handouts", "slides", "invitation", "remote"]

_TEXTS = ("name", "sub", "class", "phone_of", "who", "dev")  # claims that may be left out

GRANT_TIME = 4 * 3600  # seconds: a morning of lessons; a participant who is in the room stays beyond it


class TokenError(Exception):
    """A token that is not to be believed; `code` is token_invalid or token_expired."""

    def __init__(self, code: Literal["token_invalid", "token_expired"]) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says."""

    lesson_id: str  # empty in an administrator's token that is for no lesson
    role: GrantRole
    name: str | None
    participant_id: str | None
    expires_at: int  # seconds since 1970
    class_group_id: str | None = None  # the class it was given to, if that came with its own code
    class_id: str | None = None  # of a phone: the participant it belongs to, a class or a teacher
    identity: str | None = None  # whom it was given to, an account or a class: one participant on all its devices
    device: str | None = None  # which browser it was given to
    waits: bool = False  # at the door: it opens the waiting page, and nothing else until a teacher lets it in


class Grants:
    """Makes and reads tokens with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mint(
        self,
        lesson_id: str,
        role: GrantRole,
        *,
        name: str | None = None,
        participant_id: str | None = None,
        class_group_id: str | None = None,
        class_id: str | None = None,
        identity: str | None = None,
        device: str | None = None,
        waits: bool = False,
        ttl: float = GRANT_TIME,
        kind: TokenKind = "grant",
    ) -> tuple[str, Claims]:
        """A token good for `ttl` seconds, and what it says."""
        issued = int(time.time())
        claims = Claims(
            lesson_id,
            role,
            name,
            participant_id,
            issued + int(ttl),
            class_group_id,
            class_id,
            identity,
            device,
            waits,
        )
        payload: dict[str, Any] = {
            "kind": kind,
            "lesson": lesson_id,
            "role": role,
            "iat": issued,
            "exp": claims.expires_at,
        }
        texts = (name, participant_id, class_group_id, class_id, identity, device)
        payload |= {claim: text for claim, text in zip(_TEXTS, texts, strict=True) if text is not None}
        if waits:
            payload["waits"] = True
        return jwt.encode(payload, self._key, algorithm="HS256"), claims

    def copy(self, claims: Claims, kind: TokenKind) -> tuple[str, int]:
        """The same as a token of another kind, good as long; and how many seconds that is."""
        left = int(claims.expires_at - time.time())
        made, _ = self.mint(
            claims.lesson_id,
            claims.role,
            name=claims.name,
            participant_id=claims.participant_id,
            class_group_id=claims.class_group_id,
            class_id=claims.class_id,
            identity=claims.identity,
            device=claims.device,
            waits=claims.waits,
            ttl=left,
            kind=kind,
        )
        return made, left

    def read(self, token: str, kind: TokenKind = "grant") -> Claims:
        """What a token says. Raises TokenError."""
        try:
            payload = jwt.decode(
                token, self._key, algorithms=["HS256"], options={"require": ["exp", "lesson", "role", "kind"]}
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenError("token_expired") from error
        except (jwt.InvalidTokenError, UnicodeError) as error:  # UnicodeError: bytes in a header that are no text
            raise TokenError("token_invalid") from error
        lesson_id, role, waits = (payload.get(claim) for claim in ("lesson", "role", "waits"))
        texts = [payload.get(claim) for claim in _TEXTS]
        if (
            payload["kind"] != kind
            or role not in GRANT_ROLES
            or not isinstance(lesson_id, str)
            or not all(isinstance(text, str | None) for text in texts)
            or not isinstance(waits, bool | None)
        ):
            raise TokenError("token_invalid")
        name, participant_id, class_group_id, class_id, identity, device = texts
        return Claims(
            lesson_id,
            role,
            name,
            participant_id,
            int(payload["exp"]),
            class_group_id,
            class_id,
            identity,
            device,
            bool(waits),
        )
