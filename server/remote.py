"""Acting on a server that runs on this machine, through its own API."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request

from server.data_folder import DataFolder, Running
from server.database import now
from server.failure import CannotWorkError
from server.lessons.grants import Grants
from server.lessons.store import LessonUnknownError
from server.records import open_records
from server.secret import load_secret
from server.settings import Settings

TIMEOUT = 20.0  # seconds; ending a lesson waits until its recording is closed


def end_lesson(settings: Settings, lesson_id: str) -> None:
    """End a lesson for everyone: by the running server, else in the database. Raises CannotWorkError."""
    running = DataFolder(settings.data).running()
    if running is None:
        asyncio.run(_end_in_database(settings, lesson_id))
        return
    token, _ = Grants(load_secret(settings.secret)).mint("", "admin", ttl=60)
    _post(running, f"/api/lessons/{lesson_id}/end", token)


def _post(running: Running, path: str, token: str) -> None:
    request = urllib.request.Request(  # noqa: S310 - the URL is our own server's
        running.url + path, b"", {"Authorization": f"Bearer {token}"}, method="POST"
    )
    # No proxy of the environment may stand between this machine and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(request, timeout=TIMEOUT).close()
    except urllib.error.HTTPError as error:
        raise CannotWorkError(_sentence(error)) from error
    except OSError as error:
        raise CannotWorkError(f"The server at {running.url} does not answer: {error}.") from error


def _sentence(error: urllib.error.HTTPError) -> str:
    try:
        problem = json.loads(error.read())
        return f"{problem['title']} ({problem['code']})."
    except (ValueError, KeyError, TypeError):
        return f"The server answers {error.code}."


async def _end_in_database(settings: Settings, lesson_id: str) -> None:
    async with open_records(settings) as records:
        try:
            await records.lessons.get(lesson_id)
        except LessonUnknownError as error:
            raise CannotWorkError(f"There is no lesson {lesson_id}.") from error
        await records.lessons.ended(lesson_id, now())
