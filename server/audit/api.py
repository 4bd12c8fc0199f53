"""The audit trail over REST, for administrators: GET /api/audit."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web
from pydantic import Field

from server import caller
from server.audit.trail import Trail
from server.endpoint import Endpoint, Model, reply
from signaling.problems import ProblemError

TRAIL = web.AppKey("audit_trail", Trail)

PAGE = 100  # entries in one answer unless asked for another number


class AuditView(Model):
    audit_id: int
    at: datetime
    actor: str
    actor_role: str
    action: str
    lesson_id: str
    title: str
    detail: str


class AuditList(Model):
    entries: tuple[AuditView, ...]
    next: int | None = Field(None, description="Give it as `before` to get older ones; null at the end")


async def trail(request: web.Request) -> web.Response:
    """Newest first."""
    who = await caller.require(request)
    if not who.administers:
        raise caller.forbidden("the audit trail is for administrators")
    limit = _number(request, "limit", 500) or PAGE
    found = await request.app[TRAIL].page(
        limit + 1, _number(request, "before", 2**53), (request.query.get("lesson_id") or "")[:16] or None
    )
    shown = tuple(
        AuditView(
            audit_id=one.id,
            at=one.at,
            actor=one.actor,
            actor_role=one.actor_role,
            action=one.action,
            lesson_id=one.lesson_id,
            title=one.title,
            detail=one.detail,
        )
        for one in found[:limit]
    )
    return reply(AuditList(entries=shown, next=shown[-1].audit_id if len(found) > limit else None))


def _number(request: web.Request, name: str, most: int) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and 1 <= int(text) <= most):
        raise ProblemError(422, "field_invalid", "A field is missing or not of the right form", f"{name}: 1 to {most}")
    return int(text)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/audit",
        trail,
        "Who saw, exported or deleted which recording, newest first (?limit=, ?before=, ?lesson_id=); administrators",
        reply=AuditList,
    ),
)
