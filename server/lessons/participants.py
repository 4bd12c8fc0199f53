"""Who is in a lesson's room now and what they send: for publishers and programs that take no part in the room.

FFmpeg's WHIP muxer, for one, notices only after half a minute that its session is gone; whoever runs it asks here.
"""

from __future__ import annotations

from typing import Literal

from aiohttp import web

from media.messages import Kind
from server import caller
from server.endpoint import Endpoint, Model, reply
from server.lessons.api import ROOMS, watchable
from signaling.events import Source
from signaling.grants import Role
from signaling.state import RoomState


class PublicationView(Model):
    publication_id: str
    kind: Kind
    source: Source
    muted: bool


class ParticipantView(Model):
    participant_id: str
    role: Role
    name: str
    headcount: int | None
    away: bool
    publications: tuple[PublicationView, ...]


class ParticipantList(Model):
    room: Literal["open", "none"]
    participants: tuple[ParticipantView, ...]


async def participants(request: web.Request) -> web.Response:
    who = await caller.require(request)
    lesson = await watchable(request, who)
    room = request.app[ROOMS].find(lesson.id)
    if room is None or room.room.state.ended_ms is not None:
        return reply(ParticipantList(room="none", participants=()))
    return reply(ParticipantList(room="open", participants=_views(room.room.state)))


def _views(state: RoomState) -> tuple[ParticipantView, ...]:
    return tuple(
        ParticipantView(
            participant_id=one.participant_id,
            role=one.role,
            name=one.name,
            headcount=one.headcount,
            away=one.away,
            publications=tuple(
                PublicationView(
                    publication_id=sent.publication_id, kind=sent.kind, source=sent.source, muted=sent.muted
                )
                for sent in state.publications_of(one.participant_id)
            ),
        )
        for one in state.participants.values()
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/lessons/{lesson_id}/participants",
        participants,
        "Who is in the lesson's room now, and what they publish",
        reply=ParticipantList,
        codes=("lesson_unknown", "token_foreign"),
    ),
)
