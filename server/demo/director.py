"""Plays the demo beside a running server: makes its accounts and lessons, and keeps the synthetic teacher teaching.

    python -m server.demo.director --http URL [--https URL]          settings by environment

A live lesson lasts as long as a real one; then the next begins under the same class code and the one before the last is
removed, so that a demo left running does not fill the disk. The recorded lesson is made once, the same way.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import shutil
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from server.accounts.passwords import random_password
from server.archive.places import open_place
from server.archive.recordings import Recordings
from server.database import now
from server.demo import deck, welcome
from server.demo import state as memory
from server.demo.lecturer import Lecturer
from server.failure import CannotWorkError
from server.lessons.grants import Grants
from server.lessons.model import Lesson
from server.lessons.store import LessonUnknownError
from server.listeners import local_addresses
from server.log import to_stderr
from server.records import Records, open_records
from server.remote import end_lesson
from server.secret import load_secret
from server.settings import Settings, load
from server.slides.store import Slides
from server.supervisor import die_with_parent

_log = logging.getLogger("tongke.demo")

LESSON_TIME = timedelta(minutes=45)
RECORDED_TIME = timedelta(minutes=2)
LEAST_LEFT = timedelta(minutes=2)  # a lesson that ends sooner is not gone on with after a restart
KEPT = 1  # live lessons that are over and can still be replayed
FAILED_PAUSE = 10.0  # seconds until a publisher that could not work is tried again
GRANT_TIME = timedelta(hours=24)  # longer than a lesson, for a teacher that must connect again

TEACHER = "t-demo"  # the participant as whom the synthetic teacher publishes, so that it replaces itself

LIVE_TITLE = "六年级语文《草原》(直播示例)"
RECORDED_TITLE = "六年级数学《圆的面积》(回放示例)"

# Name, region, and classes with their head-counts.
SCHOOLS: tuple[tuple[str, str, tuple[tuple[str, int], ...]], ...] = (
    ("阜平一小", "河北省阜平县", (("六(1)班", 41), ("六(2)班", 43))),
    ("张北实验小学", "河北省张北县", (("六(1)班", 38),)),
)


class Director:
    def __init__(self, settings: Settings, records: Records, http: str, https: str | None) -> None:
        self._settings = settings
        self._records = records
        self._http = http
        self._https = https
        self._grants = Grants(load_secret(settings.secret))
        self._recordings = Recordings(open_place(settings))
        self._path = settings.data / "demo.json"
        self._state = memory.load(self._path)

    async def play(self) -> None:
        """Prepare, welcome, and teach until cancelled."""
        owner_id = await self._accounts()
        await self._schools()
        live = await self._live_lesson(owner_id)
        recorded = self._has_recording()
        sys.stdout.write(welcome.text(self._state, self._http, self._elsewhere(), recorded))
        sys.stdout.flush()
        async with asyncio.TaskGroup() as tasks:
            if not recorded:
                tasks.create_task(self._record(owner_id))
            tasks.create_task(self._teach_on(live, owner_id))

    async def _accounts(self) -> str:
        """Make the sample accounts, or keep them; returns the teacher's id."""
        ids = []
        for name, role, _ in welcome.ACCOUNTS:
            account = await self._records.accounts.find(name)
            known = self._state.passwords.get(name)
            password = self._state.passwords[name] = known or random_password()
            self._save()
            if account is None:
                account = await self._records.accounts.add(name, role, password)
            elif known is None:
                await self._records.accounts.set_password(name, password)
            ids.append(account.user_id)
        assert ids[0] is not None
        return ids[0]

    async def _schools(self) -> None:
        """Sample schools with classes, for a list that is empty. The live lesson invites none and so lets all in."""
        schools = self._records.schools
        if await schools.all():
            return
        for name, region, classes in SCHOOLS:
            school = await schools.add(name, region)
            for class_name, headcount in classes:
                await schools.add_class(school.id, class_name, headcount)

    async def _live_lesson(self, owner_id: str) -> Lesson:
        """The lesson to go on with, or the next one under the same code."""
        state, lessons = self._state, self._records.lessons
        if state.live is not None:
            with contextlib.suppress(LessonUnknownError):
                lesson = await lessons.get(state.live)
                if lesson.status != "ended":
                    if _left(lesson) > LEAST_LEFT:
                        return lesson
                    await self._end(lesson.id)
            state.past.append(state.live)
        lesson, code = await lessons.create(LIVE_TITLE, "delivered_class", owner_id)
        if state.code is not None and await lessons.move_code(state.code, lesson.id):
            code = state.code
        state.live, state.code = lesson.id, code
        self._save()
        await self._forget_old()
        return lesson

    async def _teach_on(self, lesson: Lesson, owner_id: str) -> None:
        """One lesson after the other."""
        while True:
            code = await self._publish(lesson.id, _left(lesson), deck.GRASSLAND)
            lesson = await self._records.lessons.get(lesson.id)
            if code == 0 or lesson.status == "ended":
                await self._end(lesson.id)
                lesson = await self._live_lesson(owner_id)
            else:
                _log.error("the synthetic teacher cannot teach", extra={"exit": code})
                await asyncio.sleep(FAILED_PAUSE)

    async def _record(self, owner_id: str) -> None:
        """Make the sample recording; one that was cut short is made again."""
        state, lessons = self._state, self._records.lessons
        if state.recorded is not None:
            await self._end(state.recorded)
            await self._remove(state.recorded)
        lesson, _ = await lessons.create(RECORDED_TITLE, "delivered_class", owner_id)
        state.recorded = lesson.id
        self._save()
        await self._publish(lesson.id, RECORDED_TIME, deck.CIRCLE)
        await self._end(lesson.id)

    def _has_recording(self) -> bool:
        return self._state.recorded is not None and self._recordings.word(self._state.recorded) == "ready"

    async def _publish(self, lesson_id: str, length: timedelta, slides: deck.Deck) -> int:
        """Let the synthetic teacher teach this lesson for this long, with these slides; returns its exit code."""
        token, _ = self._grants.mint(
            lesson_id, "lead_teacher", name="主讲教师甲", participant_id=TEACHER, ttl=GRANT_TIME.total_seconds()
        )
        with tempfile.TemporaryDirectory(prefix="tongke-demo-") as folder:
            path = Path(folder) / "token"
            path.touch(mode=0o600)
            path.write_text(token)
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "server.demo.publisher", "--url", f"{self._http}/whip/{lesson_id}"),
                *("--token-file", str(path), "--seconds", str(int(length.total_seconds()))),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sys.stderr,
                preexec_fn=die_with_parent,
            )
            lecture = asyncio.create_task(Lecturer(self._http, lesson_id, token).run(slides))
            try:
                return await process.wait()
            finally:
                lecture.cancel()
                await asyncio.gather(lecture, return_exceptions=True)
                if process.returncode is None:
                    process.terminate()
                    await process.wait()

    async def _end(self, lesson_id: str) -> None:
        with contextlib.suppress(CannotWorkError):  # ended or removed by somebody else
            await asyncio.to_thread(end_lesson, self._settings, lesson_id)

    async def _forget_old(self) -> None:
        while len(self._state.past) > KEPT:
            await self._remove(self._state.past.pop(0))
            self._save()

    async def _remove(self, lesson_id: str) -> None:
        """A demo's own lesson with its recording and its slides."""
        await self._records.lessons.remove(lesson_id)
        with contextlib.suppress(OSError):
            await asyncio.to_thread(Slides(self._settings.data / "slides").delete, lesson_id)
        folder = self._recordings.folder(lesson_id)
        if folder is not None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _elsewhere(self) -> str | None:
        """How other devices reach the server: by TLS, or they would get no camera."""
        ips = [*self._settings.public_ip, *(ip for ip in local_addresses() if not ip.startswith(("127.", "::1")))]
        bound = self._settings.https
        if self._https is None or bound is None:
            return None
        if bound.host not in ("0.0.0.0", "::"):  # noqa: S104
            return None if bound.host in ("127.0.0.1", "::1", "localhost") else self._https
        if not ips:
            return None
        host = f"[{ips[0]}]" if ":" in ips[0] else ips[0]
        return f"https://{host}:{urlsplit(self._https).port}"

    def _save(self) -> None:
        memory.save(self._path, self._state)


def _left(lesson: Lesson) -> timedelta:
    """How long a live lesson still lasts."""
    return LESSON_TIME - (now() - lesson.started_at if lesson.started_at else timedelta(0))


async def _play(settings: Settings, http: str, https: str | None) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        async with open_records(settings) as records:
            await Director(settings, records, http, https).play()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m server.demo.director", description="Play the demo.")
    parser.add_argument("--http", required=True)
    parser.add_argument("--https")
    given = parser.parse_args(arguments)
    to_stderr("demo")
    asyncio.run(_play(load(), given.http, given.https))
    return 0


if __name__ == "__main__":
    sys.exit(main())
