"""What the pages of a journey show when it is over, kept as pictures for whoever wants to look.

A journey names no files: while `kept_in` is on, a browser that ends (browser.py, firefox.py) takes a picture of each
page that is still open. A picture that cannot be taken is left out: it is no part of what a journey promises.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

WITHIN = 5.0  # seconds for all pages of a browser: they are taken at once

_folder: Path | None = None


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Pictures go there from now on; there is a folder once there is a picture."""
    global _folder
    before, _folder = _folder, folder
    try:
        yield
    finally:
        _folder = before


async def keep(pages: Sequence[tuple[str, Callable[[Path], Awaitable[object]]]]) -> None:
    """Take a picture of each page: its address, and what writes the picture into a file."""
    if _folder is None:
        return
    shown = [(url, take) for url, take in pages if url.startswith("http")]
    if not shown:
        return
    _folder.mkdir(parents=True, exist_ok=True)
    before = sum(1 for _ in _folder.iterdir())
    files = [_folder / f"{before + index:02d}-{name_of(url)}.jpg" for index, (url, _) in enumerate(shown, 1)]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(WITHIN):
            taking = (take(file) for file, (_, take) in zip(files, shown, strict=True))
            await asyncio.gather(*taking, return_exceptions=True)


def name_of(url: str) -> str:
    """`teach` of `/teach/l-7f3a`, `teach-audience` of `/teach/l-7f3a/audience`: the route, without ids."""
    words = urlsplit(url).path.strip("/").split("/")
    return re.sub(r"[^a-z-]", "", "-".join(words[:1] + words[2:])) or "home"
