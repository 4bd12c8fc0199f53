"""The data folder: that it can be written, that one node alone uses it, and which node that is (run.json)."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.failure import CannotWorkError
from server.settings import Settings

RUN_PREFIX = "tongke-"  # of run folders, below the system's folder for temporary files
PRIVATE = 0o077  # umask: password hashes, class codes and recorded children are for our user only
LEAST_FREE = 64 * 1024 * 1024  # bytes; some minutes of a lesson


@dataclass(frozen=True, slots=True)
class Running:
    """A node that uses this data folder now."""

    pid: int
    url: str  # its plain HTTP listener, as this machine reaches it


class DataFolder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._run = path / "run.json"

    def prepare(self, settings: Settings) -> None:
        """Make the folders and write to them once. Raises CannotWorkError."""
        for folder in (self.path, settings.archive, settings.journals):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                _try_to_write(folder)
            except OSError as error:
                raise CannotWorkError(why_not(error, folder)) from error

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other nodes out. The kernel gives the lock back however this process ends."""
        with (self.path / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                other = self.running()
                who = f" (process {other.pid})" if other else ""
                raise CannotWorkError(f"The data folder {self.path} is already used by another Tongke{who}.") from error
            yield

    def note_run(self, url: str, folder: Path) -> None:
        """Let commands on this machine find the running node; `folder` is its run folder."""
        draft = self._run.with_suffix(".new")
        draft.write_text(json.dumps({"pid": os.getpid(), "url": url, "folder": str(folder)}) + "\n")
        draft.replace(self._run)

    def clear_after_kill(self) -> None:
        """Remove the run folder that a killed node left; for the one that has the lock."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            left = Path(json.loads(self._run.read_text())["folder"])
            if left.name.startswith(RUN_PREFIX):
                shutil.rmtree(left, ignore_errors=True)
        self.forget_run()

    def forget_run(self) -> None:
        self._run.unlink(missing_ok=True)

    def running(self) -> Running | None:
        """The node that uses this folder, if there is one."""
        try:
            value = json.loads(self._run.read_text())
            running = Running(int(value["pid"]), str(value["url"]))
            os.kill(running.pid, 0)
        except PermissionError:
            return running  # it lives, under another user
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return running


def why_not(error: OSError, folder: Path) -> str:
    """What keeps a folder from being written, in one sentence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of {folder} is full: make room or choose another folder with --data."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"The folder {folder} cannot be written by this user: change its owner or choose another with --data."
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return f"{folder} is no folder: choose another with --data."
    return f"The folder {folder} cannot be used: {error.strerror or error}."


def _try_to_write(folder: Path) -> None:
    """Write and remove a file. Raises OSError, ENOSPC already when little is left."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        with probe.open("wb") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)
    space = os.statvfs(folder)
    if space.f_bavail * space.f_frsize < LEAST_FREE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
