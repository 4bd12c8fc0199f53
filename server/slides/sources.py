"""What slides come as: a PDF or one picture, and how each gives its pages. Used in the drawing process alone.

What is wrong with a file is told as CannotDrawError; a file that asks for more memory than there is ends the process.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Protocol

from av.video.frame import VideoFrame
from pypdfium2 import PdfBitmap, PdfDocument, PdfiumError, raw

from server.phones.picture_file import NoPictureError
from server.phones.pictures import PictureTooLargeError, upright
from server.slides.slide_set import CannotDrawError, SlidesKind

LONGEST = 1920  # pixels of a page's longer side: what the largest class screens show of a lesson


class Source(Protocol):
    count: int  # of pages

    def size(self, page: int) -> tuple[int, int]:
        """Pixels as it will be drawn; pages count from 1. Raises CannotDrawError."""

    def draw(self, page: int) -> VideoFrame:
        """Raises CannotDrawError."""


def opened(path: Path, kind: SlidesKind) -> Source:
    """Raises CannotDrawError and OSError."""
    return _Pdf(path) if kind == "pdf" else _Picture(path)


class _Picture:
    count = 1

    def __init__(self, path: Path) -> None:
        try:
            self._frame = upright(path.read_bytes(), LONGEST, "bgra")
        except PictureTooLargeError as error:
            raise CannotDrawError("too_complex") from error
        except NoPictureError as error:
            raise CannotDrawError("damaged") from error

    def size(self, page: int) -> tuple[int, int]:
        return self._frame.width, self._frame.height

    def draw(self, page: int) -> VideoFrame:
        return self._frame


class _Pdf:
    def __init__(self, path: Path) -> None:
        try:
            self._pdf = PdfDocument(path)
            self.count = len(self._pdf)
        except PdfiumError as error:
            locked = error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
            raise CannotDrawError("encrypted" if locked else "damaged") from error
        if not self.count:
            raise CannotDrawError("damaged")

    def size(self, page: int) -> tuple[int, int]:
        try:
            width, height = self._pdf.get_page_size(page - 1)
        except PdfiumError as error:
            raise CannotDrawError("damaged") from error
        longer = max(width, height)
        if not (math.isfinite(longer) and width > 0 and height > 0):
            raise CannotDrawError("damaged")
        return max(1, round(width * LONGEST / longer)), max(1, round(height * LONGEST / longer))

    def draw(self, page: int) -> VideoFrame:
        """On white, as it would be printed, and as large as we say, whatever size the page gives itself."""
        width, height = self.size(page)
        try:
            drawn = PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGRx)
            raw.FPDFBitmap_FillRect(drawn, 0, 0, width, height, 0xFFFFFFFF)
            leaf = self._pdf[page - 1]
            raw.FPDF_RenderPageBitmap(drawn, leaf, 0, 0, width, height, 0, raw.FPDF_ANNOT)
            leaf.close()
        except PdfiumError as error:
            raise CannotDrawError("damaged") from error
        frame = VideoFrame(width, height, "bgr0")
        plane = frame.planes[0]
        rows = memoryview(drawn.buffer).cast("B")
        spare = bytes(plane.line_size - 4 * width)
        plane.update(b"".join(bytes(rows[at : at + 4 * width]) + spare for at in range(0, len(rows), drawn.stride)))
        return frame
