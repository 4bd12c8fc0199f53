"""手机遥控 over REST: a ticket for the teacher's page, and a cookie for the phone that brings it.

The ticket stands in the fragment of a QR code and is exchanged once. What the phone keeps is a cookie no page can read,
bound to one lesson and one remote control of it; for each connection it is exchanged for a token that is good for a
moment. Whom a teacher has disconnected the room knows, and does not let in again (PROTOCOL.md, the remote control).
"""

from __future__ import annotations

import secrets
import time
from typing import Annotated

from aiohttp import web
from pydantic import Field, StringConstraints

from server import caller
from server.endpoint import Endpoint, Model, address, read, reply
from server.lessons.api import LESSONS, ROOMS, moment
from server.lessons.grants import Claims, TokenError
from server.lessons.model import Lesson
from server.lessons.store import LessonUnknownError
from server.phones.api import PhoneView, TicketView, WantedTicket, open_room, ticket_view
from server.phones.tickets import Tickets
from server.tries import WrongTries
from signaling.problems import ProblemError
from signaling.rights import may
from signaling.state import person

REMOTE_TICKETS = web.AppKey("remote_tickets", Tickets)
REMOTE_TRIES = web.AppKey("remote_ticket_tries", WrongTries)

MAX_REMOTES = 3  # of one teacher
COOKIE_TIME = 12 * 3600  # seconds: longer than any lesson, with which it ends anyway
TOKEN_TIME = 120.0  # seconds from the cookie to the hello


class Returning(Model):
    lesson_id: Annotated[str, StringConstraints(min_length=1, max_length=16)]
    ticket: Annotated[str, StringConstraints(max_length=64)] = Field(
        "", description="What stood in the fragment; empty: who came before, and shows its cookie"
    )


async def issue(request: web.Request) -> web.Response:
    """The session is what only that teacher's page knows, so it needs to show nothing else."""
    wanted = await read(request, WantedTicket)
    room = open_room(request, request.match_info["lesson_id"])
    known = room.who(wanted.session)
    if known is None or not may(known.role, "remote"):
        raise caller.forbidden("a remote control is for the page of a teacher")
    theirs = [one for one in room.room.state.participants.values() if one.class_id == known.participant_id]
    if len(theirs) >= MAX_REMOTES:
        raise ProblemError(409, "too_many_phones", "This teacher has as many remote controls as they may")
    ticket = request.app[REMOTE_TICKETS].issue(room.lesson_id, known.participant_id, time.monotonic())
    return reply(ticket_view(request, f"/remote/{room.lesson_id}#{ticket}"), 201)


async def enter(request: web.Request) -> web.Response:
    wanted = await read(request, Returning)
    claims = await _brought(request, wanted) if wanted.ticket else _kept(request, wanted.lesson_id)
    lesson = await _going_on(request, claims)
    token, granted = request.app[caller.GRANTS].mint(
        lesson.id,
        "remote_control",
        name=claims.name,
        participant_id=claims.participant_id,
        class_id=claims.class_id,
        ttl=TOKEN_TIME,
    )
    response = reply(
        PhoneView(
            lesson_id=lesson.id,
            title=lesson.title,
            token=token,
            role=granted.role,
            expires_at=moment(granted.expires_at),
        )
    )
    if wanted.ticket:
        _give(request, response, claims)
    return response


async def _brought(request: web.Request, wanted: Returning) -> Claims:
    """What a ticket makes of a phone. Raises ProblemError for one that was used, is too old, or never was."""
    tries = request.app[REMOTE_TRIES]
    async with tries.turn(address(request)):
        ticket = request.app[REMOTE_TICKETS].redeem(wanted.ticket, time.monotonic())
        if ticket is None:
            tries.wrong(address(request))
            raise ProblemError(404, "ticket_unknown", "This code was used before, or is too old")
    if ticket.lesson_id != wanted.lesson_id:
        raise ProblemError(404, "ticket_unknown", "This code is for another lesson")
    teacher = open_room(request, ticket.lesson_id).room.state.participants.get(ticket.owner_id)
    if teacher is None:
        raise ProblemError(409, "teacher_gone", "The teacher whose code this is has left the lesson")
    return Claims(
        ticket.lesson_id,
        "remote_control",
        teacher.name,
        f"r-{secrets.token_hex(8)}",
        0,
        class_id=ticket.owner_id,
    )


def _kept(request: web.Request, lesson_id: str) -> Claims:
    """What the phone's cookie says. Raises ProblemError without one that is for this lesson."""
    try:
        claims = request.app[caller.GRANTS].read(request.cookies.get(_cookie(request), ""), "remote")
    except TokenError:
        claims = None
    if claims is None or claims.lesson_id != lesson_id or claims.participant_id is None:
        raise ProblemError(401, "remote_missing", "This phone is no remote control of this lesson")
    return claims


async def _going_on(request: web.Request, claims: Claims) -> Lesson:
    """The lesson, if it goes on and this phone still belongs to it. Raises ProblemError."""
    try:
        lesson: Lesson = await request.app[LESSONS].get(claims.lesson_id)
    except LessonUnknownError as error:
        raise ProblemError(404, "lesson_unknown", "There is no such lesson") from error
    if lesson.status == "ended":
        raise ProblemError(410, "lesson_ended", "The lesson is over")
    room = request.app[ROOMS].find(lesson.id)
    if room is not None and person(claims.participant_id or "") in room.room.state.removed:
        raise ProblemError(403, "removed", "This remote control was disconnected")
    return lesson


def _give(request: web.Request, response: web.Response, claims: Claims) -> None:
    """Let the phone keep who it is: in a cookie that no other site sends along."""
    kept, _ = request.app[caller.GRANTS].mint(
        claims.lesson_id,
        "remote_control",
        name=claims.name,
        participant_id=claims.participant_id,
        class_id=claims.class_id,
        ttl=COOKIE_TIME,
        kind="remote",
    )
    response.set_cookie(
        _cookie(request),
        kept,
        max_age=COOKIE_TIME,
        path="/",
        secure=request.secure,
        httponly=True,
        samesite="Strict",
    )


def _cookie(request: web.Request) -> str:
    """Over TLS one that no plain connection can set or read (`__Host-`)."""
    return "__Host-tongke_remote" if request.secure else "tongke_remote"


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/lessons/{lesson_id}/remotes",
        issue,
        "A ticket, as a QR code, by which a teacher's own phone becomes a remote control of the lesson",
        body=WantedTicket,
        reply=TicketView,
        status=201,
        codes=("lesson_unknown", "not_allowed", "too_many_phones"),
        open=True,
    ),
    Endpoint(
        "POST",
        "/api/remote/enter",
        enter,
        "A phone exchanges its ticket, once, for a cookie, and that for a token by which it connects",
        body=Returning,
        reply=PhoneView,
        codes=(
            "ticket_unknown",
            "teacher_gone",
            "remote_missing",
            "lesson_unknown",
            "lesson_ended",
            "removed",
            "too_many_tries",
        ),
        open=True,
    ),
)
