import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from server.slides.slide_set import NOTE, SOURCE, SlideSet
from server.slides.store import MOST, Slides, TooManySlidesError


def brought(slides: Slides, lesson_id: str = "l1", title: str = "课件") -> SlideSet:
    draft = slides.draft()
    draft.write_bytes(b"%PDF-1.7")
    return slides.add(lesson_id, title, "pdf", draft)


def drawn(slides: Slides, lesson_id: str = "l1", title: str = "课件") -> SlideSet:
    one = brought(slides, lesson_id, title)
    folder = slides.folder(lesson_id, one.slides_id)
    assert folder is not None
    for name in ("1.webp", "1.small.webp"):
        (folder / name).write_bytes(name.encode())
    ready = replace(one, state="ready", pages=1, width=1920, height=1080)
    slides.settle(lesson_id, ready)
    return ready


def test_slides_are_listed_in_the_order_they_came(tmp_path: Path) -> None:
    slides = Slides(tmp_path)
    for title in ("乙", "甲", "丙"):
        brought(slides, title=title)
    assert [one.title for one in slides.of("l1")] == ["乙", "甲", "丙"]
    assert slides.of("l2") == []


@pytest.mark.parametrize("name", ["..", "../l1", "a/b", "", "x" * 17, ".uploads"])
def test_a_name_that_is_no_lessons_leads_nowhere(tmp_path: Path, name: str) -> None:
    slides = Slides(tmp_path / "slides")
    brought(slides)
    assert slides.of(name) == []
    assert slides.folder(name, "0" * 16) is None
    assert slides.page("l1", name, 1, small=False) is None
    assert not slides.remove("l1", name)
    slides.delete(name)
    assert len(slides.of("l1")) == 1


def test_of_slides_that_are_drawn_only_the_pages_stay(tmp_path: Path) -> None:
    slides = Slides(tmp_path)
    ready = drawn(slides)
    folder = slides.folder("l1", ready.slides_id)
    assert folder is not None
    assert sorted(path.name for path in folder.iterdir()) == ["1.small.webp", "1.webp", NOTE]
    assert slides.find("l1", ready.slides_id) == ready
    assert slides.page("l1", ready.slides_id, 1, small=True) == folder / "1.small.webp"
    assert slides.page("l1", ready.slides_id, 2, small=False) is None


def test_of_slides_that_cannot_be_drawn_only_the_reason_stays(tmp_path: Path) -> None:
    slides = Slides(tmp_path)
    one = brought(slides)
    folder = tmp_path / "l1" / one.slides_id
    (folder / "1.webp").write_bytes(b"")
    slides.settle("l1", replace(one, state="failed", reason="damaged"))
    assert [path.name for path in folder.iterdir()] == [NOTE]


def test_what_failed_makes_room_for_what_comes_and_nothing_else_does(tmp_path: Path) -> None:
    slides = Slides(tmp_path)
    first = brought(slides)
    slides.settle("l1", replace(first, state="failed", reason="encrypted"))
    for _ in range(MOST):
        brought(slides)
    assert first not in slides.of("l1")
    with pytest.raises(TooManySlidesError):
        brought(slides)
    with pytest.raises(TooManySlidesError):
        slides.check("l1")
    assert len(slides.of("l1")) == MOST


def test_another_lesson_that_took_slides_over_keeps_them_when_the_first_is_deleted(tmp_path: Path) -> None:
    slides = Slides(tmp_path)
    drawn(slides, title="甲")
    brought(slides, title="乙")  # not drawn yet
    (copied,) = slides.copy("l1", "l2")
    slides.delete("l1")
    assert slides.of("l1") == []
    assert slides.of("l2") == [copied]
    page = slides.page("l2", copied.slides_id, 1, small=False)
    assert page is not None
    assert page.read_bytes() == b"1.webp"


def test_a_process_that_begins_finds_what_is_to_be_drawn_and_clears_what_a_crash_left(tmp_path: Path) -> None:
    slides = Slides(tmp_path)
    ready, waits = drawn(slides), brought(slides)
    slides.draft().write_bytes(b"half of it")
    torn = tmp_path / "l1" / ("0" * 16)
    torn.mkdir()
    (torn / SOURCE).write_bytes(b"")
    (tmp_path / "l1" / ".gone-1").mkdir()
    assert list(slides.unfinished()) == [("l1", waits)]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_dir()) == sorted(
        ["l1", ready.slides_id, waits.slides_id]
    )


def test_a_disk_that_is_full_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: object) -> None:
        raise OSError(28, "No space left on device")

    slides = Slides(tmp_path)
    draft = slides.draft()
    draft.write_bytes(b"%PDF-1.7")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        slides.add("l1", "课件", "pdf", draft)
    assert list((tmp_path / "l1").iterdir()) == []


def test_what_could_not_be_taken_away_is_taken_away_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slides = Slides(tmp_path)
    brought(slides)

    def refuses(path: Path) -> None:
        raise OSError(16, "Device or resource busy")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", refuses)
        with pytest.raises(OSError, match="busy"):
            slides.delete("l1")
    assert slides.of("l1") == []
    slides.delete("l1")
    assert list(tmp_path.glob(".gone-*")) == []
