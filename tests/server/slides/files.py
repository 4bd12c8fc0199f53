"""Files as teachers send them, and as nobody should."""

import zlib

from server.demo.pdf import assembled, document

PAGE = b"1 0 0 rg 0 0 480 540 re f"  # the left half red


def pdf(pages: int = 1, width: float = 960, height: float = 540) -> bytes:
    return document([PAGE.replace(b"480", b"%d" % (width / 2))] * pages, width, height)


def counted(pages: int) -> bytes:
    """A small file of many pages, all of them the same one."""
    kids = b"3 0 R " * pages
    tree = b"<< /Type /Pages /Count %d /Kids [%b] >>" % (pages, kids)
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 960 540] >>"
    return assembled([b"<< /Type /Catalog /Pages 2 0 R >>", tree, page])


def locked() -> bytes:
    """One that opens with a password."""
    parts = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 0 /Kids [] >>"]
    lock = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%b> /U <%b> >>" % (b"41" * 32, b"42" * 32)
    return assembled(parts, b"/Encrypt %b /ID [<00> <00>]" % lock)


def bomb(size: int) -> bytes:
    """A page whose content unfolds to so many bytes."""
    pack = zlib.compressobj(9)
    piece = pack.compress(bytes(1 << 20)) + pack.flush(zlib.Z_FULL_FLUSH)
    again = pack.compress(bytes(1 << 20)) + pack.flush(zlib.Z_FULL_FLUSH)  # without the head of the stream
    content = piece + again * (size >> 20) + pack.flush()
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 960 540] /Contents 4 0 R >>",
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(content), content),
        ]
    )
