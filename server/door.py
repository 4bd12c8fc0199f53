"""The door every HTTP request goes through: problem JSON, foreign origins, security headers, the access log.

Order matters: the log sees the final status, the headers go on problems too.
"""

from __future__ import annotations

import logging
import re
import time
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.http_exceptions import BadHttpMessage
from sqlalchemy.exc import InterfaceError, OperationalError

from server.endpoint import Handler
from server.metrics import HttpMeter
from server.tries import TooManyTriesError
from signaling.problems import ProblemError, problem_response

METER = web.AppKey("http_meter", HttpMeter)

_log = logging.getLogger("tongke.http")

_SAFE = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})

# aiohttp's own errors: what they are called here.
_CODES = {
    400: ("request_malformed", "The request cannot be understood"),
    404: ("not_found", "There is nothing at this address"),
    405: ("method_not_allowed", "This cannot be done with this address"),
    411: ("length_required", "Say how long the body is"),
    413: ("body_too_large", "The body is too large"),
    415: ("unsupported_media_type", "This kind of body is not taken here"),
    416: ("range_not_satisfiable", "The file has no such range"),
    417: ("expectation_failed", "This expectation cannot be met"),
}


# Asked again and again by programs.
_POLLED = frozenset({"/healthz", "/readyz", "/metrics", "/api/lessons/{lesson_id}/participants"})


@web.middleware
async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
    started = time.perf_counter()
    response: web.StreamResponse | None = None
    try:
        response = await _answer(request, handler)
    finally:
        # A handler that was cancelled because the browser went away is 499, as nginx has it.
        status = 499 if response is None else response.status
        _account(request, status, time.perf_counter() - started)
    return response


async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
    """Headers of every response (aiohttp's on_response_prepare signal)."""
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.popall(hdrs.SERVER, None)
    headers[hdrs.SERVER] = "tongke"


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    response: web.StreamResponse
    try:
        _check_origin(request)
        response = await handler(request)
    except ProblemError as error:
        response = problem_response(error)
    except TooManyTriesError as error:
        wait: dict[str, str] = {hdrs.RETRY_AFTER: str(error.retry_after)}
        response = problem_response(ProblemError(429, "too_many_tries", "Too many wrong tries", headers=wait))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = _problem_of(error)
    except (ConnectionResetError, web.RequestPayloadError):
        # The browser has gone in the middle of what it was sending; nobody will read this.
        response = problem_response(ProblemError(400, "request_incomplete", "The request broke off"))
    except (OperationalError, InterfaceError, ConnectionRefusedError) as error:
        _log.error("the database cannot be used: %s", str(getattr(error, "orig", None) or error))
        response = problem_response(ProblemError(503, "database_unavailable", "The database cannot be used now"))
    except Exception:
        _log.exception("a request failed", extra={"method": request.method, "route": _route(request)})
        response = problem_response(ProblemError(500, "internal_error", "Something went wrong on the server"))
    return response


class QuietAboutBadRequests(logging.Filter):
    """For aiohttp's own logger: bytes that are no HTTP are bad input, not a bug of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if isinstance(error, BadHttpMessage | web.RequestPayloadError):
            record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
            record.msg, record.args, record.exc_info = "a request that is no HTTP", (), None
        return True


def _problem_of(error: web.HTTPException) -> web.Response:
    code, title = _CODES.get(error.status, (f"http_{error.status}", error.reason))
    kept = {str(name): error.headers[name] for name in (hdrs.ALLOW, hdrs.CONTENT_RANGE) if name in error.headers}
    return problem_response(ProblemError(error.status, code, title, headers=kept))


def _check_origin(request: web.Request) -> None:
    """A page from elsewhere may not act with our cookie (cross-site request forgery).

    A request with a bearer token acts with what its sender knows, not with a cookie, and may come from anywhere.
    """
    if request.method in _SAFE or not request.path.startswith("/api/"):
        return
    if request.headers.get(hdrs.AUTHORIZATION, "").lower().startswith("bearer "):
        return  # another scheme is none of ours, and then the cookie would count
    origin = request.headers.get(hdrs.ORIGIN)
    same = request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
    if (origin is not None and _host_of(origin) != request.host) or not same:
        raise ProblemError(403, "origin_foreign", "This page may not do that")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # brackets that are no IPv6 address
        return None


def _account(request: web.Request, status: int, seconds: float) -> None:
    route = _route(request)
    request.app[METER].saw(request.method, route, status, seconds)
    # The path itself stays out: the last part of a WHIP session's is as good as a token.
    extra = {"status": status, "ms": round(seconds * 1000, 1), "remote": request.remote}
    if lesson_id := request.match_info.get("lesson_id"):
        extra["lesson_id"] = lesson_id[:64]  # as long as one may be; a stranger may have written anything
    level = logging.DEBUG if route in _POLLED else logging.INFO
    _log.log(level, "%s %s %s", request.method, route, status, extra=extra)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return re.sub(r":[^}]+}", "}", resource.canonical) if resource is not None else "unknown"
