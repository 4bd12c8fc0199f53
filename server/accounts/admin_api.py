"""Accounts over REST: an administrator's list, invitations and new passwords by link, and what a link's bearer does.

Administrators of a school or region see and change the accounts of their schools, below them, and no others (scope.py).

A link is /login#<token>: in the fragment the token reaches no log, and the page sends it in a body.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Self, TypeVar

from aiohttp import web
from pydantic import Field, StringConstraints, model_validator

from server import caller
from server.accounts.api import LOGIN_TRIES, SessionView, logged_in
from server.accounts.links import AccountLinks, Link, LinkUnknownError, TooManyLinksError
from server.accounts.model import User
from server.accounts.roles import AccountRole
from server.accounts.scope import GIVES, Place
from server.accounts.store import Account, AccountUnknownError, NameTakenError, OutOfReachError, place_of
from server.audit.trail import AuditAction, actor_of, entry
from server.caller import Caller
from server.endpoint import ONE_LINE, Endpoint, Model, address, read, reply
from server.schools.api import SCHOOLS
from signaling.problems import ProblemError

LINKS = web.AppKey("account_links", AccountLinks)

Found = TypeVar("Found")
Token = Annotated[str, StringConstraints(min_length=1, max_length=64)]
SchoolId = Annotated[str, StringConstraints(min_length=1, max_length=16, pattern=r"^[A-Za-z0-9_-]+$")]
Region = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80, pattern=ONE_LINE)]


class AccountView(Model):
    user_id: str
    name: str
    role: AccountRole
    disabled: bool
    created_at: datetime
    yourself: bool
    school_id: str | None
    region: str = Field(description="Of a region's administrator, as the list of schools names it")
    may_change: bool = Field(description="Whether you may change, close or open it, and reset its password")


class AccountList(Model):
    accounts: tuple[AccountView, ...]
    roles: tuple[AccountRole, ...] = Field(description="What you may make of somebody")


class ChangedAccount(Model):
    """What is left out stays."""

    role: AccountRole | None = None
    disabled: bool | None = None
    school_id: SchoolId | None = Field(None, description="null: of no school")
    region: Region = Field("", description="Of a region's administrator")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.role is None and self.disabled is None and not self.model_fields_set & {"school_id", "region"}:
            raise ValueError("nothing to be changed")
        return self


class Invitation(Model):
    role: AccountRole
    school_id: SchoolId | None = None
    region: Region = ""
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
    found = await request.app[caller.ACCOUNTS].all(own)
    return reply(AccountList(accounts=tuple(_view(one, own) for one in found), roles=GIVES[own.role]))


async def change(request: web.Request) -> web.Response:
    """Another role or place; closed or open. Not of oneself, so that one administrator is always left."""
    own = await _administrator(request)
    wanted = await read(request, ChangedAccount)
    user = await _account(request)
    if user.id == own.user_id:
        raise ProblemError(409, "own_account", "An administrator cannot change or close their own account")
    if wanted.school_id is not None:
        await _school(request, wanted.school_id)

    def place(before: Place) -> Place:
        said = wanted.model_fields_set
        return Place(
            wanted.role or before.role,
            wanted.school_id if "school_id" in said else before.school_id,
            wanted.region if "region" in said else before.region,
        )

    done: list[tuple[AuditAction, str]] = []
    if wanted.disabled is not None:
        done.append(("account_closed" if wanted.disabled else "account_opened", ""))
    if wanted.model_fields_set & {"role", "school_id", "region"}:
        before, after = place_of(user), place(place_of(user)).tidy()
        done.append(("account_changed", f"{_words(before)} -> {_words(after)}"))
    actor = actor_of(Caller(own))
    with _told():
        changed = await request.app[caller.ACCOUNTS].change(
            user.id,
            place=place,
            disabled=wanted.disabled,
            may=own.may_give,
            audit=[entry(actor, action, "", user.name, detail) for action, detail in done],
        )
    return reply(_view(changed, own))


async def reset(request: web.Request) -> web.Response:
    own = await _administrator(request)
    user = await _account(request)
    done = entry(actor_of(Caller(own)), "password_reset", "", user.name)
    with _told():
        token, link = await request.app[LINKS].reset(user.id, may=own.may_give, made_by=own.user_id, audit=done)
    return reply(_link(token, link), 201)


async def invite(request: web.Request) -> web.Response:
    own = await _administrator(request)
    wanted = await read(request, Invitation)
    if own.role == "school_admin" and "school_id" not in wanted.model_fields_set:
        place = Place(wanted.role, own.school_id, wanted.region)
    else:
        place = Place(wanted.role, wanted.school_id, wanted.region)
    if not own.may_give(place):
        raise caller.forbidden("not for this role or place")
    if place.school_id is not None:
        await _school(request, place.school_id)
    done = entry(actor_of(Caller(own)), "invited", "", wanted.name, _words(place.tidy()))
    with _told():
        token, link = await request.app[LINKS].invite(place, wanted.name, made_by=own.user_id, audit=done)
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


async def _administrator(request: web.Request) -> Account:
    """Who asks, who keeps at least one school or everything."""
    who = await caller.require(request)
    if who.account is None or who.account.role not in GIVES:
        raise caller.forbidden("accounts are kept by administrators")
    return who.account


async def _account(request: web.Request) -> User:
    """The account the path names."""
    with _told():
        return await request.app[caller.ACCOUNTS].get(_id(request.match_info["user_id"]))


async def _school(request: web.Request, school_id: str) -> None:
    """Raises ProblemError where there is none of this id."""
    if school_id not in {one.id for one in await request.app[SCHOOLS].all()}:
        raise ProblemError(404, "school_unknown", "There is no such school")


def _view(user: User, own: Account) -> AccountView:
    place = place_of(user)
    return AccountView(
        user_id=user.id,
        name=user.name,
        role=place.role,
        disabled=user.disabled_at is not None,
        created_at=user.created_at,
        yourself=user.id == own.user_id,
        school_id=place.school_id,
        region=place.region,
        may_change=user.id != own.user_id and own.may_give(place),
    )


def _words(place: Place) -> str:
    return " ".join(filter(None, (place.role, place.school_id, place.region)))


@contextmanager
def _told() -> Iterator[None]:
    """The stores' errors as problems."""
    try:
        yield
    except AccountUnknownError as error:
        raise ProblemError(404, "account_unknown", "There is no such account") from error
    except OutOfReachError as error:
        raise caller.forbidden("not for this role or place") from error
    except TooManyLinksError as error:
        raise ProblemError(429, "too_many_links", "Too many links wait to be used") from error


def _link(token: str, link: Link) -> LinkView:
    return LinkView(url=f"/login#{token}", expires_at=link.expires_at)


def _id(user_id: str) -> str:
    if not (user_id.isascii() and user_id.isalnum() and len(user_id) <= 16):  # PostgreSQL refuses some texts
        raise AccountUnknownError(user_id)
    return user_id


def _used() -> ProblemError:
    return ProblemError(404, "link_unknown", "This link was used, or is too old")


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/accounts",
        accounts,
        "The accounts you keep; administrators",
        reply=AccountList,
    ),
    Endpoint(
        "PATCH",
        "/api/accounts/{user_id}",
        change,
        "Give an account another role or place, close it or open it again; administrators",
        body=ChangedAccount,
        reply=AccountView,
        codes=("account_unknown", "own_account", "school_unknown"),
    ),
    Endpoint(
        "POST",
        "/api/accounts/{user_id}/link",
        reset,
        "A link by which its owner chooses a new password; administrators",
        reply=LinkView,
        status=201,
        codes=("account_unknown", "too_many_links"),
    ),
    Endpoint(
        "POST",
        "/api/accounts/invitations",
        invite,
        "A link by which somebody makes an account of this role; administrators",
        body=Invitation,
        reply=LinkView,
        status=201,
        codes=("school_unknown", "too_many_links"),
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
