"""The composition root: builds everything the server process is made of and passes each its parts.

Lifetimes form a tree: each `cleanup_ctx` below starts its thing before the `yield` and ends it after, in reverse order.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Coroutine
from importlib.metadata import version
from typing import Any

from aiohttp import web

from server import caller, door, health, openapi, pages
from server.accounts import admin_api
from server.accounts import api as accounts_api
from server.accounts.links import AccountLinks
from server.accounts.store import Accounts
from server.archive import api as archive_api
from server.archive.live_lists import LiveLists
from server.archive.places import open_place, store_origin
from server.archive.recordings import Recordings
from server.archive.shown_pages import ShownPages
from server.audit import api as audit_api
from server.audit.trail import Trail
from server.database import create_engine, migrate, sessions
from server.endpoint import MAX_BODY
from server.handouts import api as handouts_api
from server.handouts.store import Handouts
from server.jobs import api as jobs_api
from server.jobs.service import Jobs
from server.lessons import api as lessons_api
from server.lessons import class_pass, entering, materials, participants, planning, qr, statistics
from server.lessons.deletion import Deletions
from server.lessons.doubt import Doubts
from server.lessons.grants import Grants, TokenError
from server.lessons.invitations import Invitations
from server.lessons.let_in import LetIn
from server.lessons.lifecycle import Directory, Lifecycle
from server.lessons.retention import Retention
from server.lessons.store import Lessons, LessonUnknownError
from server.metrics import HttpMeter
from server.phones import api as phones_api
from server.phones import remotes
from server.phones.photos import Photos
from server.phones.tickets import Tickets
from server.preflight import api as preflight_api
from server.preflight.sessions import Preflights
from server.recording import RecorderAttachment
from server.run_folder import RunFolder
from server.schools import api as schools_api
from server.schools.consents import Consents
from server.schools.store import Schools
from server.secret import derive, load_turn_secret
from server.settings import Settings
from server.slides import api as slides_api
from server.slides.renderer import Renderer
from server.slides.shelf import Shelf
from server.slides.store import Slides
from server.tries import WrongTries
from signaling import placement, turn
from signaling import socket as socket_door
from signaling import whip as whip_door
from signaling.bus_memory import MemoryBus
from signaling.grants import Grant, GrantError, Verifier
from signaling.rooms import Limits, Rooms
from signaling.statistics import Surveys
from signaling.workers import Workers

ENDPOINTS = (
    *accounts_api.ENDPOINTS,
    *admin_api.ENDPOINTS,
    *lessons_api.ENDPOINTS,
    *planning.ENDPOINTS,
    *entering.ENDPOINTS,
    *qr.ENDPOINTS,
    *schools_api.ENDPOINTS,
    *participants.ENDPOINTS,
    *statistics.ENDPOINTS,
    *phones_api.ENDPOINTS,
    *remotes.ENDPOINTS,
    *handouts_api.ENDPOINTS,
    *slides_api.ENDPOINTS,
    *materials.ENDPOINTS,
    *archive_api.ENDPOINTS,
    *jobs_api.ENDPOINTS,
    *audit_api.ENDPOINTS,
    *preflight_api.ENDPOINTS,
    *health.ENDPOINTS,
)


def build(settings: Settings, key: bytes, run: RunFolder) -> web.Application:
    """The application of the server process; `key` is the installation's secret."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[door.door, pages.unknown_addresses()])
    app.on_response_prepare.append(door.on_prepare)

    engine = create_engine(settings.database)
    records = sessions(engine)
    lessons = Lessons(records)
    schools = Schools(records)
    consents = Consents(records)
    grants = Grants(key)
    lifecycle = Lifecycle(lessons)
    jobs = Jobs(settings.data, settings.archive, settings.redis_url)
    slides = Slides(settings.data / "slides")
    pages_shown = ShownPages(settings.archive, slides.page)
    recorder = RecorderAttachment(
        run.recorder, lambda lesson_id: _is_over(lessons, lesson_id), jobs.closed, pages_shown
    )
    paths = [run.worker(number) for number in range(settings.worker_count)]
    workers = Workers(paths, settings.viewers_per_worker or placement.VIEWERS)
    bus = MemoryBus(settings.journals)
    photos = Photos(settings.data / "photos")
    handouts = Handouts(settings.data / "handouts")
    shelf = Shelf(slides)
    renderer = Renderer(slides, shelf.settled)
    let_in = LetIn()
    rooms = Rooms(
        bus=bus,
        workers=workers,
        directory=Directory(lessons),
        observers=[lifecycle, recorder, photos, let_in],
        verify=_verifier(grants),
        secret=derive(key, "room sessions"),
        limits=Limits(away=settings.away_seconds),
        consents=consents,
        slides=shelf,
    )
    shelf.attach(rooms)
    recorder.attach(rooms)
    photos.attach(rooms.events)
    let_in.attach(rooms)
    surveys = Surveys(rooms)
    preflights = Preflights(workers)
    place = open_place(settings)
    recordings = Recordings(place)
    ice_servers = _ice_servers(settings)
    trail = Trail(records)
    deletions = Deletions(
        lessons,
        rooms=rooms,
        logs=bus,
        archive=recordings,
        files=place,
        beside=(photos, handouts, slides),
        jobs=jobs,
        being_recorded=recorder.has,
    )
    retention = Retention(settings.retention, lessons, deletions)

    app[caller.ACCOUNTS] = Accounts(records)
    app[caller.GRANTS] = grants
    app[admin_api.LINKS] = AccountLinks(records)
    app[accounts_api.LOGIN_TRIES] = WrongTries("login")
    app[class_pass.PASSES] = class_pass.ClassPasses(derive(key, "class passes"))
    app[entering.CODE_TRIES] = WrongTries("class code")
    app[entering.DOUBTS] = Doubts()
    app[lessons_api.LESSONS] = lessons
    app[lessons_api.INVITATIONS] = Invitations(records, schools)
    app[schools_api.SCHOOLS] = schools
    app[schools_api.CONSENTS] = consents
    app[lessons_api.ROOMS] = rooms
    app[lessons_api.LET_IN] = let_in
    app[lessons_api.RECORDINGS] = recordings
    app[lessons_api.DELETIONS] = deletions
    app[audit_api.TRAIL] = trail
    app[archive_api.ARCHIVE] = recordings
    app[archive_api.RECORDER] = recorder
    app[archive_api.LISTS] = LiveLists()
    app[jobs_api.JOBS] = jobs
    app[statistics.SURVEYS] = surveys
    app[phones_api.TICKETS] = Tickets()
    app[phones_api.TICKET_TRIES] = WrongTries("phone ticket")
    app[remotes.REMOTE_TICKETS] = Tickets()
    app[remotes.REMOTE_TRIES] = WrongTries("remote ticket")
    app[phones_api.PHOTOS] = photos
    app[phones_api.UPLOADS] = set()
    app[handouts_api.HANDOUTS] = handouts
    app[handouts_api.UPLOADS] = set()
    app[slides_api.SLIDES] = slides
    app[slides_api.SHELF] = shelf
    app[slides_api.RENDERER] = renderer
    app[slides_api.UPLOADS] = set()
    app[preflight_api.PREFLIGHTS] = preflights
    app[door.METER] = HttpMeter()
    app[health.ENGINE] = engine
    app[health.WORKERS] = workers
    app[health.RECORDER] = recorder

    async def database(app: web.Application) -> AsyncIterator[None]:
        await migrate(engine)
        yield
        await engine.dispose()

    async def observers(app: web.Application) -> AsyncIterator[None]:
        async with _background(lifecycle.run(), recorder.run(), trail.run(), consents.run()):
            yield

    async def open_rooms(app: web.Application) -> AsyncIterator[None]:
        await deletions.start()
        await rooms.start()
        for lesson_id in await bus.lessons():
            if await _is_over(lessons, lesson_id):  # ended by the command line while no server ran
                await rooms.end(lesson_id)
        async with _background(surveys.run(), deletions.run(), retention.run(), renderer.run()):
            yield
        await preflights.close()
        await rooms.close()

    async def close_rooms(app: web.Application) -> None:
        await rooms.close()  # its sockets first, or the server would wait for them

    async def background_jobs(app: web.Application) -> AsyncIterator[None]:
        yield
        await jobs.close()

    app.cleanup_ctx.extend((database, background_jobs, observers, open_rooms))
    app.on_shutdown.append(close_rooms)

    async def described(request: web.Request) -> web.Response:
        return web.json_response(_description())

    app.add_routes(
        [
            *(endpoint.route() for endpoint in ENDPOINTS),
            web.get("/api/openapi.json", described),
            *socket_door.routes(rooms, ice_servers),
            *whip_door.routes(rooms, ice_servers),
            *pages.routes(store=store_origin(settings)),
        ]
    )
    return app


@functools.cache
def _description() -> dict[str, Any]:
    return openapi.describe(ENDPOINTS, version("tongke"))


def _verifier(grants: Grants) -> Verifier:
    def verify(token: str) -> Grant:
        try:
            claims = grants.read(token)
        except TokenError as error:
            raise GrantError(error.code) from error
        return Grant(
            claims.lesson_id,
            claims.role,
            claims.participant_id,
            claims.name,
            claims.expires_at,
            claims.class_group_id,
            class_id=claims.class_id,
            identity=claims.identity,
            device=claims.device,
            waits=claims.waits,
        )

    return verify


def _ice_servers(settings: Settings) -> turn.IceServers:
    urls = tuple(map(str, settings.turn_server))
    secret = load_turn_secret(settings.turn_secret_file) if settings.turn_secret_file else b""
    return lambda participant_id: turn.ice_servers(urls, secret, participant_id, time.time())


async def _is_over(lessons: Lessons, lesson_id: str) -> bool:
    try:
        return (await lessons.get(lesson_id)).status == "ended"
    except LessonUnknownError:
        return False  # another data folder's archive; not ours to finish


@contextlib.asynccontextmanager
async def _background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
