"""A file on its way in: written to the disk piece by piece, and looked at before anybody works on it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from pathlib import Path

from aiohttp import BodyPartReader, web

from server.phones.picture_file import NoPictureError, PictureFile
from server.phones.pictures import MAX_PIXELS
from server.slides.slide_set import SlidesKind
from signaling.problems import ProblemError

MAX_FILE = 100 * 1024 * 1024  # bytes
UPLOAD_TIME = 900.0  # seconds to send one: 100 MB at little under 1 Mb/s
PAUSE = 60.0  # seconds in which nothing comes, after which nobody is there any more
LEAST_FREE = 256 * 1024 * 1024  # bytes on the disk that a file must leave

_HEAD = 4 * 1024 * 1024  # bytes in which a picture must have said how large it is
_PDF_HEAD = 1024  # bytes in which a PDF must begin, as its readers look for it …
_PDF_TAIL = 4096  # … and in which its end must stand
_PDF = re.compile(rb"%PDF-[12]\.\d")
_OFFICE = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # PowerPoint and WPS, new and old


async def receive(request: web.Request, draft: Path) -> str:
    """Write the file of a form to `draft`; gives the name it has. Raises ProblemError and OSError."""
    if request.content_type != "multipart/form-data":
        raise ProblemError(415, "unsupported_media_type", "Send the file as multipart/form-data")
    if (request.content_length or 0) > MAX_FILE + 64 * 1024:
        raise too_large(f"at most {MAX_FILE} bytes")
    try:
        async with asyncio.timeout(UPLOAD_TIME):
            part = await _file(request)
            with draft.open("wb") as file:
                await _copy(part, file.fileno())
    except TimeoutError as error:
        raise ProblemError(408, "body_slow", "The file did not come in time") from error
    except (ValueError, AssertionError) as error:  # what aiohttp says of a form that is none
        raise ProblemError(400, "body_malformed", "The body is no form with a file") from error
    return part.filename or ""


def kind_of(draft: Path) -> SlidesKind:
    """What it is by its bytes, whatever it is called. Raises ProblemError and OSError."""
    with draft.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(-min(_PDF_TAIL, file.seek(0, os.SEEK_END)), os.SEEK_END)
        tail = file.read()
    if head.startswith(_OFFICE):
        raise ProblemError(415, "slides_office", "This is a document of an office program", "save it as a PDF first")
    if _PDF.search(head, 0, _PDF_HEAD):
        if b"%%EOF" not in tail:
            raise ProblemError(415, "slides_cut_short", "The end of the file is missing")
        return "pdf"
    try:
        picture = PictureFile.of(head)
    except NoPictureError as error:
        raise ProblemError(415, "slides_malformed", "This is neither a PDF nor a picture", str(error)) from error
    if picture.width * picture.height > MAX_PIXELS:
        raise too_large(f"{picture.width}x{picture.height} pixels")
    return "picture"


def too_large(detail: str) -> ProblemError:
    return ProblemError(413, "slides_too_large", "The file is too large", detail)


async def _file(request: web.Request) -> BodyPartReader:
    """The part of the form that is the file. Raises ProblemError and ValueError."""
    form = await request.multipart()
    while (part := await form.next()) is not None:
        if isinstance(part, BodyPartReader) and part.name == "file":
            return part
        break  # nothing else belongs there, and nobody waits while a stranger sends it
    raise ProblemError(422, "field_invalid", "A field is missing or not of the right form", "file")


async def _copy(part: BodyPartReader, descriptor: int) -> None:
    size = 0
    while True:
        async with asyncio.timeout(PAUSE):
            piece = await part.read_chunk(256 * 1024)
        if not piece:
            return
        size += len(piece)
        if size > MAX_FILE:
            raise too_large(f"at most {MAX_FILE} bytes")
        await asyncio.to_thread(_write, descriptor, piece)


def _write(descriptor: int, piece: bytes) -> None:
    at = 0
    while at < len(piece):
        at += os.write(descriptor, piece[at:])


def has_room(folder: Path, size: int) -> bool:
    """Whether the disk takes so many bytes more."""
    with contextlib.suppress(OSError):
        space = os.statvfs(folder)
        return space.f_bavail * space.f_frsize - size >= LEAST_FREE
    return False
