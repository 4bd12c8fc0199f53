"""Schools and classes over REST: an administrator keeps the list, whoever makes lessons reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field, StringConstraints

from server import caller
from server.endpoint import ONE_LINE, Endpoint, Model, read, reply
from server.schools.consents import Consents
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
    code: str | None = Field(None, description="Eight digits, the class's own all term; only for administrators")
    consent_until: datetime | None = Field(None, description="Lets itself be recorded until then; null: it does not")


class SchoolView(Model):
    school_id: str
    name: str
    region: str
    classes: tuple[ClassView, ...]


class SchoolList(Model):
    schools: tuple[SchoolView, ...]


async def list_schools(request: web.Request) -> web.Response:
    who = await caller.require(request)
    if not who.may_make_lessons():
        raise caller.forbidden()
    return reply(SchoolList(schools=await _list(request, who.administers)))


async def add(request: web.Request) -> web.Response:
    await _administrator(request)
    wanted = await read(request, SchoolWords)
    with _told():
        made = await request.app[SCHOOLS].add(wanted.name, wanted.region)
    return reply(SchoolView(school_id=made.id, name=made.name, region=made.region, classes=()), 201)


async def change(request: web.Request) -> web.Response:
    await _administrator(request)
    wanted = await read(request, SchoolWords)
    with _told():
        await request.app[SCHOOLS].change(request.match_info["school_id"], wanted.name, wanted.region)
    return web.Response(status=204)


async def remove(request: web.Request) -> web.Response:
    await _administrator(request)
    with _told():
        await request.app[SCHOOLS].remove(request.match_info["school_id"])
    return web.Response(status=204)


async def add_class(request: web.Request) -> web.Response:
    await _administrator(request)
    wanted = await read(request, ClassWords)
    with _told():
        made = await request.app[SCHOOLS].add_class(request.match_info["school_id"], wanted.name, wanted.headcount)
    return reply(_view(made, None, True), 201)


async def change_class(request: web.Request) -> web.Response:
    await _administrator(request)
    wanted = await read(request, ClassWords)
    with _told():
        await request.app[SCHOOLS].change_class(request.match_info["class_group_id"], wanted.name, wanted.headcount)
    return reply(await _one(request, request.match_info["class_group_id"]))


async def renew_code(request: web.Request) -> web.Response:
    """The old code opens nothing any more: its bookmarks have to be made anew."""
    await _administrator(request)
    with _told():
        await request.app[SCHOOLS].renew_code(request.match_info["class_group_id"])
    return reply(await _one(request, request.match_info["class_group_id"]))


async def remove_class(request: web.Request) -> web.Response:
    await _administrator(request)
    with _told():
        await request.app[SCHOOLS].remove_class(request.match_info["class_group_id"])
    return web.Response(status=204)


async def _administrator(request: web.Request) -> None:
    if not (await caller.require(request)).administers:
        raise caller.forbidden("the list of schools is kept by administrators")


async def _list(request: web.Request, codes: bool) -> tuple[SchoolView, ...]:
    schools = request.app[SCHOOLS]
    classes = await schools.classes()
    until = await request.app[CONSENTS].until()
    return tuple(
        SchoolView(
            school_id=school.id,
            name=school.name,
            region=school.region,
            classes=tuple(
                _view(one, until.get(one.class_group_id), codes) for one in classes if one.school_id == school.id
            ),
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
