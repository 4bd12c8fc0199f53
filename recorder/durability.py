"""Makes what was written survive a loss of power, and watches the room on the disk: a thread, once a second.

One `syncfs` for the archive's whole file system instead of an `fsync` per file: with 200 lessons these would be 600
a second, each waiting for the disk.
"""

from __future__ import annotations

import ctypes
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

EVERY_S = 1.0

logger = logging.getLogger(__name__)


class Durability:
    def __init__(self, folder: Path, make_room: Callable[[int], object] = lambda free: None) -> None:
        """`make_room` is called in the thread with the bytes that are free; it may remove something."""
        self.free = _free(folder)  # bytes an ordinary user can still write
        self.begun = 0  # syncs
        self.done = 0  # the last one that succeeded; all that was written before one began is durable when it is done
        self._folder = folder
        self._make_room = make_room
        self._dirty = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="durability", daemon=True)
        self._syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)  # Linux only; elsewhere sync

    def start(self) -> None:
        self._thread.start()

    def wrote(self) -> None:
        """Something may have been written since the last time."""
        self._dirty = True

    def close(self) -> None:
        """Sync once more and end the thread."""
        self._dirty = True
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            while True:
                ending = self._ending.wait(EVERY_S)
                self.free = _free(self._folder)
                if self._dirty:
                    self._dirty = False
                    self._sync(descriptor)
                if ending:
                    return
                self._look()
        finally:
            os.close(descriptor)

    def _look(self) -> None:
        try:
            if self._make_room(self.free):
                self.free = _free(self._folder)
        except Exception:  # without a thread nothing would be durable any more
            logger.exception("no room can be made")

    def _sync(self, descriptor: int) -> None:
        self.begun += 1
        if self._syncfs is None:
            os.sync()
        elif self._syncfs(descriptor):
            # The next write will meet the same trouble and stop the recording; here it is only told.
            logger.error("the archive cannot be synced: %s", os.strerror(ctypes.get_errno()))
            return
        self.done = self.begun


def _free(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
