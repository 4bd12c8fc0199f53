"""What a lesson brings along, its slides and handouts, taken over into the next one."""

from __future__ import annotations

import asyncio
from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from server import caller
from server.endpoint import Endpoint, Model, read, reply
from server.handouts.api import HANDOUTS
from server.handouts.store import TooManyHandoutsError
from server.lessons.api import find
from server.slides.api import SHELF, SLIDES
from server.slides.store import TooManySlidesError
from signaling.problems import ProblemError


class WantedMaterials(Model):
    lesson_id: Annotated[str, StringConstraints(min_length=1, max_length=16)]


class Materials(Model):
    slides: int
    handouts: int


async def take(request: web.Request) -> web.Response:
    """Both lessons must be the caller's to run. What is not drawn yet is not taken along."""
    who = await caller.require(request)
    lesson = await find(request, request.match_info["lesson_id"])
    wanted = await read(request, WantedMaterials)
    other = await find(request, wanted.lesson_id)
    if not (who.may_run(lesson) and who.may_run(other)):
        raise caller.forbidden()
    if lesson.status == "ended":
        raise ProblemError(410, "lesson_ended", "The lesson is over")
    try:
        handouts = await asyncio.to_thread(request.app[HANDOUTS].copy, other.id, lesson.id)
        slides = await asyncio.to_thread(request.app[SLIDES].copy, other.id, lesson.id)
    except (TooManyHandoutsError, TooManySlidesError) as error:
        raise ProblemError(409, "too_many_materials", "The lesson would have more than it may") from error
    except OSError as error:
        raise ProblemError(503, "materials_not_kept", "Slides and handouts could not be taken over") from error
    for one in slides:
        request.app[SHELF].settled(lesson.id, one)
    return reply(Materials(slides=len(slides), handouts=handouts))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/lessons/{lesson_id}/materials",
        take,
        "Take over the slides and handouts of another lesson, for one that is taught again",
        body=WantedMaterials,
        reply=Materials,
        codes=("lesson_unknown", "lesson_ended", "too_many_materials", "materials_not_kept"),
    ),
)
