import contextlib
import struct
from fractions import Fraction

import av
import pytest
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from server.phones.picture_file import NoPictureError, PictureFile
from server.phones.pictures import LONGEST, PictureTooLargeError, made_anew

FORMATS = {"mjpeg": "yuvj420p", "png": "rgb24", "libwebp": "yuv420p"}


def drawn(width: int, height: int, codec: str = "mjpeg") -> bytes:
    """A file: white, the top left quarter black."""
    frame = VideoFrame(width, height, "gray")
    plane = frame.planes[0]
    rows = [
        (b"\0" * (width // 2) if y < height // 2 else b"\xff" * (width // 2)) + b"\xff" * (plane.line_size - width // 2)
        for y in range(height)
    ]
    plane.update(b"".join(rows))
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, FORMATS[codec]
    encoder.time_base = Fraction(1, 1)
    ready = frame.reformat(format=FORMATS[codec])
    ready.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(ready), *encoder.encode(None)))


def with_exif(jpeg: bytes, orientation: int) -> bytes:
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0) + b"GPS 39.9N 116.4E"
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def black_corner(jpeg: bytes) -> tuple[str, int, int]:
    """Which quarter is black, and the size."""
    decoder = av.CodecContext.create("mjpeg", "r")
    frame = [*decoder.decode(av.Packet(jpeg)), *decoder.decode(None)][0]
    gray = frame.reformat(format="gray").planes[0]
    data = bytes(gray)
    corners = {
        f"{up} {side}": data[y * gray.line_size + x]
        for up, y in (("top", frame.height // 4), ("bottom", 3 * frame.height // 4))
        for side, x in (("left", frame.width // 4), ("right", 3 * frame.width // 4))
    }
    return min(corners, key=lambda name: corners[name]), frame.width, frame.height


@pytest.mark.parametrize("codec", ["mjpeg", "png", "libwebp"])
def test_a_picture_of_each_kind_comes_out_as_a_jpeg(codec: str) -> None:
    assert black_corner(made_anew(drawn(320, 200, codec))) == ("top left", 320, 200)


@pytest.mark.parametrize(
    ("orientation", "corner", "size"),
    [
        (1, "top left", (320, 200)),
        (3, "bottom right", (320, 200)),
        (6, "top right", (200, 320)),
        (8, "bottom left", (200, 320)),
        (99, "top left", (320, 200)),
    ],
)
def test_a_picture_taken_with_a_turned_phone_stands_upright(
    orientation: int, corner: str, size: tuple[int, int]
) -> None:
    assert black_corner(made_anew(with_exif(drawn(320, 200), orientation))) == (corner, *size)


def test_nothing_but_pixels_comes_through() -> None:
    sent = with_exif(drawn(320, 200), 6) + b"PK\x03\x04 another file <script>"
    kept = made_anew(sent)
    assert b"Exif" in sent
    assert [word for word in (b"Exif", b"GPS", b"script") if word in kept] == []


def test_a_large_picture_is_made_smaller() -> None:
    _, width, height = black_corner(made_anew(drawn(4000, 3000)))
    assert (width, height) == (LONGEST, LONGEST * 3 // 4)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff",
        b"GIF89a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"RIFF\0\0\0\0WEBPVP8X",
        b"%PDF-1.7",
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(NoPictureError):
        made_anew(data)


def test_a_picture_cut_off_or_spoiled_is_refused_or_whole() -> None:
    whole = drawn(320, 200, "png")
    for end in range(0, len(whole), 7):
        with contextlib.suppress(NoPictureError):
            made_anew(whole[:end])


def test_a_picture_that_would_fill_the_memory_is_never_decoded() -> None:
    bomb = bytearray(drawn(16, 16, "png"))
    bomb[16:24] = struct.pack(">II", 60_000, 60_000)
    assert PictureFile.of(bytes(bomb)).width == 60_000
    with pytest.raises(PictureTooLargeError):
        made_anew(bytes(bomb))
