"""One operation of the REST API: its route, its models and its words for OpenAPI, said once.

JSON is checked with pydantic on the way in and becomes a frozen model; on the way out a model becomes JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from signaling.problems import ProblemError

MAX_BODY = 64 * 1024  # bytes; the largest thing anyone sends us is an SDP offer
BODY_TIME = 10.0  # seconds a client has to send it
ONE_LINE = r"^[^\x00-\x1f\x7f]*$"  # pattern of a text without control characters; PostgreSQL stores no zero


class Model(BaseModel):
    """What all JSON of the API derives from."""

    model_config = ConfigDict(frozen=True, extra="ignore")


BodyModel = TypeVar("BodyModel", bound=Model)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    method: str
    path: str
    handler: Handler
    summary: str
    body: type[Model] | None = None
    form: bool = False  # the body is a form with one `file`
    reply: type[Model] | None = None
    status: int = 200
    codes: tuple[str, ...] = ()  # of the problems that are its own
    open: bool = False  # needs neither cookie nor token

    def route(self) -> web.RouteDef:
        if self.method == "GET":
            return web.get(self.path, self.handler)  # answers HEAD too
        return web.route(self.method, self.path, self.handler)


async def read(request: web.Request, model: type[BodyModel]) -> BodyModel:
    """The request's body as a model. Raises ProblemError for anything else."""
    if request.content_type != "application/json":
        raise ProblemError(415, "unsupported_media_type", "Send JSON as application/json")
    if (request.content_length or 0) > MAX_BODY:
        raise ProblemError(413, "body_too_large", "The body is too large")
    try:
        async with asyncio.timeout(BODY_TIME):
            body = await request.read()
    except TimeoutError as error:
        raise ProblemError(408, "body_slow", "The body did not come in time") from error
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "json_invalid":
            raise ProblemError(400, "body_malformed", "The body is no JSON") from error
        raise ProblemError(
            422, "field_invalid", "A field is missing or not of the right form", f"{where}: {first['msg']}"
        ) from error


def reply(value: Model, status: int = 200) -> web.Response:
    return web.Response(
        text=value.model_dump_json(),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def address(request: web.Request) -> str:
    """Where a request comes from, for limits on tries."""
    return request.remote or "unknown"
