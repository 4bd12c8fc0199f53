"""The WebSocket door: GET /ws/{lesson_id} (PROTOCOL.md sections 1 to 5)."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from signaling.messages import IceServer
from signaling.rooms import Rooms


def routes(rooms: Rooms, ice_servers: Sequence[IceServer] = ()) -> list[web.RouteDef]:
    """The routes of this door, for the server's application."""
    raise NotImplementedError
