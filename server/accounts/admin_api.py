"""Accounts over REST: an administrator's list, invitations and new passwords by link, and what a link's bearer does.

A link is /login#<token>: in the fragment the token reaches no log, and the page sends it in a body.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Self, TypeVar, cast

from aiohttp import web
from pydantic import Field, StringConstraints, model_validator

from server import caller
from server.accounts.api import LOGIN_TRIES, SessionView, logged_in
from server.accounts.links import AccountLinks, Link, LinkUnknownError
from server.accounts.model import User
from server.accounts.roles import AccountRole
from server.accounts.store import AccountUnknownError, NameTakenError
from server.endpoint import ONE_LINE, Endpoint, Model, address, read, reply
from signaling.problems import ProblemError

LINKS = web.AppKey("account_links", AccountLinks)

Found = TypeVar("Found")
Token = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class AccountView(Model):
    user_id: str
    name: str
    role: AccountRole
    disabled: bool
    created_at: datetime
    yourself: bool


class AccountList(Model):
    accounts: tuple[AccountView, ...]


class ChangedAccount(Model):
    role: AccountRole | None = None
    disabled: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.role is None and self.disabled is None:
            raise ValueError("nothing to be changed")
        return self


class Invitation(Model):
    role: AccountRole
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64, pattern=ONE_LINE)] = ""


class LinkView(Model):
    url: str = Field(description="Relative to this server; shown once and kept nowhere")
    expires_at: datetime


class ShownLink(Model):
    token: Token


class LinkWords(Model):
    name: str = Field(description="Of the account; of a new one only proposed, and perhaps empty")
    role: AccountRole
    new: bool
    expires_at: datetime


class UsedLink(Model):
    token: Token
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64, pattern=ONE_LINE)] = ""
    password: Annotated[str, StringConstraints(min_length=8, max_length=256)]


async def accounts(request: web.Request) -> web.Response:
    own = await _administrator(request)
    found = await request.app[caller.ACCOUNTS].all()
    return reply(AccountList(accounts=tuple(_view(one, own) for one in found)))


async def change(request: web.Request) -> web.Response:
    """Another role; closed or open. Not of oneself, so that one administrator is always left."""
    own = await _administrator(request)
    wanted = await read(request, ChangedAccount)
    user_id = request.match_info["user_id"]
    if user_id == own:
        raise ProblemError(409, "own_account", "An administrator cannot change or close their own account")
    try:
        changed = await request.app[caller.ACCOUNTS].change(_id(user_id), role=wanted.role, disabled=wanted.disabled)
    except AccountUnknownError as error:
        raise _unknown() from error
    return reply(_view(changed, own))


async def reset(request: web.Request) -> web.Response:
    await _administrator(request)
    try:
        token, link = await request.app[LINKS].reset(_id(request.match_info["user_id"]))
    except AccountUnknownError as error:
        raise _unknown() from error
    return reply(_link(token, link), 201)


async def invite(request: web.Request) -> web.Response:
    await _administrator(request)
    wanted = await read(request, Invitation)
    token, link = await request.app[LINKS].invite(wanted.role, wanted.name)
    return reply(_link(token, link), 201)


async def look(request: web.Request) -> web.Response:
    """What a link gives, for the page that asks for the password."""
    wanted = await read(request, ShownLink)
    tries = request.app[LOGIN_TRIES]
    try:
        async with tries.turn(address(request)):
            link = await _tried(request, request.app[LINKS].look(wanted.token))
    except LinkUnknownError as error:
        raise _used() from error
    return reply(LinkWords(name=link.name, role=link.role, new=link.new, expires_at=link.expires_at))


async def use(request: web.Request) -> web.Response:
    """Choose the password, and be logged in."""
    wanted = await read(request, UsedLink)
    links, known = request.app[LINKS], request.app[caller.ACCOUNTS]
    tries = request.app[LOGIN_TRIES]
    try:
        async with tries.turn(address(request)):
            link = await _tried(request, links.look(wanted.token))
            if link.new and not wanted.name:
                raise ProblemError(422, "field_invalid", "A field is missing or not of the right form", "name")
            name = await _tried(request, links.use(wanted.token, wanted.name, wanted.password))
    except LinkUnknownError as error:
        raise _used() from error
    except NameTakenError as error:
        raise ProblemError(409, "name_taken", "There is one of this name already") from error
    session = await known.log_in(name, wanted.password)
    if session is None:
        raise ProblemError(403, "account_closed", "This account is closed")
    return logged_in(request, *session)


async def _tried(request: web.Request, asked: Awaitable[Found]) -> Found:
    """A link that is none counts as a wrong try of this address."""
    try:
        return await asked
    except LinkUnknownError:
        request.app[LOGIN_TRIES].wrong(address(request))
        raise


async def _administrator(request: web.Request) -> str | None:
    """The id of the administrator who asks, None for one with a token only."""
    who = await caller.require(request)
    if not who.administers:
        raise caller.forbidden("accounts are kept by administrators")
    return who.account.user_id if who.account else None


def _view(user: User, own: str | None) -> AccountView:
    return AccountView(
        user_id=user.id,
        name=user.name,
        role=cast(AccountRole, user.role),
        disabled=user.disabled_at is not None,
        created_at=user.created_at,
        yourself=user.id == own,
    )


def _link(token: str, link: Link) -> LinkView:
    return LinkView(url=f"/login#{token}", expires_at=link.expires_at)


def _id(user_id: str) -> str:
    if not (user_id.isascii() and user_id.isalnum() and len(user_id) <= 16):  # PostgreSQL refuses some texts
        raise AccountUnknownError(user_id)
    return user_id


def _unknown() -> ProblemError:
    return ProblemError(404, "account_unknown", "There is no such account")


def _used() -> ProblemError:
    return ProblemError(404, "link_unknown", "This link was used, or is too old")


ENDPOINTS = (
    Endpoint("GET", "/api/accounts", accounts, "All accounts; administrators", reply=AccountList),
    Endpoint(
        "PATCH",
        "/api/accounts/{user_id}",
        change,
        "Give an account another role, close it or open it again; administrators",
        body=ChangedAccount,
        reply=AccountView,
        codes=("account_unknown", "own_account"),
    ),
    Endpoint(
        "POST",
        "/api/accounts/{user_id}/link",
        reset,
        "A link by which its owner chooses a new password; administrators",
        reply=LinkView,
        status=201,
        codes=("account_unknown",),
    ),
    Endpoint(
        "POST",
        "/api/accounts/invitations",
        invite,
        "A link by which somebody makes an account of this role; administrators",
        body=Invitation,
        reply=LinkView,
        status=201,
    ),
    Endpoint(
        "POST",
        "/api/link",
        look,
        "What a link gives",
        body=ShownLink,
        reply=LinkWords,
        codes=("link_unknown", "too_many_tries"),
        open=True,
    ),
    Endpoint(
        "POST",
        "/api/link/use",
        use,
        "Choose the password of the account a link is for; sets the session cookie",
        body=UsedLink,
        reply=SessionView,
        codes=("link_unknown", "name_taken", "account_closed", "too_many_tries"),
        open=True,
    ),
)
