"""The WHIP and WHEP doors: POST /whip/{lesson_id} and /whep/{lesson_id} (RFC 9725; PROTOCOL.md section 6)."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from signaling.messages import IceServer
from signaling.rooms import Rooms


def routes(rooms: Rooms, ice_servers: Sequence[IceServer] = ()) -> list[web.RouteDef]:
    """The routes of these doors, for the server's application."""
    raise NotImplementedError
