"""Phones over REST: a ticket for the class's page, a grant for the phone that brings it, photos in and out."""

from __future__ import annotations

import asyncio
import io
import secrets
import time
from datetime import datetime, timedelta
from typing import Annotated

import segno
from aiohttp import web
from pydantic import Field, StringConstraints

from server import caller
from server.caller import Caller
from server.database import now
from server.endpoint import Endpoint, Model, address, read, reply
from server.lessons.api import LESSONS, ROOMS, GrantView, moment, watchable
from server.lessons.store import LessonUnknownError
from server.phones.photos import Photos
from server.phones.picture_file import NoPictureError
from server.phones.pictures import PictureTooLargeError
from server.phones.tickets import LIFE, Tickets
from server.tries import WrongTries
from signaling.live import LiveRoom
from signaling.problems import ProblemError
from signaling.room import RoomError
from signaling.state import person

TICKETS = web.AppKey("phone_tickets", Tickets)
TICKET_TRIES = web.AppKey("phone_ticket_tries", WrongTries)
PHOTOS = web.AppKey("photos", Photos)
UPLOADS = web.AppKey("photo_uploads", set[str])  # participants that are sending one

MAX_PHOTO = 12 * 1024 * 1024  # bytes
PHOTO_TIME = 90.0  # seconds a phone has to send one: 12 MB at little over 1 Mb/s
MAX_UPLOADS = 8  # at once, of all lessons
MAX_PHONES = 4  # of one class

_CODES = {"not_allowed": 403, "class_gone": 409, "silenced": 403, "too_many_photos": 409, "lesson_ended": 410}


class WantedTicket(Model):
    session: Annotated[str, StringConstraints(min_length=1, max_length=1000)] = Field(
        description="The page's own, from the `welcome` of its room"
    )


class TicketView(Model):
    path: str = Field(description="The phone's page, with the ticket in its fragment")
    qr: str = Field(description="The same as a QR code, SVG")
    expires_at: datetime


class BroughtTicket(Model):
    ticket: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class PhoneView(GrantView):
    lesson_id: str
    title: str


class PhotoView(Model):
    photo_id: str


async def issue(request: web.Request) -> web.Response:
    """The session is what only that class's page knows, so it needs to show nothing else."""
    wanted = await read(request, WantedTicket)
    room = open_room(request, request.match_info["lesson_id"])
    known = room.who(wanted.session)
    if known is None or known.role != "receiving_class":
        raise caller.forbidden("a ticket is for the page of a class")
    phones = [one for one in room.room.state.participants.values() if one.class_id == known.participant_id]
    if len(phones) >= MAX_PHONES:
        raise ProblemError(409, "too_many_phones", "This class has as many phones as it may")
    ticket = request.app[TICKETS].issue(room.lesson_id, known.participant_id, time.monotonic())
    return reply(ticket_view(request, f"/phone/{room.lesson_id}#{ticket}"), 201)


def ticket_view(request: web.Request, path: str) -> TicketView:
    """A ticket in the fragment of this path, as a page shows it."""
    drawn = io.BytesIO()
    segno.make_qr(_origin(request) + path, error="m").save(drawn, kind="svg", xmldecl=False, border=4, scale=8)
    return TicketView(path=path, qr=drawn.getvalue().decode(), expires_at=now() + timedelta(seconds=LIFE))


async def enter(request: web.Request) -> web.Response:
    brought = await read(request, BroughtTicket)
    tries = request.app[TICKET_TRIES]
    async with tries.turn(address(request)):
        ticket = request.app[TICKETS].redeem(brought.ticket, time.monotonic())
        if ticket is None:
            tries.wrong(address(request))
            raise ProblemError(404, "ticket_unknown", "This code was used before, or is too old")
    if person(ticket.owner_id) in open_room(request, ticket.lesson_id).room.state.removed:
        raise ProblemError(403, "removed", "A teacher has sent this class out of the lesson")
    try:
        lesson = await request.app[LESSONS].get(ticket.lesson_id)
    except LessonUnknownError as error:
        raise ProblemError(404, "lesson_unknown", "There is no such lesson") from error
    token, claims = request.app[caller.GRANTS].mint(
        ticket.lesson_id,
        "local_teacher",
        name="",  # the room knows its class
        participant_id=f"l-{secrets.token_hex(8)}",
        class_id=ticket.owner_id,
    )
    return reply(
        PhoneView(
            lesson_id=lesson.id,
            title=lesson.title,
            token=token,
            role=claims.role,
            expires_at=moment(claims.expires_at),
        )
    )


async def send_photo(request: web.Request) -> web.Response:
    """The body is the picture itself; whatever it is called, what we keep is a JPEG of ours."""
    who = await caller.require(request)
    room, actor = _phone(request, who)
    _check(room, actor)
    uploads = request.app[UPLOADS]
    if actor in uploads or len(uploads) >= MAX_UPLOADS:
        raise ProblemError(429, "too_many_uploads", "Another photo is on its way", headers={"Retry-After": "3"})
    uploads.add(actor)
    try:
        photo_id = await _kept(request, room.lesson_id, await _body(request))
    finally:
        uploads.discard(actor)
    try:
        room.add_photo(actor, photo_id)
    except RoomError as error:  # it was allowed a moment ago
        request.app[PHOTOS].remove(room.lesson_id, photo_id)
        raise _problem(error) from error
    return reply(PhotoView(photo_id=photo_id), 201)


async def show_photo(request: web.Request) -> web.StreamResponse:
    """Its id is told only to those who may see it (PROTOCOL.md, the private line) until a teacher shows it to all."""
    lesson = await watchable(request, await caller.require(request))
    path = request.app[PHOTOS].find(lesson.id, request.match_info["photo_id"])
    if path is None:
        raise ProblemError(404, "photo_unknown", "There is no such photo")
    headers = {"Content-Type": "image/jpeg", "Cache-Control": "private, max-age=3600", "Content-Disposition": "inline"}
    return web.FileResponse(path, headers=headers)


def _origin(request: web.Request) -> str:
    """Where the page that asks was loaded from, as its browser says: a proxy may do the TLS."""
    return request.headers.get("Origin") or f"{request.scheme}://{request.host}"


def open_room(request: web.Request, lesson_id: str) -> LiveRoom:
    """The room of a lesson that is on. Raises ProblemError."""
    room = request.app[ROOMS].find(lesson_id)
    if room is None or room.room.state.ended_ms is not None:
        raise ProblemError(404, "lesson_unknown", "There is no such lesson now")
    return room


def _phone(request: web.Request, who: Caller) -> tuple[LiveRoom, str]:
    """The room a phone may send photos into, and who it is there."""
    grant, lesson_id = who.grant, request.match_info["lesson_id"]
    if grant is None or grant.lesson_id != lesson_id or grant.participant_id is None:
        raise caller.forbidden("photos come from a local teacher's phone")
    return open_room(request, lesson_id), grant.participant_id


def _check(room: LiveRoom, actor: str) -> None:
    try:
        room.room.check_photo(actor)
    except RoomError as error:
        raise _problem(error) from error


def _problem(error: RoomError) -> ProblemError:
    return ProblemError(_CODES.get(error.code, 403), error.code, "The photo is not taken", str(error))


async def _body(request: web.Request) -> bytes:
    too_large = ProblemError(413, "photo_too_large", "The photo is too large", f"at most {MAX_PHOTO} bytes")
    if (request.content_length or 0) > MAX_PHOTO:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(PHOTO_TIME):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > MAX_PHOTO:
                    raise too_large
    except TimeoutError as error:
        raise ProblemError(408, "body_slow", "The photo did not come in time") from error
    return bytes(body)


async def _kept(request: web.Request, lesson_id: str, data: bytes) -> str:
    try:
        return await request.app[PHOTOS].keep(lesson_id, data)
    except NoPictureError as error:
        raise ProblemError(415, "photo_malformed", "This is no photo we can read", str(error)) from error
    except PictureTooLargeError as error:
        raise ProblemError(413, "photo_too_large", "The photo is too large", str(error)) from error
    except OSError as error:
        raise ProblemError(503, "photo_not_kept", "The photo could not be kept") from error


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/lessons/{lesson_id}/phones",
        issue,
        "A ticket, as a QR code, by which a local teacher's phone joins this class",
        body=WantedTicket,
        reply=TicketView,
        status=201,
        codes=("lesson_unknown", "not_allowed", "too_many_phones"),
        open=True,
    ),
    Endpoint(
        "POST",
        "/api/phone/enter",
        enter,
        "A phone exchanges its ticket for a grant, once",
        body=BroughtTicket,
        reply=PhoneView,
        codes=("ticket_unknown", "removed", "lesson_unknown", "too_many_tries"),
        open=True,
    ),
    Endpoint(
        "POST",
        "/api/lessons/{lesson_id}/photos",
        send_photo,
        "A phone sends a photo of pupils' work: JPEG, PNG or WebP, at most 12 MB",
        reply=PhotoView,
        status=201,
        codes=("photo_too_large", "photo_malformed", "photo_not_kept", "too_many_uploads", *_CODES),
    ),
    Endpoint(
        "GET",
        "/api/lessons/{lesson_id}/photos/{photo_id}",
        show_photo,
        "A photo of pupils' work, JPEG",
        codes=("photo_unknown", "lesson_unknown"),
    ),
)
