"""Draws the pages of one set of slides, in a process of its own that may take only so much memory and time.

    python -m server.slides.drawing FOLDER pdf|picture        started by renderer.py

What is read was made by strangers, and the library that reads it is large and written in C++: if it takes too much or
breaks, this process goes and nothing else. It is started without our environment and with a low priority. A line of
JSON on stdout says how far it is; pages that are there already are left as they are.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import errno
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from server.slides.slide_set import MAX_PAGES, SOURCE, CannotDrawError, SlidesFault, SlidesKind, page_file, small_file
from server.slides.sources import opened
from server.slides.webp import SMALL, SMALL_WIDTH, encoded, narrowed, of_page

MEMORY = 1024**3  # bytes it may have; a photo of 50 million pixels needs a third of that
PAGE_TIME = 30  # seconds of CPU for one page: a hundred times what a heavy one needs
FILE_SIZE = 64 * 1024 * 1024  # bytes of one that it writes
NICE = 10  # a lesson that is live comes first, but a teacher waits for this too

_PR_SET_PDEATHSIG = 1
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Say = Callable[[dict[str, object]], None]


def draw(folder: Path, kind: SlidesKind, say: Say, page_begins: Callable[[], None] = lambda: None) -> None:
    """Draw what is in `source`. Raises CannotDrawError, OSError, MemoryError.

    `page_begins` is called before each page, and before the first look: here a process of its own bounds its time.
    """
    page_begins()
    source = opened(folder / SOURCE, kind)
    if source.count > MAX_PAGES:
        raise CannotDrawError("too_many_pages")
    width, height = source.size(1)
    say({"pages": source.count, "width": width, "height": height})
    for page in range(1, source.count + 1):
        page_begins()
        large, small = folder / page_file(page), folder / small_file(page)
        if not (large.exists() and small.exists()):
            frame = source.draw(page)
            _write(small, encoded(narrowed(frame, SMALL_WIDTH), SMALL))
            _write(large, of_page(frame))
        say({"done": page})


def confine() -> None:
    """Give up what drawing does not need, and go when the server goes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # where memory runs out, a lesson goes on
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))


def _allow(seconds: int) -> None:
    """From now on so much CPU; a process that takes more is ended by the kernel (SIGXCPU)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, also after a loss of power. Raises OSError."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _attempt(folder: Path, kind: SlidesKind, say: Say) -> SlidesFault | None:
    """Why it cannot be drawn; None when it is."""
    try:
        draw(folder, kind, say, lambda: _allow(PAGE_TIME))
    except CannotDrawError as error:
        return error.reason
    except MemoryError:
        return "too_complex"
    except OSError as error:
        if error.errno in _FULL:
            return "disk_full"
        return "too_complex" if error.errno == errno.ENOMEM else "damaged"
    return None


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m server.slides.drawing", description="Draw the pages of slides.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("kind", choices=("pdf", "picture"))
    given = parser.parse_args(arguments)
    parent = os.getppid()
    confine()
    if os.getppid() != parent:  # it died before we asked to be told
        return 1

    def say(what: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()

    if (fault := _attempt(given.folder, given.kind, say)) is not None:
        say({"failed": fault})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
