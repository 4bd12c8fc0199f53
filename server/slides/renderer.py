"""Has slides drawn, a set at a time by a process of its own each, and says when one is ready or never will be.

What waits is what the notes say is not drawn yet, so that a restart loses nothing; what was drawn already is not drawn
again.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import sys
import typing
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from dataclasses import replace

from server.slides.slide_set import MAX_PAGES, SlideSet, SlidesFault
from server.slides.store import Slides

AT_ONCE = 2  # so that one large set does not keep all others waiting
TRIES = 5  # of one set: as often the server may have been restarted meanwhile
# Seconds without a page, after which the process is stuck. It is busy, and bounded, in CPU time; this is for a machine
# that gives it next to none, and for what does not take any.
STUCK = 300.0
LEAST_FREE = 256 * 1024 * 1024  # bytes on the disk, below which nothing is drawn: lessons need them more

_KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "TZ")  # of our environment; the rest may be secret
_SIDE = 16_383  # pixels, the most that WebP knows

_log = logging.getLogger("tongke.slides")

Settled = Callable[[str, SlideSet], None]


class Renderer:
    """`settled` is told of each set that is ready or has failed, on the event loop; it must not block."""

    def __init__(self, slides: Slides, settled: Settled) -> None:
        self._slides = slides
        self._settled = settled
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._done: dict[str, tuple[int, int | None]] = {}  # slides_id -> pages drawn, of how many, while it is drawn

    def put(self, lesson_id: str, slides_id: str) -> None:
        """Have it drawn when its turn comes."""
        self._waiting.put_nowait((lesson_id, slides_id))

    def progress(self, one: SlideSet) -> tuple[int, int | None]:
        """How many pages are drawn, of how many; None while nobody has counted them."""
        if one.state == "ready":
            return one.pages or 0, one.pages
        return self._done.get(one.slides_id, (0, one.pages))

    async def run(self) -> None:
        """Draw what waits, until cancelled; first what a former process left undone."""
        try:
            for lesson_id, one in await asyncio.to_thread(lambda: list(self._slides.unfinished())):
                self.put(lesson_id, one.slides_id)
        except OSError as error:
            _log.error("what slides wait to be drawn cannot be known: %s", error)
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            lesson_id, slides_id = await self._waiting.get()
            try:
                await self._make(lesson_id, slides_id)
            except FileNotFoundError:
                pass  # it was taken away, alone or with its lesson
            except Exception:
                _log.exception("slides are not drawn", extra={"lesson_id": lesson_id})
            finally:
                self._done.pop(slides_id, None)

    async def _make(self, lesson_id: str, slides_id: str) -> None:
        """Draw one set and put down what became of it. Raises FileNotFoundError if it is taken away meanwhile."""
        one = await asyncio.to_thread(self._slides.find, lesson_id, slides_id)
        if one is None or one.state != "rendering":
            return
        one = replace(one, tries=one.tries + 1)
        try:
            if one.tries > TRIES:
                raise _FailedError("too_complex")
            await asyncio.to_thread(self._slides.put, lesson_id, one)
            drawn = await self._draw(lesson_id, one)
            settled = replace(drawn, state="ready")
        except _FailedError as error:
            settled = replace(one, state="failed", reason=error.reason)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            settled = replace(one, state="failed", reason="disk_full")
        await asyncio.to_thread(self._slides.settle, lesson_id, settled)
        what = {"lesson_id": lesson_id, "pages": settled.pages, "state": settled.state, "reason": settled.reason}
        _log.info("slides are drawn" if settled.state == "ready" else "slides cannot be drawn", extra=what)
        self._settled(lesson_id, settled)

    async def _draw(self, lesson_id: str, one: SlideSet) -> SlideSet:
        """The set with what is known when all its pages are there. Raises _FailedError and FileNotFoundError."""
        folder = self._slides.folder(lesson_id, one.slides_id)
        assert folder is not None
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "server.slides.drawing", str(folder.absolute()), one.kind),
            stdin=DEVNULL,
            stdout=PIPE,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
        )
        done = 0
        try:
            assert process.stdout is not None
            while line := await self._line(process):
                said = _understood(line)
                if (reason := said.get("failed")) is not None:
                    raise _FailedError(typing.cast(SlidesFault, reason))
                if "pages" in said:
                    one = replace(one, pages=said["pages"], width=said["width"], height=said["height"])
                done = typing.cast(int, said.get("done", done))
                self._done[one.slides_id] = (done, one.pages)
                space = os.statvfs(folder)  # FileNotFoundError once it is taken away
                if space.f_bavail * space.f_frsize < LEAST_FREE:
                    raise _FailedError("disk_full")
            code = await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if code != 0 or not one.pages or done != one.pages:
            await asyncio.to_thread(os.stat, folder)
            # Ended by the kernel for what it took, or by itself for want of memory: another file may do better.
            _log.warning("the process that draws slides has ended", extra={"lesson_id": lesson_id, "code": code})
            raise _FailedError("too_complex")
        return one

    async def _line(self, process: Process) -> bytes:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(STUCK):
                return await process.stdout.readline()
        except TimeoutError as error:
            raise _FailedError("too_complex") from error
        except ValueError as error:  # a line without an end
            raise _FailedError("damaged") from error


class _FailedError(Exception):
    def __init__(self, reason: SlidesFault) -> None:
        super().__init__(reason)
        self.reason: SlidesFault = reason


def _understood(line: bytes) -> dict[str, typing.Any]:
    """What the process says, which a file may have taken over. Raises _FailedError for what it would not say."""
    try:
        said = json.loads(line)
        bounds = {"pages": MAX_PAGES, "width": _SIDE, "height": _SIDE, "done": MAX_PAGES}
        numbers = all(
            type(said[name]) is int and 1 <= said[name] <= most for name, most in bounds.items() if name in said
        )
        whole = ("pages" in said) == ("width" in said) == ("height" in said)
        if numbers and whole and said.get("failed") in (None, *typing.get_args(SlidesFault)):
            return typing.cast(dict[str, typing.Any], said)
    except (ValueError, TypeError, AttributeError):
        pass
    raise _FailedError("damaged")
