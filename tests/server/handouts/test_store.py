from pathlib import Path

import pytest

from server.handouts.store import Handouts, NoPdfError
from tests.server.phones.test_pictures import drawn

PDF = b"%PDF-2.0\nstartxref\n0\n%%EOF"


async def test_handouts_are_listed_in_the_order_they_came(tmp_path: Path) -> None:
    handouts = Handouts(tmp_path)
    for name in ("乙", "甲", "丙"):
        await handouts.add("l1", name, PDF)
    assert [one.name for one in handouts.of("l1")] == ["乙", "甲", "丙"]
    assert handouts.of("l2") == []


@pytest.mark.parametrize("name", ["..", "../l1", "a/b", "", "x" * 17])
def test_a_name_that_is_no_lessons_leads_nowhere(tmp_path: Path, name: str) -> None:
    handouts = Handouts(tmp_path / "handouts")
    assert handouts.of(name) == []
    assert handouts.find(name, "0" * 16) is None
    assert handouts.find("l1", name) is None
    handouts.delete(name)
    assert tmp_path.exists()


async def test_what_a_crash_left_half_done_is_no_handout_and_goes_with_the_lesson(tmp_path: Path) -> None:
    handouts = Handouts(tmp_path)
    made = await handouts.add("l1", "导学案", PDF)
    (tmp_path / "l1" / "0123456789abcdef.pdf").write_bytes(PDF)
    (tmp_path / "l1" / "fedcba9876543210.json").write_text('{"handout_id"')
    assert [one.handout_id for one in handouts.of("l1")] == [made.handout_id]
    handouts.delete("l1")
    assert not (tmp_path / "l1").exists()


async def test_a_disk_that_is_full_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: object) -> None:
        raise OSError(28, "No space left on device")

    handouts = Handouts(tmp_path)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        await handouts.add("l1", "导学案", PDF)
    assert list((tmp_path / "l1").iterdir()) == []


async def test_a_pdf_that_was_cut_short_is_none_and_a_png_becomes_a_jpeg(tmp_path: Path) -> None:
    handouts = Handouts(tmp_path)
    with pytest.raises(NoPdfError):
        await handouts.add("l1", "导学案", PDF[:-5])
    made = await handouts.add("l1", "练习册", drawn(64, 48, "png"))
    assert (made.kind, made.file.endswith(".jpg")) == ("picture", True)
