"""A recorder in virtual time: what a worker would send goes through its real link; a lesson takes no time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from media.recording_link import Reader
from recorder.intake import Link
from recorder.messages import CloseLesson, Event, OpenLesson, Reply, WatchLesson
from recorder.recorder import Recorder
from tests.recorder.source import Timed

TICK_US = 1_000_000
LOOK_US = 250_000  # as often the recorder looks at its sockets


class VirtualRecorder:
    """`each_second` is called after every tick, when files are as their readers see them."""

    def __init__(self, archive: Path, begin_us: int, each_second: Callable[[], None] = lambda: None) -> None:
        self.archive = archive
        self.now_us = begin_us
        self.told: list[Event] = []
        self.asked = 0  # key frames
        self._each_second = each_second
        self._due_us = begin_us + TICK_US
        self._connect()

    def _connect(self) -> None:
        self.recorder = Recorder(self.archive, self.told.append)
        self.recorder.start(self.now_us)
        self._worker, theirs = socket.socketpair()
        theirs.setblocking(False)
        self._worker.setblocking(False)
        self._link = Link(theirs, self.recorder, asyncio.new_event_loop(), lambda link: None)
        self._reader = Reader()

    def open(self, lesson_id: str) -> Reply:
        return self.recorder.handle(OpenLesson(lesson_id, self.now_us, "a lesson"))

    def watch(self, lesson_id: str, watched: bool = True) -> Reply:
        return self.recorder.handle(WatchLesson(lesson_id, watched))

    def end(self, lesson_id: str) -> Reply:
        return self.recorder.handle(CloseLesson(lesson_id))

    def send(self, *data: bytes) -> None:
        """Now."""
        for piece in data:
            self._worker.sendall(piece)
            self._link.take()

    def play(self, begin_us: int, timed: Iterable[Timed]) -> None:
        """Send what is `timed` from `begin_us` on, while time passes."""
        waiting: list[bytes] = []
        look_us = self.now_us + LOOK_US
        for piece in timed:
            at = begin_us + piece.at_us
            while at >= look_us:
                self._take(waiting)
                self.until(look_us)
                look_us += LOOK_US
            waiting.append(piece.data)
        self._take(waiting)
        self.until(look_us)

    def until(self, instant_us: int) -> None:
        """Let time pass."""
        while self._due_us <= instant_us:
            self.now_us = self._due_us
            self.recorder.tick(self.now_us)
            self._due_us += TICK_US
            self._each_second()
        self.now_us = max(self.now_us, instant_us)

    def crash(self) -> None:
        """What was in memory is gone; another one starts where this one was."""
        self._worker.close()
        self._connect()

    def _take(self, waiting: list[bytes]) -> None:
        for at in range(0, len(waiting), 50):
            self._worker.sendall(b"".join(waiting[at : at + 50]))
            self._link.take()
        waiting.clear()
        with contextlib.suppress(BlockingIOError):
            self.asked += len(self._reader.feed(self._worker.recv(65536)))
