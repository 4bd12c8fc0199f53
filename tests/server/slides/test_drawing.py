"""The process that draws, run here without its limits, and once each to meet them."""

import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import av
import pytest

from server.phones.pictures import upright
from server.slides import drawing
from server.slides.slide_set import SOURCE, CannotDrawError, SlidesKind
from server.slides.sources import opened
from server.slides.webp import EXACT, PAGE, encoded, of_page
from tests.server.phones.test_pictures import drawn
from tests.server.slides.files import bomb, counted, locked, pdf


def pages(folder: Path, data: bytes, kind: SlidesKind = "pdf") -> list[dict[str, Any]]:
    """What it says while it draws this."""
    (folder / SOURCE).write_bytes(data)
    said: list[dict[str, Any]] = []
    drawing.draw(folder, kind, said.append)
    return said


def picture(path: Path) -> av.VideoFrame:
    decoder = av.CodecContext.create("webp", "r")
    return [*decoder.decode(av.Packet(path.read_bytes())), *decoder.decode(None)][0].reformat(format="rgb24")


def colour(frame: av.VideoFrame, x: int, y: int) -> tuple[int, ...]:
    plane = frame.planes[0]
    at = y * plane.line_size + 3 * x
    return tuple(bytes(plane)[at : at + 3])


def test_each_page_becomes_a_large_and_a_small_picture_on_white(tmp_path: Path) -> None:
    said = pages(tmp_path, pdf(2))
    assert said == [{"pages": 2, "width": 1920, "height": 1080}, {"done": 1}, {"done": 2}]
    large, small = picture(tmp_path / "2.webp"), picture(tmp_path / "2.small.webp")
    assert [(one.width, one.height) for one in (large, small)] == [(1920, 1080), (320, 180)]
    red, white = colour(large, 400, 500), colour(large, 1500, 500)
    assert red[0] > 240
    assert max(red[1:]) < 15
    assert min(white) > 250


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(540, 960, (1080, 1920)), (14_400, 14_400, (1920, 1920)), (3, 14_400, (1, 1920)), (0.01, 0.01, (1920, 1920))],
)
def test_a_page_of_any_shape_is_as_large_as_a_screen_and_no_larger(
    tmp_path: Path, width: float, height: float, size: tuple[int, int]
) -> None:
    pages(tmp_path, pdf(1, width, height))
    frame = picture(tmp_path / "1.webp")
    assert (frame.width, frame.height) == size


def test_a_page_that_lies_on_its_side_is_turned(tmp_path: Path) -> None:
    turned = pdf(1).replace(b"/MediaBox", b"/Rotate 90 /MediaBox")
    pages(tmp_path, turned)
    frame = picture(tmp_path / "1.webp")
    assert (frame.width, frame.height) == (1080, 1920)
    assert colour(frame, 500, 400)[1] < 15  # what was on the left is above
    assert min(colour(frame, 500, 1500)) > 250


@pytest.mark.parametrize("codec", ["mjpeg", "png", "libwebp"])
def test_a_picture_is_one_page_of_its_own_size(tmp_path: Path, codec: str) -> None:
    assert pages(tmp_path, drawn(200, 320, codec), "picture") == [
        {"pages": 1, "width": 200, "height": 320},
        {"done": 1},
    ]
    frame = picture(tmp_path / "1.webp")
    assert (frame.width, frame.height) == (200, 320)
    assert [max(colour(frame, 50, 80)) < 30, min(colour(frame, 150, 240)) > 225] == [True, True]


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        (locked(), "pdf", "encrypted"),
        (counted(5000), "pdf", "too_many_pages"),
        (pdf()[:200], "pdf", "damaged"),
        (b"%PDF-1.7\n%%EOF", "pdf", "damaged"),
        (counted(0), "pdf", "damaged"),
        (drawn(64, 64, "png")[:100], "picture", "damaged"),
    ],
)
def test_why_something_cannot_be_drawn_is_said(tmp_path: Path, data: bytes, kind: SlidesKind, reason: str) -> None:
    with pytest.raises(CannotDrawError) as error:
        pages(tmp_path, data, kind)
    assert error.value.reason == reason


def test_pages_that_are_there_are_not_drawn_again(tmp_path: Path) -> None:
    for name in ("1.webp", "1.small.webp", "2.webp"):
        (tmp_path / name).write_bytes(b"from before")
    assert pages(tmp_path, pdf(2))[-1] == {"done": 2}
    assert [(tmp_path / name).read_bytes() == b"from before" for name in ("1.webp", "2.webp")] == [True, False]


def test_what_is_clear_in_a_picture_is_white() -> None:
    frame = av.VideoFrame(64, 64, "bgra")
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))  # black, and nothing of it to be seen
    seen = upright(encoded(frame, EXACT), 64, "rgb24")
    assert min(colour(seen, 32, 32)) > 250


def test_a_page_is_as_small_as_the_better_of_two_ways_makes_it(tmp_path: Path) -> None:
    (tmp_path / SOURCE).write_bytes(pdf())
    plain = opened(tmp_path / SOURCE, "pdf").draw(1)
    noise = av.VideoFrame(640, 360, "bgr0")
    noise.planes[0].update(Random(1).randbytes(noise.planes[0].buffer_size))
    assert of_page(plain) == encoded(plain, EXACT)
    assert of_page(noise) == encoded(noise, PAGE)


def run(*arguments: str, before: str = "") -> subprocess.CompletedProcess[bytes]:
    """The process itself, or something else in its place after `before`."""
    command = ["-c", before] if before else ["-m", "server.slides.drawing", *arguments]
    return subprocess.run([sys.executable, *command], capture_output=True, check=False)


def test_a_file_that_unfolds_beyond_all_measure_ends_the_process_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / SOURCE).write_bytes(bomb(3 << 30))
    ended = run(str(tmp_path), "pdf")
    assert ended.returncode == -signal.SIGABRT
    assert not (tmp_path / "1.webp").exists()


def test_a_process_of_its_own_bounds_its_time_and_whoever_draws_within_another_does_not(tmp_path: Path) -> None:
    (tmp_path / SOURCE).write_bytes(pdf())
    draws = (
        f"from pathlib import Path; from server.slides import drawing; drawing.{{}}(Path({str(tmp_path)!r}), 'pdf', id)"
    )
    told = "import resource; print(resource.getrlimit(resource.RLIMIT_CPU)[0] == resource.RLIM_INFINITY)"
    unbounded = [run(before=f"{draws.format(way)}\n{told}").stdout.split() for way in ("draw", "_attempt")]
    assert unbounded == [[b"True"], [b"False"]]


def test_a_page_that_takes_for_ever_is_ended_by_the_kernel() -> None:
    ended = run(before="from server.slides import drawing\ndrawing._allow(1)\nwhile True: pass")
    assert ended.returncode == -signal.SIGXCPU


def test_what_the_process_says_is_a_line_for_each_page_and_then_nothing(tmp_path: Path) -> None:
    (tmp_path / SOURCE).write_bytes(pdf())
    ended = run(str(tmp_path), "pdf")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.splitlines() == [b'{"pages": 1, "width": 1920, "height": 1080}', b'{"done": 1}']
