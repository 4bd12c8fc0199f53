"""`tongke archive verify|repair|move|import`: what an operator does with the archive. Runs beside a live server."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from recorder.places import forgotten
from recorder.places.mend import mend as mend_lesson
from recorder.places.moving import copy as copy_lesson
from recorder.places.moving import move as move_lesson
from recorder.places.place import Place, PlaceError
from recorder.places.stored import StorePlace
from recorder.places.verify import LessonOpenError, Report
from recorder.places.verify import verify as verify_lesson
from recorder.places.waiting import DamagedError
from server.archive.export import teller
from server.archive.places import open_place, open_store
from server.audit.trail import SERVER, entry
from server.data_folder import PRIVATE, DataFolder, why_not
from server.failure import CannotWorkError
from server.jobs.ledger import JobsUnavailableError
from server.jobs.queue import Queue
from server.jobs.service import put, wanted_of
from server.lessons.kinds import LessonKind
from server.lessons.store import NoFreeCodeError
from server.records import open_records
from server.settings import Settings


def verify(settings: Settings, lesson_ids: Sequence[str], quick: bool, as_json: bool) -> int:
    """Say of each lesson whether it is whole; 1 if one is not. Raises CannotWorkError."""
    place, code, reports = open_place(settings), 0, []
    for lesson_id in _chosen(place, lesson_ids):
        with _said(place, lesson_id):
            try:
                report = verify_lesson(place, lesson_id, quick)
            except LessonOpenError:
                if not as_json:
                    sys.stdout.write(f"{lesson_id}: being recorded\n")
                continue
        code = 1 if report.problems else code
        if as_json:
            reports.append(_as_json(report))
        else:
            sys.stdout.writelines(_lines(report))
    if as_json:
        sys.stdout.write(json.dumps({"lessons": reports}, ensure_ascii=False) + "\n")
    return code


def repair(settings: Settings, lesson_ids: Sequence[str]) -> int:
    """Mend each lesson that is not whole; 1 if something was lost for good. Raises CannotWorkError."""
    os.umask(PRIVATE)
    place, code = open_place(settings), 0
    for lesson_id in _chosen(place, lesson_ids):
        with _said(place, lesson_id):
            try:
                mended = mend_lesson(place, lesson_id)
            except LessonOpenError:
                continue
        for what, paths in (("fetched", mended.fetched), ("sent again", mended.sent), ("lost", mended.lost)):
            sys.stdout.writelines(f"{lesson_id}: {what} {path}\n" for path in paths)
        code = 1 if mended.lost else code
    return code


def move(settings: Settings, lesson_ids: Sequence[str], to: str, keep: bool) -> int:
    """Bring lessons to another store or folder; with `keep` they stay here, too. Raises CannotWorkError."""
    os.umask(PRIVATE)
    place = open_place(settings)
    try:
        target = open_store(settings, to)
    except ValueError as error:
        raise CannotWorkError(f"--to takes a folder (file:///…) or s3://bucket/prefix: {error}.") from error
    if target.name in (settings.archive_url.rstrip("/"), str(place.folder)):
        raise CannotWorkError("The lessons are there already.")
    work = copy_lesson if keep else move_lesson
    for lesson_id in _chosen(place, lesson_ids):
        with _said(place, lesson_id):
            try:
                size = work(place, lesson_id, target, teller(sys.stderr))
            except LessonOpenError:
                sys.stdout.write(f"{lesson_id}: being recorded, left here\n")
                continue
            except DamagedError as error:
                raise CannotWorkError(f"Lesson {lesson_id}: {error}; run `tongke archive repair` first.") from error
        sys.stdout.write(f"{lesson_id}: {size} bytes, now in {target.name}\n")
    _finish_deletions(settings, place)
    return 0


def bring_in(settings: Settings, film: Path, title: str, kind: LessonKind, as_json: bool) -> int:
    """Make a lesson of a film and say its id. Raises CannotWorkError."""
    from recorder.importing.film import FilmError, time_of
    from recorder.importing.film import bring_in as import_film

    os.umask(PRIVATE)
    os.nice(19)
    place = open_place(settings)
    try:
        begun, ended = time_of(film)
        lesson_id = asyncio.run(_record(settings, title, kind, begun, ended))
        try:
            place.folder.mkdir(parents=True, exist_ok=True)
            duration_ms = import_film(film, place.folder, lesson_id, title, begun, teller(sys.stderr))
        except BaseException:
            asyncio.run(_forget(settings, lesson_id))
            raise
    except FilmError as error:
        raise CannotWorkError(str(error)) from error
    except NoFreeCodeError as error:
        raise CannotWorkError("All class codes are in use: end lessons that are over.") from error
    except OSError as error:
        raise CannotWorkError(why_not(error, place.folder)) from error
    _ask_for_jobs(settings, place.folder / lesson_id)
    made = {"lesson_id": lesson_id, "duration_ms": duration_ms}
    sys.stdout.write(json.dumps(made) + "\n" if as_json else f"lesson_id: {lesson_id}\n")
    return 0


async def _record(settings: Settings, title: str, kind: LessonKind, begun: datetime, ended: datetime) -> str:
    """The lesson in the records: over, and kept however old it is, for it was brought in on purpose."""
    async with open_records(settings) as records:
        lesson, _ = await records.lessons.create(title, kind)
        await records.lessons.started(lesson.id, begun)
        await records.lessons.ended(lesson.id, ended)
        await records.lessons.set_keep(lesson.id, True, entry(SERVER, "kept", lesson.id, title, "imported"))
        return lesson.id


async def _forget(settings: Settings, lesson_id: str) -> None:
    async with open_records(settings) as records:
        await records.lessons.remove(lesson_id)


def _finish_deletions(settings: Settings, place: Place) -> None:
    """A running node's uploader does it by itself; else its next start would delete a lesson that was moved back."""
    if isinstance(place, StorePlace) and DataFolder(settings.data).running() is None:
        with suppress(PlaceError):  # then the next start does it
            forgotten.carry_out(place.folder, place.store)


def _ask_for_jobs(settings: Settings, folder: Path) -> None:
    """Poster and storyboard are made by the node, now or when it starts; without them the lesson can be watched."""
    try:
        put(Queue(settings.data, settings.redis_url), folder.name, wanted_of(folder))
    except JobsUnavailableError as error:
        sys.stderr.write(f"Its poster and storyboard cannot be asked for: {error}.\n")


def _chosen(place: Place, lesson_ids: Sequence[str]) -> list[str]:
    """The lessons that were named, else all."""
    try:
        return list(lesson_ids) or place.lessons()
    except PlaceError as error:
        raise CannotWorkError(f"The archive cannot be listed: {error}.") from error


@contextmanager
def _said(place: Place, lesson_id: str) -> Iterator[None]:
    """What hinders, as a sentence."""
    try:
        yield
    except LookupError as error:
        raise CannotWorkError(f"There is no recording of a lesson {lesson_id}.") from error
    except PlaceError as error:
        raise CannotWorkError(f"The archive's store cannot be used: {error}.") from error
    except OSError as error:
        raise CannotWorkError(why_not(error, place.folder)) from error


def _lines(report: Report) -> Iterator[str]:
    for finding in report.problems:
        words = [f"{finding.here} here"] if finding.here != "good" else []
        words += [f"{finding.there} in the store"] if finding.there not in ("", "good") else []
        yield f"{report.lesson_id}: {finding.path}: {', '.join(words)}{' - lost' if finding.lost else ''}\n"
    waits = f", {report.waiting} wait for the store" if report.waiting else ""
    state = f"{len(report.problems)} damaged" if report.problems else "good"
    yield f"{report.lesson_id}: {report.files} files, {report.bytes} bytes: {state}{waits}\n"


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "lesson_id": report.lesson_id,
        "files": report.files,
        "bytes": report.bytes,
        "waiting": report.waiting,
        "problems": [
            {"path": one.path, "here": one.here, "there": one.there or None, "lost": one.lost}
            for one in report.problems
        ],
    }
