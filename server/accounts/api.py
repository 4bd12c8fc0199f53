"""Logging in and out: /api/session."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from server import caller
from server.accounts.roles import AccountRole
from server.accounts.store import SESSION_TIME, Account
from server.endpoint import ONE_LINE, Endpoint, Model, address, read, reply
from server.tries import WrongTries
from signaling.problems import ProblemError

LOGIN_TRIES = web.AppKey("login_tries", WrongTries)


class Login(Model):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=ONE_LINE)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class UserView(Model):
    name: str
    role: AccountRole


class SessionView(Model):
    user: UserView | None


async def log_in(request: web.Request) -> web.Response:
    """Set the session cookie."""
    wanted = await read(request, Login)
    tries = request.app[LOGIN_TRIES]
    accounts = request.app[caller.ACCOUNTS]
    async with tries.turn(address(request)):
        known = await accounts.log_in(wanted.name, wanted.password)
        if known is None:
            tries.wrong(address(request))
    if known is None:
        raise ProblemError(401, "login_wrong", "Name or password is wrong")
    account, token = known
    return logged_in(request, account, token)


def logged_in(request: web.Request, account: Account, token: str) -> web.Response:
    """Say who it is, and set the session cookie."""
    response = reply(_view(account))
    response.set_cookie(
        caller.session_cookie(request),
        token,
        max_age=int(SESSION_TIME.total_seconds()),
        path="/",
        secure=request.secure,
        httponly=True,
        samesite="Lax",
    )
    return response


async def who(request: web.Request) -> web.Response:
    """Who is logged in."""
    return reply(_view((await caller.identify(request)).account))


async def log_out(request: web.Request) -> web.Response:
    """End the session."""
    name = caller.session_cookie(request)
    if token := request.cookies.get(name):
        await request.app[caller.ACCOUNTS].log_out(token)
    response = reply(SessionView(user=None))
    response.del_cookie(name, path="/", secure=request.secure, httponly=True, samesite="Lax")
    return response


def _view(account: Account | None) -> SessionView:
    return SessionView(user=None if account is None else UserView(name=account.name, role=account.role))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/session",
        log_in,
        "Log in with name and password; sets the session cookie",
        body=Login,
        reply=SessionView,
        codes=("login_wrong", "too_many_tries"),
        open=True,
    ),
    Endpoint("GET", "/api/session", who, "Who is logged in", reply=SessionView, open=True),
    Endpoint("DELETE", "/api/session", log_out, "Log out", reply=SessionView, open=True),
)
