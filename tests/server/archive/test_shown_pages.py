"""The pages a lesson has shown come into its archive, and no others."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from server.archive.shown_pages import ShownPages

SET = "aaaaaaaa"


@pytest.fixture
def pages(tmp_path: Path) -> ShownPages:
    (tmp_path / "archive" / "L1").mkdir(parents=True)
    (tmp_path / "slides").mkdir()
    for name in ("1.webp", "1.small.webp", "2.webp", "2.small.webp"):
        (tmp_path / "slides" / name).write_bytes(name.encode())

    def find(lesson_id: str, slides_id: str, page: int, small: bool) -> Path | None:
        assert (lesson_id, slides_id) == ("L1", SET)
        path = tmp_path / "slides" / f"{page}{'.small' if small else ''}.webp"
        return path if path.exists() else None

    return ShownPages(tmp_path / "archive", find)


def kept(tmp_path: Path) -> dict[str, bytes]:
    folder = tmp_path / "archive" / "L1"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_page_that_was_shown_is_kept_large_and_small_and_no_other(pages: ShownPages, tmp_path: Path) -> None:
    pages.keep("L1", [f"{SET}/2", "board/1"])
    assert kept(tmp_path) == {
        f"slides/{SET}/2.webp": b"2.webp",
        f"slides/{SET}/2.small.webp": b"2.small.webp",
    }


def test_a_page_stays_when_the_slides_are_taken_away(
    pages: ShownPages, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pages.keep("L1", [f"{SET}/1"])
    for path in (tmp_path / "slides").iterdir():
        path.unlink()
    with caplog.at_level(logging.WARNING):
        pages.keep("L1", [f"{SET}/1"])  # told again after a restart
        assert caplog.records == []
        pages.keep("L1", [f"{SET}/2"])  # shown, and taken away at once
    assert len(caplog.records) == 2
    assert set(kept(tmp_path)) == {f"slides/{SET}/1.webp", f"slides/{SET}/1.small.webp"}


def test_a_lesson_that_is_deleted_stays_deleted(pages: ShownPages, tmp_path: Path) -> None:
    (tmp_path / "archive" / "L1").rmdir()
    pages.keep("L1", [f"{SET}/1"])
    assert not (tmp_path / "archive" / "L1").exists()
