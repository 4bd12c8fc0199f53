"""The pages of slides that a lesson has shown: pictures beside its media, `slides/<slides_id>/<page>.webp` and, small,
`<page>.small.webp`. The event log says when which of them was shown and what was drawn on it.

The server puts them there (it has them already; of a page that nobody turned to nothing comes here), always whole and
in one step. What is here says of such a picture whether it is one, and which there are.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

SLIDES = "slides"
SUFFIX = ".webp"
SMALL = ".small.webp"

_PAGE = re.compile(r"[a-z0-9]{8,32}/[1-9][0-9]{0,2}")
_HEAD = 12  # bytes: "RIFF", the size of what follows, "WEBP"


def is_page(surface: str) -> bool:
    """Whether this surface is a page of slides; a board page has no picture."""
    return _PAGE.fullmatch(surface) is not None


def page_files(surface: str) -> tuple[str, str]:
    """Where the page lies in a lesson's folder, large and small."""
    return f"{SLIDES}/{surface}{SUFFIX}", f"{SLIDES}/{surface}{SMALL}"


def pages(folder: Path) -> list[Path]:
    """The pictures of all pages in a lesson's folder, in order."""
    return sorted(folder.glob(f"{SLIDES}/*/*{SUFFIX}"))


def put(folder: Path, path: str, source: Path) -> None:
    """Have the picture `source` in a lesson's folder as `path`, as a second name of the same file where that can be.

    A picture that is there stays. Raises OSError; FileNotFoundError where there is no such picture, or no such lesson.
    """
    target = folder / path
    if target.exists():
        return
    for parent in (target.parent.parent, target.parent):  # not the lesson's own: one that is deleted stays deleted
        parent.mkdir(exist_ok=True)
    fresh = target.with_name(target.name + ".new")  # which the repair takes away when we die here
    try:
        try:
            os.link(source, fresh)
        except FileExistsError:  # of an attempt that was killed
            fresh.unlink()
            os.link(source, fresh)
        except FileNotFoundError:
            raise
        except OSError:  # another file system, or one without links
            shutil.copyfile(source, fresh)
        fresh.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def is_whole(path: Path) -> bool:
    """Whether a picture has all the bytes that its head speaks of. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    size = path.stat().st_size
    named = int.from_bytes(head[4:8], "little")
    return head[:4] == b"RIFF" and head[8:] == b"WEBP" and size >= 8 + named > 8


def drop_torn(folder: Path) -> Iterator[str]:
    """Take away what a loss of power has left of pictures; gives their paths. Raises OSError."""
    for path in pages(folder):
        if not is_whole(path):
            path.unlink()
            yield path.relative_to(folder).as_posix()
