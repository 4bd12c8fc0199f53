"""Checks of slides: that a page can be drawn here, as the server does it, and that Chinese letters come out.

Most PDFs bring their fonts. Those that only name one need one of this machine, or their letters are missing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from server.demo.pdf import assembled
from server.doctor.finding import Finding
from server.slides.slide_set import SOURCE, page_file

WITHIN = 60.0  # seconds, on the busiest machine
LETTERS = "同课"
_DARK = 100  # of 255


def drawing() -> Iterator[Finding]:
    """Draw a page of letters whose font is not in the file."""
    with tempfile.TemporaryDirectory(prefix="tongke-doctor-") as name:
        folder = Path(name)
        (folder / SOURCE).write_bytes(page_of(LETTERS))
        command = (sys.executable, "-m", "server.slides.drawing", name, "pdf")
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=WITHIN)  # noqa: S603 - our own
            drawn = is_drawn(folder / page_file(1))
        except (subprocess.SubprocessError, OSError) as error:
            yield Finding("slides", "warn", f"Slides cannot be drawn here: {error}.", "Install Tongke again.")
            return
    if drawn:
        yield Finding("slides", "ok", "Slides can be drawn, Chinese letters too.")
    else:
        yield Finding(
            "slides",
            "warn",
            "There is no Chinese font: letters of PDFs that do not bring their fonts are missing.",
            "Install one, on Debian or Ubuntu: apt install fonts-wqy-microhei",
        )


def page_of(letters: str) -> bytes:
    """A PDF that names a font and does not bring it."""
    content = b"BT /F1 200 Tf 100 200 Td <%b> Tj ET" % letters.encode("utf-16-be").hex().encode()
    letters_of = b"/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /FontDescriptor 7 0 R /DW 1000"
    measures = b"/FontBBox [-8 -145 1000 859] /ItalicAngle 0 /Ascent 859 /Descent -140 /CapHeight 683 /StemV 91"
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 960 540] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R >> >> >>",
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
            b"<< /Type /Font /Subtype /Type0 /BaseFont /SimSun /Encoding /UniGB-UCS2-H /DescendantFonts [6 0 R] >>",
            b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /SimSun %b >>" % letters_of,
            b"<< /Type /FontDescriptor /FontName /SimSun /Flags 32 %b >>" % measures,
        ]
    )


def is_drawn(page: Path) -> bool:
    """Whether there is anything on the page. Raises OSError."""
    import av  # takes a fifth of a second

    with av.open(str(page)) as file:
        seen = next(file.decode(video=0)).reformat(format="gray")
    rows, step = bytes(seen.planes[0]), seen.planes[0].line_size
    return min(min(rows[at : at + seen.width]) for at in range(0, len(rows), step)) < _DARK
