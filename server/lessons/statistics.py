"""What the media workers measure in a room, for an administrator who looks for the reason of a bad picture."""

from __future__ import annotations

from typing import Literal

from aiohttp import web

from media.messages import Direction, PublicationStatistics, SlotStatistics, TransportStatistics
from server import caller
from server.endpoint import Endpoint, Model, reply
from server.lessons.api import ROOMS, watchable
from signaling.grants import Role
from signaling.state import RoomState
from signaling.statistics import RoomStatistics, Surveys

SURVEYS = web.AppKey("surveys", Surveys)


class TransportView(Model):
    """`bitrate` and `estimate` in bit/s, `loss` as a share; counts from the beginning."""

    transport_id: str
    direction: Direction
    connected: bool
    protocol: Literal["udp", "tcp"]
    rtt_ms: float | None
    estimate: float | None
    bitrate: float
    publications: tuple[PublicationStatistics, ...]
    slots: tuple[SlotStatistics, ...]


class MeasuredParticipant(Model):
    participant_id: str
    role: Role
    name: str
    transports: tuple[TransportView, ...]


class RoomStatisticsView(Model):
    room: Literal["open", "none"]
    at_ms: int | None  # on the lesson clock; None before the first survey, at most two seconds after the room opened
    participants: tuple[MeasuredParticipant, ...]


async def statistics(request: web.Request) -> web.Response:
    who = await caller.require(request)
    if not who.administers:
        raise caller.forbidden("for administrators")
    lesson = await watchable(request, who)
    room = request.app[ROOMS].find(lesson.id)
    if room is None or room.room.state.ended_ms is not None:
        return reply(RoomStatisticsView(room="none", at_ms=None, participants=()))
    latest = request.app[SURVEYS].latest(lesson.id)
    if latest is None:
        return reply(RoomStatisticsView(room="open", at_ms=None, participants=()))
    return reply(RoomStatisticsView(room="open", at_ms=latest.at_ms, participants=_views(room.room.state, latest)))


def _views(state: RoomState, latest: RoomStatistics) -> tuple[MeasuredParticipant, ...]:
    return tuple(
        MeasuredParticipant(
            participant_id=one.participant_id,
            role=one.role,
            name=one.name,
            transports=tuple(map(_view, latest.transports[one.participant_id])),
        )
        for one in state.participants.values()
        if one.participant_id in latest.transports
    )


def _view(one: TransportStatistics) -> TransportView:
    return TransportView(
        transport_id=one.transport_id,
        direction=one.direction,
        connected=one.connected,
        protocol=one.protocol,
        rtt_ms=one.rtt_ms,
        estimate=one.estimate,
        bitrate=one.bitrate,
        publications=one.publications,
        slots=one.slots,
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/rooms/{lesson_id}/stats",
        statistics,
        "What the media workers measure of every transport in the lesson's room, as of the last two seconds",
        reply=RoomStatisticsView,
        codes=("lesson_unknown", "not_allowed"),
    ),
)
