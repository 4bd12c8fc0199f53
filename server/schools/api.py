"""Schools and classes over REST: administrators keep the list, whoever makes lessons reads it.

A region's administrator adds, renames and removes schools of that region, a school's only renames its own: in which
region a school is says who keeps it. Classes and their codes are kept by whoever keeps their school.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field, StringConstraints

from server import caller
from server.audit.model import AuditEntry
from server.audit.trail import AuditAction, actor_of, entry
from server.caller import Caller
from server.endpoint import ONE_LINE, Endpoint, Model, read, reply
from server.schools.consents import Consents
from server.schools.model import School
from server.schools.store import ClassUnknownError, KnownClass, Schools, SchoolUnknownError, TakenError
from signaling.problems import ProblemError

SCHOOLS = web.AppKey("schools", Schools)
CONSENTS = web.AppKey("consents", Consents)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=ONE_LINE)]
Headcount = Annotated[int, Field(ge=0, le=9999)]


class SchoolWords(Model):
    name: Name
    region: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80, pattern=ONE_LINE)] = ""


class ClassWords(Model):
    name: Name
    headcount: Headcount | None = None


class ClassView(Model):
    class_group_id: str
    name: str
    headcount: int | None
    code: str | None = Field(None, description="Eight digits, its own all term; only for those who keep the school")
    consent_until: datetime | None = Field(None, description="Lets itself be recorded until then; null: it does not")


class SchoolView(Model):
    school_id: str
    name: str
    region: str
    classes: tuple[ClassView, ...]
    kept: bool = Field(description="Whether you keep its name and its classes")


class SchoolList(Model):
    schools: tuple[SchoolView, ...]
    may_add: bool = Field(description="Whether you may add and remove schools")
    region: str | None = Field(None, description="The only one you may add schools in; null: any")


async def list_schools(request: web.Request) -> web.Response:
    who = await caller.require(request)
    if not who.may_make_lessons():
        raise caller.forbidden()
    region = who.account.region if who.account and not who.administers else None
    return reply(SchoolList(schools=await _list(request, who), may_add=_may_add(who, region or ""), region=region))


async def add(request: web.Request) -> web.Response:
    who = await _administrator(request)
    wanted = await read(request, SchoolWords)
    if not _may_add(who, wanted.region):
        raise caller.forbidden("schools are added by administrators, in their own region")
    with _told():
        made = await request.app[SCHOOLS].add(
            wanted.name, wanted.region, _done(who, "school_added", wanted.name, wanted.region)
        )
    view = SchoolView(school_id=made.id, name=made.name, region=made.region, classes=(), kept=True)
    return reply(view, 201)


async def change(request: web.Request) -> web.Response:
    who = await _administrator(request)
    wanted = await read(request, SchoolWords)
    school = await _kept(request, who)
    if school.region != wanted.region and not who.administers:
        raise caller.forbidden("only an administrator moves a school to another region")
    with _told():
        await request.app[SCHOOLS].change(
            school.id,
            wanted.name,
            wanted.region,
            _done(who, "school_changed", wanted.name, f"{school.name} {school.region} -> {wanted.region}"),
        )
    return web.Response(status=204)


async def remove(request: web.Request) -> web.Response:
    who = await _administrator(request)
    school = await _kept(request, who)
    if not _may_add(who, school.region):
        raise caller.forbidden("a school's own administrator does not take it off the list")
    with _told():
        await request.app[SCHOOLS].remove(school.id, _done(who, "school_removed", school.name, school.region))
    return web.Response(status=204)


async def add_class(request: web.Request) -> web.Response:
    who = await _administrator(request)
    wanted = await read(request, ClassWords)
    school = await _kept(request, who)
    with _told():
        made = await request.app[SCHOOLS].add_class(
            school.id, wanted.name, wanted.headcount, lambda: _done(who, "class_added", wanted.name, school.name)
        )
    return reply(_view(made, None, True), 201)


async def change_class(request: web.Request) -> web.Response:
    who = await _administrator(request)
    wanted = await read(request, ClassWords)
    known = await _kept_class(request, who)
    with _told():
        await request.app[SCHOOLS].change_class(
            known.class_group_id,
            wanted.name,
            wanted.headcount,
            _done(who, "class_changed", known.full_name, f"{wanted.name} {wanted.headcount}"),
        )
    return reply(await _one(request, known.class_group_id))


async def renew_code(request: web.Request) -> web.Response:
    """The old code opens nothing any more: its bookmarks have to be made anew."""
    who = await _administrator(request)
    known = await _kept_class(request, who)
    with _told():
        await request.app[SCHOOLS].renew_code(known.class_group_id, lambda: _done(who, "code_renewed", known.full_name))
    return reply(await _one(request, known.class_group_id))


async def remove_class(request: web.Request) -> web.Response:
    who = await _administrator(request)
    known = await _kept_class(request, who)
    with _told():
        await request.app[SCHOOLS].remove_class(known.class_group_id, _done(who, "class_removed", known.full_name))
    return web.Response(status=204)


async def _administrator(request: web.Request) -> Caller:
    who = await caller.require(request)
    if who.account is None or not (who.administers or who.account.role in ("school_admin", "region_admin")):
        raise caller.forbidden("the list of schools is kept by administrators")
    return who


async def _kept(request: web.Request, who: Caller) -> School:
    """The school the path names, if the caller keeps it."""
    with _told():
        school = await request.app[SCHOOLS].get(request.match_info["school_id"])
    if not who.keeps(school.id):
        raise caller.forbidden("another school")
    return school


async def _kept_class(request: web.Request, who: Caller) -> KnownClass:
    """The class the path names, if the caller keeps its school."""
    with _told():
        known = await request.app[SCHOOLS].class_of(request.match_info["class_group_id"])
    if not who.keeps(known.school_id):
        raise caller.forbidden("a class of another school")
    return known


def _may_add(who: Caller, region: str) -> bool:
    """Whether they may add and remove schools of this region."""
    if who.account is None:
        return False
    return who.administers or (who.account.role == "region_admin" and region != "" and region == who.account.region)


def _done(who: Caller, action: AuditAction, title: str, detail: str = "") -> AuditEntry:
    return entry(actor_of(who), action, "", title, detail)


async def _list(request: web.Request, who: Caller) -> tuple[SchoolView, ...]:
    schools = request.app[SCHOOLS]
    classes = await schools.classes()
    until = await request.app[CONSENTS].until()
    return tuple(
        SchoolView(
            school_id=school.id,
            name=school.name,
            region=school.region,
            classes=tuple(
                _view(one, until.get(one.class_group_id), who.keeps(school.id))
                for one in classes
                if one.school_id == school.id
            ),
            kept=who.keeps(school.id),
        )
        for school in await schools.all()
    )


async def _one(request: web.Request, class_group_id: str) -> ClassView:
    with _told():
        known = await request.app[SCHOOLS].class_of(class_group_id)
    return _view(known, (await request.app[CONSENTS].until()).get(class_group_id), True)


def _view(known: KnownClass, consent_until: datetime | None, codes: bool) -> ClassView:
    return ClassView(
        class_group_id=known.class_group_id,
        name=known.name,
        headcount=known.headcount,
        code=known.code if codes else None,
        consent_until=consent_until,
    )


@contextmanager
def _told() -> Iterator[None]:
    """The store's errors as problems."""
    try:
        yield
    except SchoolUnknownError as error:
        raise ProblemError(404, "school_unknown", "There is no such school") from error
    except ClassUnknownError as error:
        raise ProblemError(404, "class_unknown", "There is no such class") from error
    except TakenError as error:
        raise ProblemError(409, "name_taken", "There is one of this name already") from error


ENDPOINTS = (
    Endpoint("GET", "/api/schools", list_schools, "Schools with their classes", reply=SchoolList),
    Endpoint(
        "POST",
        "/api/schools",
        add,
        "Add a school; administrators",
        body=SchoolWords,
        reply=SchoolView,
        status=201,
        codes=("name_taken",),
    ),
    Endpoint(
        "PATCH",
        "/api/schools/{school_id}",
        change,
        "Call a school otherwise; administrators",
        body=SchoolWords,
        status=204,
        codes=("school_unknown", "name_taken"),
    ),
    Endpoint(
        "DELETE",
        "/api/schools/{school_id}",
        remove,
        "Take a school off the list, with its classes; administrators",
        status=204,
        codes=("school_unknown",),
    ),
    Endpoint(
        "POST",
        "/api/schools/{school_id}/classes",
        add_class,
        "Add a class; its own code comes with it; administrators",
        body=ClassWords,
        reply=ClassView,
        status=201,
        codes=("school_unknown", "name_taken"),
    ),
    Endpoint(
        "PATCH",
        "/api/class-groups/{class_group_id}",
        change_class,
        "Call a class otherwise; administrators",
        body=ClassWords,
        reply=ClassView,
        codes=("class_unknown", "name_taken"),
    ),
    Endpoint(
        "DELETE",
        "/api/class-groups/{class_group_id}",
        remove_class,
        "Take a class off the list; administrators",
        status=204,
        codes=("class_unknown",),
    ),
    Endpoint(
        "POST",
        "/api/class-groups/{class_group_id}/code",
        renew_code,
        "Give a class a new code of its own; administrators",
        reply=ClassView,
        codes=("class_unknown",),
    ),
)
