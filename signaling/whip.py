"""The WHIP and WHEP doors: POST /whip/{lesson_id} and /whep/{lesson_id} (RFC 9725; PROTOCOL.md section 6).

A session is a participant of the room for as long as its transport lives. Its location is a name under our signature,
and still needs the token: a URL stands in other people's logs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import hdrs, web

from media.sdp import SdpError
from signaling.bus import Door
from signaling.grants import GrantError
from signaling.live import LiveRoom
from signaling.messages import IceServer
from signaling.problems import ProblemError, problem_response
from signaling.room import RoomError
from signaling.rooms import Rooms
from signaling.sdpfrag import Fragment
from signaling.turn import IceServers, no_ice_servers

MAX_BODY = 64 * 1024  # bytes
BODY = 10.0  # seconds a client has to send it
SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"

STATUS_OF: dict[str, tuple[int, str]] = {
    "token_invalid": (401, "The token is not valid"),
    "token_expired": (401, "The token has expired"),
    "token_foreign": (401, "The token is for another lesson"),
    "not_allowed": (403, "The role may not do this"),
    "lesson_unknown": (404, "There is no such lesson"),
    "session_unknown": (404, "There is no such session"),
    "method_not_allowed": (405, "The method is not allowed here"),
    "no_common_codec": (406, "No codec in common"),
    "body_slow": (408, "The body did not come in time"),
    "lesson_ended": (410, "The lesson is over"),
    "etag_stale": (412, "The ICE session has changed"),
    "body_too_large": (413, "The body is too large"),
    "content_type_wrong": (415, "The content type is wrong"),
    "etag_missing": (428, "If-Match is missing"),
    "sdp_malformed": (400, "The SDP is malformed"),
    "media_unavailable": (503, "No media worker can serve at the moment"),
    "room_full": (503, "The room is full"),
    "not_admitted": (403, "A teacher has not let you in yet"),
    "removed": (403, "A teacher has sent you out"),
    "locked": (403, "A teacher has locked the lesson"),
}
_EXPOSED: dict[str, str] = {
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",  # a bearer token, never a cookie
    hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: "Location, ETag, Link",
}

Handler = Callable[[web.Request], Awaitable[web.Response]]


def routes(rooms: Rooms, ice_servers: IceServers = no_ice_servers) -> list[web.RouteDef]:
    """The routes of these doors, for the server's application."""
    doors: tuple[Door, ...] = ("whip", "whep")
    found = []
    for name in doors:
        door = HttpDoor(name, rooms, ice_servers)
        endpoint = _by_method({hdrs.METH_POST: door.post}, {"Accept-Post": SDP})
        session = _by_method({hdrs.METH_PATCH: door.patch, hdrs.METH_DELETE: door.delete}, {"Accept-Patch": FRAGMENT})
        found.append(web.route("*", f"/{name}/{{lesson_id}}", endpoint))
        found.append(web.route("*", f"/{name}/{{lesson_id}}/{{session}}", session))
    return found


def link_headers(ice_servers: Sequence[IceServer]) -> list[str]:
    """One `Link` value for each URL of a STUN or TURN server (RFC 9725 section 4.6)."""
    links = []
    for server in ice_servers:
        for url in server.urls:
            link = f'<{url}>; rel="ice-server"'
            if server.username is not None and server.credential is not None:
                link += f'; username="{_quoted(server.username)}"; credential="{_quoted(server.credential)}"'
                link += '; credential-type="password"'
            links.append(link)
    return links


class HttpDoor:
    """WHIP or WHEP."""

    def __init__(self, door: Door, rooms: Rooms, ice_servers: IceServers) -> None:
        self._door = door
        self._rooms = rooms
        self._ice_servers = ice_servers

    async def post(self, request: web.Request) -> web.Response:
        """Begin a session."""
        lesson_id = request.match_info["lesson_id"]
        grant, room = await self._rooms.admit(_token(request), lesson_id)
        offer = await _body(request, SDP)
        participant_id, transport_id, answer = await room.http_sessions.open(grant, self._door, offer)
        # Of the transport, not of the participant: a publisher that was replaced must not end its successor's session.
        session = self._rooms.locations.issue(lesson_id, transport_id)
        response = web.Response(status=201, body=answer.encode(), content_type=SDP)  # text would add a charset
        response.headers[hdrs.LOCATION] = f"/{self._door}/{lesson_id}/{session}"
        response.headers[hdrs.ETAG] = _etag(1)
        for link in link_headers(self._ice_servers(participant_id)):
            response.headers.add(hdrs.LINK, link)
        return response

    async def patch(self, request: web.Request) -> web.Response:
        """Trickled candidates, which an ICE-lite server on a public port does not need, or a restart of ICE."""
        room, participant_id = self._session(request)
        expected = request.headers.get(hdrs.IF_MATCH)
        if expected is None:
            raise _problem("etag_missing")
        current = room.http_sessions.ice_generation(participant_id)
        if expected.strip() not in ("*", _etag(current)):
            raise _problem("etag_stale")
        try:
            fragment = Fragment.parse(await _body(request, FRAGMENT))
        except SdpError as error:
            raise _problem(error.code, str(error)) from error
        if expected.strip() != "*" or fragment.ufrag is None:
            return web.Response(status=204)
        restarted, generation = await room.http_sessions.restart_ice(participant_id)
        answer = fragment.answer(restarted.ufrag, restarted.pwd, restarted.candidates)
        response = web.Response(body=answer.encode(), content_type=FRAGMENT)
        response.headers[hdrs.ETAG] = _etag(generation)
        return response

    async def delete(self, request: web.Request) -> web.Response:
        """End a session."""
        room, participant_id = self._session(request, expired_will_do=True)
        room.leave(participant_id, "left")
        return web.Response()

    def _session(self, request: web.Request, expired_will_do: bool = False) -> tuple[LiveRoom, str]:
        """The room and participant of a location. Raises GrantError, ProblemError."""
        lesson_id = request.match_info["lesson_id"]
        try:
            self._rooms.check(_token(request), lesson_id)
        except GrantError as error:
            # Whoever began a session may end it, though the lesson took longer than the token.
            if not (expired_will_do and error.code == "token_expired"):
                raise
        room = self._rooms.find(lesson_id)
        transport_id = self._rooms.locations.name(lesson_id, request.match_info["session"])
        participant_id = room.http_sessions.find(self._door, transport_id) if room and transport_id else None
        if room is None or participant_id is None:
            raise _problem("session_unknown")
        return room, participant_id


def _by_method(handlers: dict[str, Handler], accepts: dict[str, str]) -> Handler:
    """One handler for a path: CORS on everything, errors as problems, 405 for what is not in the table."""
    allowed = ", ".join((*handlers, hdrs.METH_OPTIONS))
    preflight: dict[str, str] = {
        **_EXPOSED,
        **accepts,
        hdrs.ALLOW: allowed,
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: allowed,
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization, Content-Type, If-Match",
        hdrs.ACCESS_CONTROL_MAX_AGE: "86400",
    }

    async def handle(request: web.Request) -> web.Response:
        try:
            if request.method == hdrs.METH_OPTIONS:
                return web.Response(status=204, headers=preflight)
            if request.method not in handlers:
                raise _problem("method_not_allowed", headers={hdrs.ALLOW: allowed})
            response = await handlers[request.method](request)
        except ProblemError as error:
            return problem_response(error, _EXPOSED)
        except (GrantError, RoomError) as error:
            return problem_response(_problem(error.code, str(error)), _EXPOSED)
        response.headers.update(_EXPOSED)
        return response

    return handle


def _problem(code: str, detail: str = "", headers: dict[str, str] | None = None) -> ProblemError:
    status, title = STATUS_OF[code]
    headers = dict(headers or {})
    if status == 401:
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    elif status == 503:
        headers[hdrs.RETRY_AFTER] = "2"
    return ProblemError(status, code, title, detail, headers)


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise GrantError("token_invalid", "a bearer token is needed")
    return token.strip()


async def _body(request: web.Request, content_type: str) -> str:
    """The body as text. Raises ProblemError for another type, for too much, for too slow, for no text."""
    if request.content_type != content_type:
        raise _problem("content_type_wrong", f"expected {content_type}")
    if (request.content_length or 0) > MAX_BODY:
        raise _problem("body_too_large", f"more than {MAX_BODY} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > MAX_BODY:
                    raise _problem("body_too_large", f"more than {MAX_BODY} bytes")
        return body.decode()
    except TimeoutError as error:
        raise _problem("body_slow") from error
    except UnicodeDecodeError as error:
        raise _problem("sdp_malformed", "not UTF-8") from error


def _etag(generation: int) -> str:
    return f'"{generation}"'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
