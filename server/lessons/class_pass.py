"""What a browser keeps of the code a class came with: a cookie that a page can neither read nor show.

The code stands in the fragment of an address once; from then on the browser is known by its pass, and returns to its
lesson, or a class of the list to whichever of its lessons is on, without anybody typing.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import jwt
from aiohttp import web

PASS_TIME = 30 * 86400  # seconds; renewed with every lesson
_TAG = 10  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class ClassPass:
    """`device` is random and says which browser it is, to nobody but us."""

    device: str
    lesson_id: str | None = None  # whose code was typed last
    class_group_id: str | None = None  # whose own code it was
    code_tag: str | None = None  # of that code: who has only an old one stays out
    doubted: str | None = None  # the lesson whose code it may have guessed: there it waits at the door


class ClassPasses:
    """Makes and reads passes with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def tag(self, *words: str) -> str:
        """A short name for these words that tells nothing about them and means nothing elsewhere."""
        return hmac.digest(self._key, "\n".join(words).encode(), sha256).hex()[:_TAG]

    def read(self, request: web.Request) -> ClassPass:
        """The pass of this browser; a new one for a browser that has none, or one not to be believed."""
        try:
            payload = jwt.decode(
                request.cookies.get(_cookie(request), ""), self._key, algorithms=["HS256"], options={"require": ["exp"]}
            )
        except (jwt.InvalidTokenError, UnicodeError):
            payload = {}
        device, *rest = (payload.get(claim) for claim in ("dev", "lesson", "class", "code", "doubt"))
        if not isinstance(device, str) or not all(isinstance(one, str | None) for one in rest):
            return ClassPass(secrets.token_hex(8))
        return ClassPass(device, *rest)

    def give(self, request: web.Request, response: web.Response, known: ClassPass) -> None:
        """Let the browser keep this pass."""
        payload: dict[str, Any] = {"dev": known.device, "exp": int(time.time()) + PASS_TIME}
        for claim, value in (
            ("lesson", known.lesson_id),
            ("class", known.class_group_id),
            ("code", known.code_tag),
            ("doubt", known.doubted),
        ):
            if value is not None:
                payload[claim] = value
        response.set_cookie(
            _cookie(request),
            jwt.encode(payload, self._key, algorithm="HS256"),
            max_age=PASS_TIME,
            path="/",
            secure=request.secure,
            httponly=True,
            samesite="Lax",
        )


PASSES = web.AppKey("class_passes", ClassPasses)


def _cookie(request: web.Request) -> str:
    """Over TLS one that no plain connection can set or read (`__Host-`)."""
    return "__Host-tongke_class" if request.secure else "tongke_class"
