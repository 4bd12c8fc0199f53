"""Preflight over REST: make a connection to measure, send trains, count what came, tell the time.

Open to everybody, for a class has no account and looks before it has entered: what it costs is bounded by
`Preflights`, and packets go only to a browser that has answered a DTLS handshake from where they go.
"""

from __future__ import annotations

import time
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from server.endpoint import Endpoint, Model, address, read, reply
from server.preflight.sessions import Preflights, Way
from signaling.problems import ProblemError

PREFLIGHTS = web.AppKey("preflights", Preflights)

MAX_SDP = 24 * 1024  # characters; both offers must fit into one body
MOST_PACKETS, LARGEST, LONGEST = 500, 1100, 20.0  # as media/train.py has them


class Offers(Model):
    send: Annotated[str, Field(max_length=MAX_SDP)] | None = None
    receive: Annotated[str, Field(max_length=MAX_SDP)] | None = None
    tcp: Annotated[str, Field(max_length=MAX_SDP, description="To receive, too: does TCP pass?")] | None = None


class Opened(Model):
    preflight_id: str
    send: str | None
    receive: str | None
    tcp: str | None


class Train(Model):
    packets: Annotated[int, Field(ge=1, le=MOST_PACKETS, description="a second")]
    size: Annotated[int, Field(ge=1, le=LARGEST, description="bytes in each")]
    seconds: Annotated[float, Field(gt=0, le=LONGEST)]


class Watch(Model):
    direction: Literal["send", "receive"]
    seconds: Annotated[float, Field(ge=0, le=LONGEST)]
    flowing: bool = Field(False, description="The time begins when something comes, at most three seconds later")


class Sample(Model):
    at_ms: float
    packets: int
    expected: int
    octets: int


class Samples(Model):
    samples: tuple[Sample, ...]


class Clock(Model):
    now_ms: float = Field(description="Milliseconds since 1970, by the server's clock")


async def open_(request: web.Request) -> web.Response:
    wanted = await read(request, Offers)
    ways: tuple[tuple[Way, str | None], ...] = (
        ("send", wanted.send),
        ("receive", wanted.receive),
        ("tcp", wanted.tcp),
    )
    offers = {way: sdp for way, sdp in ways if sdp is not None}
    if not offers:
        raise ProblemError(422, "field_invalid", "A field is missing or not of the right form", "no offer")
    session, answers = await request.app[PREFLIGHTS].open(address(request), offers)
    opened = Opened(
        preflight_id=session.session_id,
        send=answers.get("send"),
        receive=answers.get("receive"),
        tcp=answers.get("tcp"),
    )
    return reply(opened, 201)


async def train(request: web.Request) -> web.Response:
    preflights = request.app[PREFLIGHTS]
    session = preflights.find(request.match_info["preflight_id"])
    wanted = await read(request, Train)
    await preflights.send(session, wanted.packets, wanted.size, wanted.seconds)
    return web.Response(status=204)


async def watch(request: web.Request) -> web.Response:
    preflights = request.app[PREFLIGHTS]
    session = preflights.find(request.match_info["preflight_id"])
    wanted = await read(request, Watch)
    counts = await preflights.watch(session, wanted.direction, wanted.seconds, flowing=wanted.flowing)
    return reply(
        Samples(
            samples=tuple(
                Sample(at_ms=one.at_ms, packets=one.packets, expected=one.expected, octets=one.octets) for one in counts
            )
        )
    )


async def close(request: web.Request) -> web.Response:
    request.app[PREFLIGHTS].end(request.match_info["preflight_id"])
    return web.Response(status=204)


async def clock(request: web.Request) -> web.Response:
    return reply(Clock(now_ms=time.time() * 1000))


_AT = "/api/preflight/{preflight_id}"
_CODES = ("preflight_unknown", "preflight_over", "preflight_busy", "direction_unknown", "media_unavailable")

ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/preflight",
        open_,
        "Measure a line: answers to offers of a peer connection each way, for up to 90 s",
        body=Offers,
        reply=Opened,
        status=201,
        codes=("too_many_tries", "preflight_busy", "media_unavailable", "sdp_malformed", "no_common_codec"),
        open=True,
    ),
    Endpoint(
        "POST",
        f"{_AT}/train",
        train,
        "Send packets that carry nothing",
        body=Train,
        status=204,
        codes=_CODES,
        open=True,
    ),
    Endpoint(
        "POST",
        f"{_AT}/watch",
        watch,
        "Count what comes, for some seconds",
        body=Watch,
        reply=Samples,
        codes=_CODES,
        open=True,
    ),
    Endpoint("DELETE", _AT, close, "End the measurement", status=204, open=True),
    Endpoint("GET", "/api/preflight/clock", clock, "What time it is", reply=Clock, open=True),
)
